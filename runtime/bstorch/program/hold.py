"""Loops that keep a value until the next one comes: `out = If (condition, data, PastValue (out))`.

The library repeats a sequence of one frame that way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bsls.network.loops import Loop
from bsls.network.node import Node
from bsls.schema.ops.delays import DELAYS
from bstorch.kernels.base import Environment, Forward, axis_of, elements, has_axis, reversed_dims
from bstorch.kernels.reshaping import slices
from bstorch.kernels.sequences import frames_of
from bstorch.program.held import Held
from bstorch.program.layout import Indices, MinibatchLayout
from bstorch.program.recurrence import Recurrence


def find_hold(loop: Loop, users: Mapping[Node, list[Node]], kept: Collection[Node]) -> tuple[Node, Node] | None:
    """The If and its delay, where the loop is such a value; `users` and `kept` as for `fuse_affine`."""
    if len(loop.nodes) != 2:
        return None
    delay, choice = sorted(loop.nodes, key=lambda n: n.op == "If")
    if choice.op != "If" or delay.op not in DELAYS or int(delay.attributes.get("timeStep", 1)) != 1:  # type: ignore[call-overload]
        return None
    condition, data, before = choice.inputs
    if before is not delay or delay in (condition, data) or users[delay] != [choice] or delay in kept:
        return None
    if choice in (condition, data) or not has_axis(condition) or not has_axis(data) or elements(condition) != 1:
        return None
    return (choice, delay) if reversed_dims(data) == reversed_dims(choice) == reversed_dims(delay) else None


class Hold:
    """Called with the values of `inputs`, gives a `Held` as the only element, or what `recurrence` gives where frames show
    what lies before the sequence."""

    def __init__(self, choice: Node, delay: Node, recurrence: Recurrence, environment: Environment) -> None:
        self.inputs = recurrence.inputs
        self._recurrence = recurrence
        self._environment = environment
        self._axis = axis_of(choice)
        self._condition, self._data = (self.inputs.index(i) for i in choice.inputs[:2])
        self._backwards = delay.op == "FutureValue"

    def __call__(self, *values: Any) -> tuple[Held | Tensor, ...]:
        layout = self._environment.layouts[self._axis]
        data: Tensor | Held = values[self._data]
        if not layout.goes_on:
            condition = values[self._condition].detach().reshape(-1).cpu().numpy() != 0
            index = _sources(condition, layout, self._backwards)
            if index is not None:
                rows, index = (data.data, data.index[index]) if isinstance(data, Held) else (data, index)
                return (Held.of(rows, index, layout),)
        return self._recurrence(*(v.dense() if isinstance(v, Held) else v for v in values))


FRAMEWISE = frozenset(
    {"ElementTimes", "Log", "Minus", "Pass", "Plus", "Reshape", "Sigmoid", "Slice", "SumColumnElements", "Tanh"}
)
"""Operations that compute each frame from the same frame of their operands, without looking at the others."""


def held_nodes(order: Iterable[Node], holds: Collection[Node]) -> set[Node]:
    """The nodes whose values are `Held`, given those of `find_hold`: what these hold if it was scattered, and what is
    computed from such a value alone."""
    scattered = {c.inputs[1] for c in holds if c.inputs[1].op == "ScatterPacked" and has_axis(c.inputs[1].inputs[2])}
    held: set[Node] = set()
    for node in order:
        if node in holds or node in scattered or (node.op in FRAMEWISE and _only_held(node, held)):
            held.add(node)
    return held


def _only_held(node: Node, held: Collection[Node]) -> bool:
    if not has_axis(node) or (node.op == "Slice" and any(axis < 1 for axis, *_ in slices(node))):
        return False
    return [i in held for i in node.inputs if has_axis(i)] == [True]


def framewise(forward: Forward, place: int) -> Callable[..., Held]:
    """A function of frames, applied to the rows of the operand that is a `Held`."""

    def applied(*values: Any) -> Any:
        operand = values[place]
        if not isinstance(operand, Held):
            return forward(*values)
        return Held(forward(*values[:place], operand.data, *values[place + 1 :]), operand.index)

    return applied


def scattered(node: Node, environment: Environment) -> Callable[..., Held]:
    """ScatterPacked without the frames between."""
    axis = axis_of(node)

    def placed(_: Tensor, columns: Tensor, x: Tensor) -> Held:
        layout = environment.layouts[axis]
        index = np.full(layout.frames, len(x))
        index[frames_of(columns, layout, node)] = np.arange(len(x))
        return Held(torch.cat([x, x.new_zeros((1, *x.shape[1:]))]), index)

    return placed


def _sources(condition: np.ndarray, layout: MinibatchLayout, backwards: bool) -> Indices | None:
    """For each packed frame the last one of its sequence at which the condition held; None where there is none."""
    starts, sizes = layout.step_starts, layout.batch_sizes
    if len(sizes) == 0:
        return np.zeros(0, np.int64)
    if not backwards and condition[: sizes[0]].all() and not condition[sizes[0] :].any():
        return np.arange(layout.frames) - starts[layout.frame_time]
    last = np.full(sizes[0], -1)
    sources = np.empty(layout.frames, np.int64)
    times = range(len(sizes))
    for t in reversed(times) if backwards else times:
        here = slice(starts[t], starts[t + 1])
        rows = last[: sizes[t]]
        rows[:] = np.where(condition[here], np.arange(here.start, here.stop), rows)
        sources[here] = rows
    return None if (sources < 0).any() else sources
