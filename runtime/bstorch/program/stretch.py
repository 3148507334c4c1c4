"""Some steps of a program, one after the other, that run as one: what they take and what they leave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

Step = tuple[Callable[..., Any], tuple[int, ...], int]
"""A function, the places of its inputs among the values, the place of its result."""


def last_uses(steps: Sequence[Step], kept: Collection[int]) -> list[tuple[int, ...]]:
    """After each step, the places whose values nobody needs any more, but for those that are `kept`."""
    last: dict[int, int] = {}
    for number, (_, inputs, output) in enumerate(steps):
        last.update(dict.fromkeys((*inputs, output), number))
    freed: list[list[int]] = [[] for _ in steps]
    for slot, number in last.items():
        if slot not in kept:
            freed[number].append(slot)
    return [tuple(f) for f in freed]


class Stretch:
    """Called with the values of the places `inputs`, gives those of `outputs`: the ones of its results among `needed`."""

    def __init__(self, steps: Sequence[Step], needed: Collection[int]) -> None:
        self.steps = list(steps)
        made: dict[int, None] = {}
        taken: dict[int, None] = {}
        for _, inputs, output in steps:
            taken.update(dict.fromkeys(i for i in inputs if i not in made))
            made[output] = None
        self.inputs = tuple(taken)
        self.outputs = tuple(s for s in made if s in needed)
        self._freed = last_uses(self.steps, self.outputs)

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        return self.run(dict(zip(self.inputs, values, strict=True)))

    def run(self, values: dict[int, Any]) -> tuple[Any, ...]:
        """`values` are those of the inputs, by place; they are taken out of it as soon as nothing needs them."""
        for (function, inputs, output), freed in zip(self.steps, self._freed, strict=True):
            values[output] = function(*[values[i] for i in inputs])
            for slot in freed:
                del values[slot]
        return tuple(values[slot] for slot in self.outputs)
