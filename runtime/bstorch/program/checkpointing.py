"""`recomputeActivations`: values are not kept for the way back but computed again there, for less memory and more time.

The steps of a training are cut into segments where few values are alive. Of a segment only what it takes is kept; when its
gradients are computed, it runs once more, and what its operations keep for their gradients lives only that long.

What is computed again must give the same values:

- Operations that draw random numbers draw the same ones again, from a copy of their generator as it was; then the
  generator goes on where it was.
- BatchNormalization runs again on copies of the running statistics as they were, so that the real ones move once.
- A recurrent loop runs again as a whole, over all time steps.
- Operations that count or act on what is outside of the network (`ONCE`) stand between the segments and run once, as does
  a loop that holds one of them or a BatchNormalization.
- Where a minibatch ends within a sequence, whose state delays keep for the next one, nothing is computed again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from bsls.network.node import Node
from bstorch.kernels.base import Environment, elements, has_axis
from bstorch.kernels.noise import RandomOperation
from bstorch.program.stretch import Step, Stretch

ONCE = frozenset({"Assign", "EnvironmentInput", "EpochAccumulator", "Trace"})
"""Operations that must not run twice in a minibatch."""
_STATISTICS = (3, 4, 5)
"""The inputs of a BatchNormalization that it changes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A step and what there is to know about it.

    `made` is the number of elements of a frame that it makes, `result` how many of them its result has. `random` are the
    operations in it that draw numbers, `changed` the places of values that it changes for the minibatches to come.
    """

    step: Step
    made: int
    result: int
    once: bool = False
    random: tuple[RandomOperation, ...] = ()
    changed: tuple[int, ...] = ()
    loop: bool = False


def plan(
    node: Node, step: Step, members: Sequence[Node], compiled: Mapping[Node, object], own: Sequence[int]
) -> Planned:
    """What there is to know about the step of `node`; `members` are the nodes of the loop that it is (else none), `own`
    the places of the node's inputs."""
    function, inputs, _ = step
    if isinstance(function, itemgetter):  # a part of what was made before
        return Planned(step, 0, _size(node))
    nodes = members or [node]
    random = tuple(f for n in nodes if isinstance(f := compiled.get(n), RandomOperation))
    normalizes = any(n.op == "BatchNormalization" for n in nodes)
    once = any(n.op in ONCE for n in nodes) or (normalizes and (bool(members) or inputs != tuple(own)))
    made = sum(_size(n) for n in nodes)
    changed = tuple(inputs[i] for i in _STATISTICS if i < len(inputs)) if normalizes and not once else ()
    return Planned(step, made, made, once, random, changed, bool(members))


def _size(node: Node) -> int:
    return elements(node) if has_axis(node) else 0


# --- where to cut ----------------------------------------------------------------------------------------------------


def checkpointed(
    planned: Sequence[Planned], needed: Collection[int], environment: Environment, new_place: Callable[[], int]
) -> tuple[list[Step], int]:
    """The steps with those that run again together in segments, and the number of these; `needed` are the places that
    are looked at afterwards, `new_place` gives one more among the values."""
    ends = [*_cuts(planned, needed), len(planned)]
    last: dict[int, int] = dict.fromkeys(needed, len(planned))
    for number, part in enumerate(planned):
        for slot in part.step[1]:
            last[slot] = max(last.get(slot, 0), number)
    changed = {slot for part in planned for slot in part.changed}
    steps: list[Step] = []
    begin = count = 0
    for end in ends:
        parts = planned[begin:end]
        begin = end
        # The last segment would be computed again at once, and one operation keeps what it takes anyway.
        if end == len(planned) or any(p.once for p in parts) or (len(parts) == 1 and not parts[0].loop):
            steps += [p.step for p in parts]
            continue
        count += 1
        segment = Segment(parts, [s for s, n in last.items() if n >= end], changed, environment)
        place = new_place()
        steps.append((segment, segment.inputs, place))
        steps += [(itemgetter(k), (place,), slot) for k, slot in enumerate(segment.outputs)]
    return steps, count


