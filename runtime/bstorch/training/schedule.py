"""What changes from epoch to epoch: dropout rates, seeds, time constants of batch normalization."""

from __future__ import annotations

from collections.abc import Callable

from bsls.config.sgd import SGDSettings
from bsls.network.loops import evaluation_order_with_loops, recurrent_loops
from bsls.network.network import Network
from bsls.network.node import Node
from bstorch.kernels.noise import RANDOM_OPERATIONS, Dropout, RandomOperation
from bstorch.program.program import Program


class EpochSettings:
    """Sets the nodes below the criterion for an epoch, with the lines that the reference prints.

    Values are set only when they differ from the epoch before; before the first one all are 0, so that the default leaves
    a node's own time constants alone. A run that goes on after an earlier one says again what it sets.
    """

    def __init__(
        self, program: Program, network: Network, criterion: Node, settings: SGDSettings, say: Callable[[str], None]
    ) -> None:
        # Their order is that of the evaluation, in which the nodes of a loop stand together.
        below = evaluation_order_with_loops(network, recurrent_loops(network), [criterion])
        self._settings = settings
        self._say = say
        self._random = [n for n in below if n.op in RANDOM_OPERATIONS]
        self._dropouts = [f for n in self._random if isinstance(f := program.compiled.get(n), Dropout)]
        self._normalizations = [n for n in below if n.op == "BatchNormalization"]
        self._compiled = program.compiled
        found = [program.compiled.get(n) for n in self._random]
        self.functions = [f for f in found if isinstance(f, RandomOperation)]
        """What draws random numbers."""
        self._rate = self._time_constant = self._blend = 0.0

    def begin(self, epoch: int) -> None:
        """Prepares for `epoch` (from 0)."""
        self._set_dropout(self._settings.dropout_rate[epoch])
        for i, node in enumerate(self._random):
            function = self._compiled.get(node)
            if isinstance(function, RandomOperation):
                function.seed(epoch * len(self._random) + i)
        constants = self._settings.normalization_time_constant
        if constants[epoch] != self._time_constant:
            self._say(f"Setting batch normalization time constant to {constants[epoch]:.8g}.")
            self._time_constant = self._set("normalizationTimeConstant", constants[epoch])
        elif epoch > 0 and constants[epoch] != constants[epoch - 1]:  # the model has that of the earlier run
            self._set("normalizationTimeConstant", constants[epoch])
        blends = self._settings.blend_time_constant
        if blends[epoch] != self._blend:
            self._say(f"Setting batch normalization blend time constant to {blends[epoch]:.8g}.")
            self._blend = self._set("blendTimeConstant", blends[epoch])
        elif epoch > 0 and blends[epoch] != blends[epoch - 1]:
            self._set("blendTimeConstant", blends[epoch])

    def _set_dropout(self, rate: float) -> None:
        if rate != self._rate:
            self._say(f"Setting dropout rate to {rate:.8g}.")
            if not self._dropouts and rate > 0:
                self._say("WARNING: Attempting to set dropout rate, but there is no dropout node in the network.")
            self._rate = rate
        for dropout in self._dropouts:
            dropout.rate = rate

    def _set(self, attribute: str, value: float) -> float:
        for node in self._normalizations:
            node.attributes[attribute] = value
        return value
