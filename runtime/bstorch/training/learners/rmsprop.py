"""RMSProp with a step size of its own for each element (`gradUpdateType = rmsProp`), without momentum.

    v = gamma v + (1 - gamma) g^2
    u = min (u inc, max) where g has the sign that it had before, else max (u dec, min)
    k = u / sqrt (v + 1e-6)        W -= lr / mean (k) * k g

At first v = g^2 and u = 0.02, with no sign. The mean over the parameter is left out unless `normWithAveMultiplier`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bsls.config.sgd import SGDSettings, float32
from bsls.network.node import Node
from bstorch.training.learners.averaging import mean_factor
from bstorch.training.learners.base import Around, Group, Learner, Step, with_decay

FLOOR = 1e-6
FIRST_STEP = 0.02


@dataclass(frozen=True, slots=True)
class StepSizes:
    """Factors by which step sizes grow and shrink, their limits, and the weight of the old mean square."""

    increase: float = 1.2
    decrease: float = 0.75
    largest: float = 10.0
    smallest: float = 0.1
    gamma: float = 0.99

    @classmethod
    def of(cls, settings: SGDSettings) -> StepSizes:
        return cls(settings.rms_increase, settings.rms_decrease, settings.rms_max, settings.rms_min, settings.rms_gamma)


class RMSPropLearner(Learner):
    """See above; the parts of a state are v, the sign before, and u."""

    parts = 3

    def __init__(
        self,
        nodes: Sequence[Node],
        tensors: Sequence[Tensor],
        around: Around | None = None,
        *,
        sizes: StepSizes | None = None,
        average: bool = True,
    ) -> None:
        super().__init__(nodes, tensors, around)
        self._sizes = sizes or StepSizes()
        self._average = average

    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        gradients = with_decay(gradients, group, step)
        for parameter, gradient, state in zip(group.parameters, gradients, group.states, strict=True):
            factors = self._factors(gradient, *state)
            mean = mean_factor(factors) if self._average else 1.0
            parameter.add_(gradient * factors * (-step.rate / mean))

    def _factors(self, gradient: Tensor, squares: Tensor, signs: Tensor, sizes: Tensor) -> Tensor:
        given = self._sizes
        gamma = given.gamma if gradient.dtype == torch.float64 else float32(given.gamma)
        square = gradient * gradient
        if sizes.numel() and float(sizes.view(-1)[0]) == 0:  # the first minibatch: they never shrink to nothing
            squares.copy_(square)
            sizes.fill_(FIRST_STEP)
        squares.mul_(gamma).add_(square, alpha=1.0 - gamma)
        sign = torch.sign(gradient)
        larger = (sizes * given.increase).clamp_(max=given.largest)
        smaller = (sizes * given.decrease).clamp_(min=given.smallest)
        sizes.copy_(torch.where(signs * sign > 0, larger, smaller))
        signs.copy_(sign)
        return sizes / (squares + FLOOR).sqrt_()
