"""A recurrent loop as one step of a program: its nodes run frame by frame, from the beginning or from the end.

In the packed view a time step is a slice of the frames, and the sequences that go on are its first rows, so that no frame
is computed in vain. What the loop takes from outside is cut into steps once, what it leaves is joined once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bstorch.kernels.base import Environment, axis_of, elements, has_axis, reversed_dims, shape_of
from bstorch.kernels.delays import Delay
from bstorch.kernels.times import REDUCE_SEQUENCE, weight_matrix
from bstorch.program.layout import MinibatchLayout


@dataclass(frozen=True, slots=True)
class TimeStep:
    """Which part of the minibatch is computed: the packed frames `begin` to `end` of `layout`, those of time `time`."""

    layout: MinibatchLayout
    time: int
    begin: int
    end: int
    first: bool
    backwards: bool


class GatheredGradient(Function):
    """The weights of a product in a loop, with the gradient of all its steps: one product in the place of one for each.

    The products note their operands and gradients in `noted` and give no gradient for the weights themselves; this
    function's turn comes when all of them have run.
    """

    @staticmethod
    def forward(ctx: Any, weights: Tensor, noted: list[tuple[Tensor, Tensor]]) -> Tensor:
        ctx.noted = noted
        ctx.set_materialize_grads(False)
        return weights.view_as(weights)

    @staticmethod
    def backward(ctx: Any, *_: Tensor | None) -> tuple[Tensor | None, None]:
        noted: list[tuple[Tensor, Tensor]] = ctx.noted
        if not noted:
            return None, None
        x, gradient = (torch.cat(parts) for parts in zip(*noted, strict=True))
        noted.clear()
        return x.t() @ gradient, None


class StepProduct(Function):
    """x @ weights for the frames of a step; see `GatheredGradient`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weights: Tensor, noted: list[tuple[Tensor, Tensor]]) -> Tensor:
        ctx.noted = noted
        ctx.save_for_backward(x, weights)
        return torch.mm(x, weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None]:
        x, weights = ctx.saved_tensors
        (gradient,) = gradients
        ctx.noted.append((x, gradient))
        return (torch.mm(gradient, weights.t()) if ctx.needs_input_grad[0] else None), None, None


