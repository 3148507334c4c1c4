"""AdaGrad (`gradUpdateType = adagrad`), without momentum.

    a += g^2        k = 1 / sqrt (a + 1e-16)        W -= lr / mean (k) * k g

The mean over the parameter is left out unless `normWithAveMultiplier`. Where only some rows have a gradient, it runs over
these.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.training.learners.averaging import mean_factor
from bstorch.training.learners.base import Around, Group, Learner, Step, with_decay

FLOOR = 1e-16


class AdaGradLearner(Learner):
    """See above."""

    def __init__(
        self, nodes: Sequence[Node], tensors: Sequence[Tensor], around: Around | None = None, *, average: bool = True
    ) -> None:
        super().__init__(nodes, tensors, around)
        self._average = average

    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        gradients = with_decay(gradients, group, step)
        torch._foreach_addcmul_(group.states, gradients, gradients)
        roots = torch._foreach_add(group.states, FLOOR)
        torch._foreach_sqrt_(roots)
        for parameter, gradient, root in zip(group.parameters, gradients, roots, strict=True):
            mean = mean_factor(root.reciprocal(), 4) if self._average else 1.0
            parameter.add_(gradient / root * (-step.rate / mean))

    def update_rows(self, group: Group, rows: Tensor, values: Tensor, step: Step) -> bool:
        (parameter,), (state,) = group.parameters, group.states
        squares = state[rows].addcmul_(values, values)
        state[rows] = squares
        roots = (squares + FLOOR).sqrt_()
        mean = mean_factor(roots.reciprocal()) if self._average else 1.0
        parameter.index_add_(0, rows, values / roots * (-step.rate / mean))
        return True
