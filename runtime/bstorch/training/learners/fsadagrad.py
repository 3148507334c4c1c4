"""AdaGrad with a moving mean of squares and with momentum (`gradUpdateType = fsAdagrad`).

With d = exp (-N / varianceTimeConstant) for the N samples of a minibatch:

    c = d c + (1 - d) N        v = d v + (1 - d) g^2        g' = g min (10, fsAdagradTargetAvDenom sqrt (c) / sqrt (v))
    s = m s + (1 - m) g'        W -= lr s

Without momentum g' itself moves the parameter. Nesterov's look ahead has no effect here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from bsls.config.sgd import float32
from bsls.network.node import Node
from bstorch.training.learners.base import Around, Group, Learner, Step, with_decay

LARGEST_FACTOR = 10.0


class FSAdaGradLearner(Learner):
    """See above; the parts of a state are v and s, the count of each parameter is c."""

    parts = 2

    def __init__(
        self,
        nodes: Sequence[Node],
        tensors: Sequence[Tensor],
        around: Around | None = None,
        *,
        time_constant: float = 720000.0,
        target: float = 1.0,
    ) -> None:
        super().__init__(nodes, tensors, around)
        self._time_constant = time_constant
        self._target = target

    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        gradients = with_decay(gradients, group, step)
        keep = math.exp(-step.samples / self._time_constant)
        single = group.parameters[0].dtype != torch.float64
        for place in group.places:
            self.counts[place] = keep * self.counts[place] + (1.0 - keep) * step.samples
        scale = self._target * math.sqrt(self.counts[group.places[0]])
        if single:
            keep, scale = float32(keep), float32(scale)
        squares, smooth = ([state[k] for state in group.states] for k in (0, 1))
        torch._foreach_mul_(squares, keep)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1.0 - keep)
        factors = torch._foreach_sqrt(squares)
        torch._foreach_reciprocal_(factors)
        torch._foreach_mul_(factors, scale)
        torch._foreach_clamp_max_(factors, LARGEST_FACTOR)
        moves: Sequence[Tensor] = torch._foreach_mul(gradients, factors)
        if step.momentum > 0:
            torch._foreach_mul_(smooth, step.momentum)
            torch._foreach_add_(smooth, moves, alpha=1.0 - step.momentum)
            moves = smooth
        torch._foreach_add_(group.parameters, moves, alpha=-step.rate)
