"""Adam as the reference has it (`gradUpdateType = adam`): its correction for the first steps stays that of the first one.

    s = b1 s + (1 - b1) g        v = b2 v + (1 - b2) g^2        W -= lr f s / (sqrt (v) + epsilon)

with f = sqrt (1 - b2) / (1 - b1) in every step. The momentum of the configuration has no effect.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bsls.config.sgd import SGDSettings, float32
from bsls.network.node import Node
from bstorch.training.learners.base import Around, Group, Learner, Step, with_decay


@dataclass(frozen=True, slots=True)
class Moments:
    """b1, b2 and epsilon."""

    mean: float = 0.9
    variance: float = 0.999
    epsilon: float = 1e-8

    @classmethod
    def of(cls, settings: SGDSettings) -> Moments:
        return cls(settings.adam_mean_momentum, settings.adam_variance_momentum, settings.adam_epsilon)


class AdamLearner(Learner):
    """See above; the parts of a state are v and s."""

    parts = 2

    def __init__(
        self,
        nodes: Sequence[Node],
        tensors: Sequence[Tensor],
        around: Around | None = None,
        *,
        moments: Moments | None = None,
    ) -> None:
        super().__init__(nodes, tensors, around)
        self._moments = moments or Moments()

    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        gradients = with_decay(gradients, group, step)
        given = self._moments
        correction = math.sqrt(1.0 - given.variance) / (1.0 - given.mean)
        mean, gain, variance, epsilon = given.mean, 1.0 - given.mean, given.variance, given.epsilon
        if group.parameters[0].dtype != torch.float64:
            mean, gain, variance, epsilon, correction = (
                float32(x) for x in (mean, gain, variance, epsilon, correction)
            )
        squares, smooth = ([state[k] for state in group.states] for k in (0, 1))
        torch._foreach_mul_(squares, variance)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1.0 - variance)
        factors = torch._foreach_sqrt(squares)
        torch._foreach_add_(factors, epsilon)
        torch._foreach_reciprocal_(factors)
        torch._foreach_mul_(factors, correction)
        torch._foreach_mul_(smooth, mean)
        torch._foreach_add_(smooth, gradients, alpha=gain)
        torch._foreach_mul_(factors, smooth)
        torch._foreach_add_(group.parameters, factors, alpha=-step.rate)
