"""A recurrent loop as one step of a program: its nodes run frame by frame, from the beginning or from the end.

In the packed view a time step is a slice of the frames, and the sequences that go on are its first rows, so that no frame
is computed in vain. What the loop takes from outside is cut into steps once, what it leaves is joined once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, has_axis
from bstorch.kernels.delays import Delay
from bstorch.program.layout import MinibatchLayout


@dataclass(frozen=True, slots=True)
class TimeStep:
    """Which part of the minibatch is computed: the packed frames `begin` to `end` of `layout`."""

    layout: MinibatchLayout
    begin: int
    end: int
    first: bool
    backwards: bool


@dataclass(frozen=True, slots=True)
class Inner:
    """A node of the loop with its compiled function and the nodes that it takes."""

    node: Node
    forward: Forward
    inputs: tuple[Node, ...]


class Recurrence:
    """Called with the values of `inputs`, gives those of `outputs`, over all frames of the minibatch."""

    def __init__(self, nodes: Sequence[Inner], outputs: Sequence[Node], environment: Environment) -> None:
        members = {inner.node for inner in nodes}
        self._environment = environment
        delays = [inner for inner in nodes if isinstance(inner.forward, Delay)]
        others = [inner for inner in nodes if not isinstance(inner.forward, Delay)]
        self.inputs = tuple(dict.fromkeys(i for inner in nodes for i in inner.inputs if i not in members))
        self.outputs = tuple(outputs)
        slots = {node: i for i, node in enumerate([*self.inputs, *(inner.node for inner in nodes)])}
        self._axes = list(dict.fromkeys(axis_of(inner.node) for inner in nodes))
        self._axis = self._axes[0]
        initial_only = {d.inputs[1] for d in delays if len(d.inputs) > 1 and d.inputs[1] not in members}
        initial_only -= {i for inner in others for i in inner.inputs} | {d.inputs[0] for d in delays}
        self._framewise = [slots[i] for i in self.inputs if has_axis(i) and i not in initial_only]
        self._delays = [
            (
                inner.forward,
                slots[inner.inputs[0]],
                slots[inner.inputs[1]] if len(inner.inputs) > 1 else None,
                slots[inner.node],
            )
            for inner in delays
        ]
        self._steps = [(inner.forward, tuple(slots[i] for i in inner.inputs), slots[inner.node]) for inner in others]
        self._outputs = [slots[n] for n in self.outputs]
        self._slots = len(slots)
        self._kept = sorted({*self._outputs, *(source for _, source, _, _ in self._delays)})
        self._backwards = any(isinstance(d.forward, Delay) and d.forward.backwards for d in delays)
        self._layouts: dict[int, MinibatchLayout] = {}

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        layouts = self._environment.layouts
        layout = next(layouts[axis] for axis in self._axes if axis in layouts)
        before = {axis: layouts.get(axis, layout) for axis in self._axes}
        device = values[0].device if values else self._environment.device
        sizes: list[int] = layout.batch_sizes.tolist()
        base: list[Tensor | None] = [*values, *[None] * (self._slots - len(values))]
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
                self._environment.step = TimeStep(layout, starts[t], starts[t + 1], number == 0, self._backwards)
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