class LoopProduct:
    """Times with the same weights in all steps."""

    def __init__(self, node: Node) -> None:
        weights, x = node.inputs
        self._weights = weight_matrix(weights, int(node.attributes.get("outputRank", 1)))  # type: ignore[call-overload]
        self._shape = (-1, *reversed_dims(node))
        self._flat = len(reversed_dims(node)) == 1 and shape_of(x).rank == 1

    @staticmethod
    def fits(node: Node, members: Collection[Node]) -> bool:
        """Whether the node is such a product, with one column of results for each frame."""
        if node.op != "Times" or node.attributes.get("inferInputRankToMap") == REDUCE_SEQUENCE:
            return False
        weights, x = node.inputs
        if weights in members or has_axis(weights) or not has_axis(x):
            return False
        _, out = weight_matrix(weights, int(node.attributes.get("outputRank", 1)))  # type: ignore[call-overload]
        return elements(node) == out

    def begin(self, weights: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """What the steps of a minibatch have in common."""
        noted: list[tuple[Tensor, Tensor]] = []
        matrix = weights.reshape(self._weights)
        return (GatheredGradient.apply(matrix, noted) if matrix.requires_grad else matrix), noted

    def __call__(self, begun: tuple[Tensor, list[tuple[Tensor, Tensor]]], x: Tensor) -> Tensor:
        weights, noted = begun
        flat = x if self._flat else x.reshape(-1, self._weights[0])
        value = StepProduct.apply(flat, weights, noted) if weights.requires_grad else torch.mm(flat, weights)
        return value if self._flat else value.view(self._shape)


@dataclass(frozen=True, slots=True)
class Inner:
    """A node of the loop with its compiled function and the nodes that it takes."""

    node: Node
    forward: Callable[..., Any]
    inputs: tuple[Node, ...]


class Recurrence:
    """Called with the values of `inputs`, gives those of `outputs`, over all frames of the minibatch."""

    def __init__(self, nodes: Sequence[Inner], outputs: Sequence[Node], environment: Environment) -> None:
        members = {inner.node for inner in nodes}
        self._environment = environment
        delays = [(inner, inner.forward) for inner in nodes if isinstance(inner.forward, Delay)]
        others = [inner for inner in nodes if not isinstance(inner.forward, Delay)]
        self.inputs = tuple(dict.fromkeys(i for inner in nodes for i in inner.inputs if i not in members))
        self.outputs = tuple(outputs)
        slots = {node: i for i, node in enumerate([*self.inputs, *(inner.node for inner in nodes)])}
        self._axes = list(dict.fromkeys(axis_of(inner.node) for inner in nodes))
        initial_only = {d.inputs[1] for d, _ in delays if len(d.inputs) > 1 and d.inputs[1] not in members}
        initial_only -= {i for inner in others for i in inner.inputs} | {d.inputs[0] for d, _ in delays}
        self._framewise = [slots[i] for i in self.inputs if has_axis(i) and i not in initial_only]
        self._delays = [
            (
                delay,
                slots[inner.inputs[0]],
                slots[inner.inputs[1]] if len(inner.inputs) > 1 else None,
                slots[inner.node],
            )
            for inner, delay in delays
        ]
        self._steps: list[tuple[Callable[..., Any], tuple[int, ...], int]] = []
        self._products: list[tuple[LoopProduct, int, int]] = []
        for inner in others:
            places, forward = tuple(slots[i] for i in inner.inputs), inner.forward
            own = inner.inputs == tuple(inner.node.inputs) and not environment.detect_anomaly
            if own and LoopProduct.fits(inner.node, members):
                forward = LoopProduct(inner.node)
                begun = len(slots) + len(self._products)
                self._products.append((forward, places[0], begun))
                places = (begun, places[1])
            self._steps.append((forward, places, slots[inner.node]))
        self._outputs = [slots[n] for n in self.outputs]
        self._slots = len(slots) + len(self._products)
        self._kept = sorted({*self._outputs, *(source for _, source, _, _ in self._delays)})
        self._backwards = any(delay.backwards for _, delay in delays)
        self._layouts: dict[int, MinibatchLayout] = {}

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        layouts = self._environment.layouts
        layout = next(layouts[axis] for axis in self._axes if axis in layouts)
        before = {axis: layouts.get(axis, layout) for axis in self._axes}
        device = values[0].device if values else self._environment.device
        sizes: list[int] = layout.batch_sizes.tolist()
        base: list[Any] = [*values, *[None] * (self._slots - len(values))]
        for product, weights, slot in self._products:
            base[slot] = product.begin(values[weights])
        parts = {slot: values[slot].split(sizes) for slot in self._framewise}
        borders = [
            self._borders(delay, layout, device, None if initial is None else values[initial])
            for delay, _, initial, _ in self._delays
        ]
        kept: dict[int, list[Tensor | None]] = {slot: list(parts.get(slot, [None] * len(sizes))) for slot in self._kept}
        starts: list[int] = layout.step_starts.tolist()
        steps = range(len(sizes))
        try:
            for number, t in enumerate(reversed(steps) if self._backwards else steps):
                size = sizes[t]
                self._environment.step = TimeStep(layout, t, starts[t], starts[t + 1], number == 0, self._backwards)
                for axis in self._axes:
                    layouts[axis] = self._frames(size)
                now = base.copy()
                for slot, pieces in parts.items():
                    now[slot] = pieces[t]
                for (delay, source, _, slot), border in zip(self._delays, borders, strict=True):
                    now[slot] = _delayed(delay, kept[source], border[t], t, size)
                for function, inputs, slot in self._steps:
                    now[slot] = function(*[now[i] for i in inputs])
                for slot, history in kept.items():
                    history[t] = now[slot]
        finally:
            self._environment.step = None
            layouts.update(before)
        joined = {slot: _joined(history, base[slot]) for slot, history in kept.items()}
        if layout.goes_on:
            for delay, source, _, _ in self._delays:
                delay.keep(layout, joined[source])
        return tuple(joined[slot] for slot in self._outputs)

    @staticmethod
    def _borders(
        delay: Delay, layout: MinibatchLayout, device: torch.device, initial: Tensor | None
    ) -> tuple[Tensor, ...]:
        return delay.borders(layout, device, initial).split(delay.border_counts(layout).tolist())

    def _frames(self, size: int) -> MinibatchLayout:
        """The layout of a single time step."""
        found = self._layouts.get(size)
        if found is None:
            found = self._layouts[size] = MinibatchLayout.of_frames(size)
        return found


def _delayed(delay: Delay, history: list[Tensor | None], border: Tensor, t: int, size: int) -> Tensor:
    source = t + delay.distance if delay.backwards else t - delay.distance
    count = size - len(border)
    if count == 0:
        return border
    value = history[source]
    assert value is not None
    if len(value) != count:
        value = value[:count]
    return value if count == size else torch.cat([value, border])


def _joined(history: list[Tensor | None], whole: Tensor | None) -> Tensor:
    if whole is not None:
        return whole
    return torch.cat([h for h in history if h is not None])
