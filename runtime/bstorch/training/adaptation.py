"""Regularisation towards another model (`adaptationRegType = "KL"` of `adapt`): what that model says is mixed into the targets.

With the weight r, a target t becomes (1 - r) t + r p, where p is the value of a node of the original model, such as the
posteriors behind its softmax. Then a cross entropy is, but for a constant, (1 - r) times the one with t, plus r times the
Kullback-Leibler divergence of the trained model's posteriors from p.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.source import Span
from bstorch.kernels.base import axis_of, dtype_of, has_axis, shape_of
from bstorch.program.program import Program
from bstorch.readers.base import AroundReader, Minibatch, Reader, SparseBatch
from bstorch.training.evaluator import start_accumulators


class MixedTargets(AroundReader):
    """A reader whose stream for the input `label` is mixed with the value of `original`, the one root of a program.

    Raises BsError where the two do not fit; `span` is where the node of the original model is named.
    """

    def __init__(self, reader: Reader, label: Node, original: Program, weight: float, span: Span | None) -> None:
        super().__init__(reader)
        self._label = label
        self._original = original
        self._weight = weight
        self._span = span
        node = original.roots[0]
        if not has_axis(node) or shape_of(node).elements != shape_of(label).elements:
            raise self._misfit(f"has the shape {shape_of(node)}, but the targets '{label.name}' {shape_of(label)}")

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Minibatch]:
        """See `Reader.minibatches`."""
        start_accumulators(self._original)
        for minibatch in self._reader.minibatches(epoch, epoch_size, minibatch_size):
            yield self._mixed(minibatch)

    def _mixed(self, minibatch: Minibatch) -> Minibatch:
        said = self._original.forward(minibatch)[0]
        stream = next(name for name in minibatch.values if name.lower() == self._label.name.lower())
        layout = self._original.environment.layouts[axis_of(self._original.roots[0])]
        if not layout.same_as(minibatch.layouts[stream]):
            raise self._misfit(f"has other sequences than the targets '{self._label.name}'")
        target = minibatch.values[stream]
        dense: Tensor = target.dense() if isinstance(target, SparseBatch) else target
        dense = dense.to(said.device, dtype_of(self._label))
        mixed = said.reshape(dense.shape).to(dense.dtype) * self._weight + dense * (1.0 - self._weight)
        return replace(minibatch, values={**minibatch.values, stream: mixed})

    def _misfit(self, why: str) -> BsError:
        node = self._original.roots[0]
        return BsError(
            "config-value", f"refNodeName: '{node.name}' of the original model {why}", self._span,
            help="name the node whose values are like the targets, such as the softmax of the outputs",
        )  # fmt: skip
