"""Gradient descent with unit-gain momentum (`gradUpdateType = none`).

    s = m s + (1 - m) lr g        W -= s, or with Nesterov's look ahead W -= m s + (1 - m) lr g

Where only some rows have a gradient the state keeps it without the rate: s = m s + (1 - m) g, W -= lr s.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bsls.config.sgd import float32
from bsls.network.node import Node
from bstorch.training.learners.base import Around, Group, Learner, Step, with_decay


class MomentumLearner(Learner):
    """See above."""

    def __init__(
        self, nodes: Sequence[Node], tensors: Sequence[Tensor], around: Around | None = None, *, nesterov: bool = False
    ) -> None:
        super().__init__(nodes, tensors, around)
        self._nesterov = nesterov

    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        gain = (1.0 - step.momentum) * step.rate
        if group.parameters[0].dtype != torch.float64:
            gain = float32(float32(1.0 - step.momentum) * step.rate)
        if step.momentum > 0 and not self._nesterov:
            # One pass over memory. torch computes s = m s + (1 - dampening) (g + decay W), W -= lr s.
            gradients = [g if g.is_contiguous() else g.contiguous() for g in gradients]
            torch._fused_sgd_(
                group.parameters, gradients, group.states, weight_decay=step.decay, momentum=step.momentum, lr=1.0,
                dampening=1.0 - gain, nesterov=False, maximize=False, is_first_step=False,
            )  # fmt: skip
            return
        gradients = with_decay(gradients, group, step)
        torch._foreach_mul_(group.states, step.momentum)
        torch._foreach_add_(group.states, gradients, alpha=gain)
        if self._nesterov:
            torch._foreach_add_(group.parameters, group.states, alpha=-step.momentum)
            torch._foreach_add_(group.parameters, gradients, alpha=-gain)
        else:
            torch._foreach_sub_(group.parameters, group.states)

    def update_rows(self, group: Group, rows: Tensor, values: Tensor, step: Step) -> bool:
        (parameter,), (state,) = group.parameters, group.states
        momentum = step.momentum
        if momentum == 0:
            parameter.index_add_(0, rows, values, alpha=-step.rate)
            return True
        smooth = state[rows].mul_(momentum).add_(values, alpha=1.0 - momentum)
        state[rows] = smooth
        # The reference leaves out the rate in its sparse Nesterov step, which diverges; this is the dense form.
        move = smooth.mul(momentum).add_(values, alpha=1.0 - momentum) if self._nesterov else smooth
        parameter.index_add_(0, rows, move, alpha=-step.rate)
        return True
