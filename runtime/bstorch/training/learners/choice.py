"""The learner that a configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from bsls.config.sgd import SGDSettings
from bsls.network.network import Network
from bsls.network.node import Node
from bstorch.training.learners.adagrad import AdaGradLearner
from bstorch.training.learners.adam import AdamLearner, Moments
from bstorch.training.learners.base import Around, Learner
from bstorch.training.learners.fsadagrad import FSAdaGradLearner
from bstorch.training.learners.momentum import MomentumLearner
from bstorch.training.learners.rmsprop import RMSPropLearner, StepSizes


def learner_of(settings: SGDSettings, network: Network, nodes: Sequence[Node], tensors: Sequence[Tensor]) -> Learner:
    """The learner for `nodes`, parameters of the network, whose values are `tensors`."""
    around = Around.of(settings, network)
    average = settings.average_multiplier
    match settings.update:
        case "none":
            return MomentumLearner(nodes, tensors, around, nesterov=settings.nesterov)
        case "adagrad":
            return AdaGradLearner(nodes, tensors, around, average=average)
        case "rmsProp":
            return RMSPropLearner(nodes, tensors, around, sizes=StepSizes.of(settings), average=average)
        case "fsAdagrad":
            constant, target = settings.variance_time_constant, settings.target_denominator
            return FSAdaGradLearner(nodes, tensors, around, time_constant=constant, target=target)
        case "adam":
            return AdamLearner(nodes, tensors, around, moments=Moments.of(settings))
        case other:
            raise AssertionError(other)
