"""Statistics of the training data, Mean and InvStdDev: one pass over the data before the first epoch.

After n samples in all, of which a minibatch X brings m, a mean is (n - m)/n times what it was plus the sum of X over n. A
variance is the mean of (x - mean)^2 with the mean so far, corrected by the square of the mean's own change; it counts as at
least 1e-10. Everything is added up in the element type, as the reference does it; 1/n and 1e-10 are rounded to single
precision.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.ops.normalization import STATISTICS
from bstorch.kernels.base import Environment
from bstorch.kernels.criteria import running_mean
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

SMALLEST_VARIANCE = float(np.float32(1e-10))


def missing_statistics(network: Network, roots: Iterable[Node] | None = None) -> list[Node]:
    """The statistics below `roots` (default: all) that were not computed yet, in the order of evaluation."""
    order = network.evaluation_order(roots)
    return [n for n in order if n.op in STATISTICS and not n.attributes.get("hasComputed", False)]


def check_statistics(network: Network, roots: Iterable[Node]) -> None:
    """Raises BsError where `roots` need statistics that no training has computed."""
    for node in missing_statistics(network, roots):
        raise BsError(
            "statistics-missing",
            f"'{node.name}' is a {node.op} of the training data, which was not computed yet",
            node.origin,
            help="train the network first: a training computes it before its first epoch",
        )


def precompute(
    nodes: list[Node], parameters: Parameters, minibatches: Iterable[Minibatch], environment: Environment | None = None
) -> None:
    """Computes the statistics and marks them as computed."""
    sources = list(dict.fromkeys(n.inputs[0] for n in nodes))
    program = Program(parameters.network, sources, parameters, environment)
    running = {n: _Running(parameters[n]) for n in nodes}
    for minibatch in minibatches:
        values = dict(zip(sources, program.forward(minibatch), strict=True))
        for node, statistic in running.items():
            statistic.add(values[node.inputs[0]], with_variance=node.op == "InvStdDev")
    for node, statistic in running.items():
        if statistic.samples == 0:
            raise BsError("no-data", f"there are no data to compute '{node.name}' from", node.origin)
        value = statistic.mean
        if node.op == "InvStdDev":
            value = statistic.variance.clamp(min=SMALLEST_VARIANCE).sqrt().reciprocal()
        parameters[node].copy_(value)
        node.attributes["hasComputed"] = True


class _Running:
    """A mean and a variance so far."""

    def __init__(self, like: Tensor) -> None:
        self.mean = torch.zeros_like(like)
        self.variance = torch.zeros_like(like)
        self.samples = 0

    def add(self, x: Tensor, with_variance: bool) -> None:
        mean = running_mean(self.mean, self.samples, x)
        if with_variance:
            corrected = self.variance + (self.mean - mean) ** 2
            self.variance = running_mean(corrected, self.samples, (x - mean) ** 2)
        self.mean = mean
        self.samples += len(x)
