"""How large a network is: values of its parameters, and the memory that it needs at least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import nodes_with_gradient
from bsls.shape import Dims


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tensors and of the values in them."""

    tensors: int
    values: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes for parameters and, per sample (a frame, in a sequence), for the values of nodes and their gradients.

    Nothing shares memory here, so a run can do with less; learners, readers and temporary values are not counted.
    """

    parameters: int
    parameter_gradients: int
    values: int
    gradients: int

    @property
    def training(self) -> tuple[int, int]:
        """What training takes at all, and for each sample of a minibatch."""
        return self.parameters + self.parameter_gradients, self.values + self.gradients


def dims_of(node: Node) -> Dims | None:
    """Dimensions of one sample, None where they are not known; parameters and inputs know theirs before validation."""
    if node.shape is not None:
        return node.shape.dims
    declared = node.attributes.get("dims") if node.is_parameter or node.is_input else None
    return declared  # type: ignore[return-value]


def values_of(node: Node) -> int:
    """The number of values of one sample, or of a parameter; 0 where a dimension is not known."""
    dims = dims_of(node)
    return 0 if dims is None else prod(dims)


def count(parameters: Iterable[Node]) -> Count:
    """How many parameters there are, and how many values they have."""
    sizes = [values_of(node) for node in parameters]
    return Count(len(sizes), sum(sizes))


def memory(network: Network) -> Memory:
    """What the network needs at least.

    Left out are sparse inputs, whose size depends on the data, and nodes without a dynamic axis, which are computed once
    for a minibatch.
    """
    graded = set(nodes_with_gradient(network.evaluation_order()))
    parameters = network.parameters
    per_sample = [n for n in network if _is_per_sample(n)]
    return Memory(
        _bytes(parameters),
        _bytes(n for n in parameters if n.is_learnable),
        _bytes(per_sample),
        _bytes(n for n in per_sample if n in graded),
    )


def _is_per_sample(node: Node) -> bool:
    return node.shape is not None and node.shape.axis is not None and node.op not in ("SparseInputValue", "DynamicAxis")


def _bytes(nodes: Iterable[Node]) -> int:
    return sum(values_of(node) * node.element_size for node in nodes)