def _cuts(planned: Sequence[Planned], needed: Collection[int]) -> list[int]:
    """The steps before which it is cut, such that the values there and the largest segment take the least memory."""
    alive = _alive(planned, needed)
    total = sum(p.made for p in planned)
    found: list[list[int]] = []
    for parts in range(1, 2 * math.isqrt(len(planned)) + 2):
        cuts = _cut(planned, alive, total / parts)
        if not found or cuts != found[-1]:
            found.append(cuts)

    def memory(cuts: list[int]) -> float:
        largest = max(sum(p.made for p in planned[a:b]) for a, b in pairwise([0, *cuts, len(planned)]))
        return sum(alive[c] for c in cuts) + largest

    return min(found, key=memory)


def _cut(planned: Sequence[Planned], alive: Sequence[int], limit: float) -> list[int]:
    """Segments that make up to `limit` elements each, if that can be; cut where the least is alive in their second half."""
    cuts: list[int] = []
    begin, number = 0, len(planned)
    while begin < number:
        end, made = begin + 1, planned[begin].made
        cut = end
        while end < number and not (planned[end].once or planned[end - 1].once):
            made += planned[end].made
            if made > limit:
                break
            end += 1
            if made <= limit / 2 or alive[end] <= alive[cut]:
                cut = end
        if end < number and (planned[end].once or planned[end - 1].once):
            cut = end
        begin = number if end == number else cut
        cuts.append(begin)
    return cuts[:-1]


def _alive(planned: Sequence[Planned], needed: Collection[int]) -> list[int]:
    """For each step, and for the end, how many elements there are before it that are still used."""
    made: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, part in enumerate(planned):
        _, inputs, output = part.step
        last.update((slot, number) for slot in inputs if slot in made)
        made.setdefault(output, number)
    changes = [0] * (len(planned) + 2)
    for slot, number in last.items():
        if slot not in needed:  # those are there anyway
            changes[made[slot] + 1] += planned[made[slot]].result
            changes[number + 1] -= planned[made[slot]].result
    return list(accumulate(changes))


# --- running ---------------------------------------------------------------------------------------------------------


class Segment:
    """Steps that run again on the way back. Called with the values of the places `inputs`, gives those of `outputs`."""

    def __init__(
        self, parts: Sequence[Planned], needed: Collection[int], changed: Collection[int], environment: Environment
    ) -> None:
        self._stretch = Stretch([p.step for p in parts], needed)
        self.inputs, self.outputs = self._stretch.inputs, self._stretch.outputs
        self._changed = {i for i, slot in enumerate(self.inputs) if slot in changed}
        self._random = [r for p in parts for r in p.random]
        self._environment = environment

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        if any(layout.goes_on for layout in self._environment.layouts.values()):
            return self._stretch(*values)
        plain = [None if i in self._changed else v for i, v in enumerate(values)]
        now = {self.inputs[i]: values[i] for i in self._changed}
        before = {slot: _copied(v) for slot, v in now.items()}
        states = [r.state() for r in self._random]
        done = False

        def run(*given: Any) -> tuple[Any, ...]:
            nonlocal done
            known = dict(zip(self.inputs, given, strict=True))
            if not done:
                done = True
                return self._stretch.run(known | now)
            with ExitStack() as stack:
                for operation, state in zip(self._random, states, strict=True):
                    stack.enter_context(_drawing_again(operation, state))
                return self._stretch.run(known | before)

        return checkpoint(run, *plain, use_reentrant=False, preserve_rng_state=False, early_stop=False)


def _copied(value: Tensor) -> Tensor:
    return value.detach().clone().requires_grad_(value.requires_grad)


@contextmanager
def _drawing_again(operation: RandomOperation, state: object) -> Iterator[None]:
    """The numbers that came after `state`; then it goes on as if nothing had been drawn."""
    now = operation.state()
    operation.restore(state)
    try:
        yield
    finally:
        operation.restore(now)
