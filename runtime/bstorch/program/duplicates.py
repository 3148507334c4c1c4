"""Nodes that compute the same from the same, as the library makes them: one of them is enough."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor

from bsls.network.node import Node
from bsls.shape import DynamicAxis
from bstorch.kernels.base import Environment, Forward, shape_of


class Duplicates:
    """`first` gives for each node that can be left out the one that stands in its place.

    Those among `own` are never merged, nor the `early` ones, which run before all others, with the others. A dynamic axis
    that a node makes is then also that of the nodes left out.
    """

    def __init__(self, order: Sequence[Node], own: Collection[Node], early: Collection[Node]) -> None:
        self.first: dict[Node, Node] = {}
        self._axes: dict[Node, list[DynamicAxis]] = {}
        """By node, the axes of those left out, where they are others than its own."""
        found: dict[tuple[object, ...], Node] = {}
        same_axis: dict[DynamicAxis, DynamicAxis] = {}
        for node in order:
            if node in own or not node.inputs:
                continue
            shape = shape_of(node)
            inputs = tuple(self.first.get(i, i) for i in node.inputs)
            known = [same_axis.get(a, a) for i in inputs if (a := shape_of(i).axis) is not None]
            axis = shape.axis if shape.axis is None else same_axis.get(shape.axis, shape.axis)
            made = axis is not None and axis not in known
            attributes = tuple(sorted((name, repr(value)) for name, value in node.attributes.items()))
            key = (node.op, node in early, inputs, attributes, node.precision, shape.dims, None if made else axis)
            same = found.setdefault(key, node)
            if same is node:
                continue
            self.first[node] = same
            if made and shape.axis is not None and (kept := shape_of(same).axis) is not None and kept != shape.axis:
                same_axis[shape.axis] = kept
                self._axes.setdefault(same, []).append(shape.axis)

    def with_axes(self, node: Node, forward: Forward, environment: Environment) -> Forward:
        """`forward` that also lays out the axes of the nodes left out."""
        if (axes := self._axes.get(node)) is None:
            return forward
        own = shape_of(node).axis
        assert own is not None

        def laid_out(*values: Tensor) -> Tensor:
            value = forward(*values)
            layout = environment.layouts[own]
            environment.layouts.update(dict.fromkeys(axes, layout))
            return value

        return laid_out
