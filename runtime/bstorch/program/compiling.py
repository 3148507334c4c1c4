"""`compile = true`: element-wise operations and products outside loops, where they follow one another, run as one function
that torch compiles. Their numbers are the same but for rounding.

The first minibatch takes as long as the compiler does, often a minute; that can be worth it for long trainings of large
networks, above all on a GPU. Where it fails, for the lack of a compiler or for whatever reason, a line says so and everything
goes on without.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

from bstorch.kernels.elementwise import ARITHMETIC, COMPARISONS, UNARY
from bstorch.program.stretch import Step, Stretch

COMPILED = frozenset(
    {*UNARY, *ARITHMETIC, *COMPARISONS, "Clip", "If", "LogSoftmax", "Softmax", "Times", "TransposeTimes"}
)
"""Operations that may be compiled: functions of tensors that look at nothing else."""


@dataclass(slots=True)
class Compiling:
    """What the regions of a program share: how they are compiled, and whether that has failed."""

    say: Callable[[str], None]
    backend: str = "inductor"
    failed: bool = field(default=False, init=False)

    def give_up(self, error: Exception) -> None:
        """Says why, once; nothing is compiled any more."""
        if not self.failed:
            self.failed = True
            self.say(f"WARNING: compile = true has no effect: {_reason(error)}.")


def _reason(error: Exception) -> str:
    text = f"{type(error).__name__} {error}"
    if "InvalidCxxCompiler" in text or "No working C++ compiler" in text:
        return "PyTorch finds no C++ compiler"
    if "TritonMissing" in text or "find a working triton" in text:
        return "PyTorch finds no Triton, which compiles for GPUs"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"PyTorch cannot compile the network ({lines[0].rstrip('.:') if lines else type(error).__name__})"


def compiled(
    steps: Sequence[tuple[Step, bool]],
    framed: Collection[int],
    needed: Collection[int],
    new_place: Callable[[], int],
    compiling: Compiling,
) -> list[Step]:
    """The steps, where those that may be compiled (True beside them) and follow one another are one; `framed` are the
    places of values with frames in front, `needed` those that are looked at afterwards, `new_place` gives one more."""
    last: dict[int, int] = dict.fromkeys(needed, len(steps))
    for number, ((_, inputs, _), _) in enumerate(steps):
        last.update((slot, max(last.get(slot, 0), number)) for slot in inputs)
    result: list[Step] = []
    end = 0
    for may, group in groupby(steps, itemgetter(1)):
        parts = [step for step, _ in group]
        end += len(parts)
        if not may or len(parts) < 2:
            result += parts
            continue
        region = Region(Stretch(parts, [s for s, n in last.items() if n >= end]), framed, compiling)
        place = new_place()
        result.append((region, region.inputs, place))
        result += [(itemgetter(k), (place,), slot) for k, slot in enumerate(region.outputs)]
    return result


class Region:
    """Steps that are compiled as one; called as a `Stretch`."""

    def __init__(self, stretch: Stretch, framed: Collection[int], compiling: Compiling) -> None:
        self.inputs, self.outputs = stretch.inputs, stretch.outputs
        self._stretch = stretch
        self._framed = [i for i, slot in enumerate(self.inputs) if slot in framed]
        self._compiling = compiling
        self._function = torch.compile(_as_function(stretch), backend=compiling.backend, fullgraph=True)
        self._tried = False

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        if self._compiling.failed:
            return self._stretch(*values)
        for i in self._framed:
            torch._dynamo.maybe_mark_dynamic(values[i], 0)  # type: ignore[attr-defined]
        try:
            if not self._tried:
                self._try(values)
                self._tried = True
            return self._function(*values)
        except Exception as error:  # whatever a compiler may raise; what is not its fault comes again
            result = self._stretch(*values)
            self._compiling.give_up(error)
            return result

    def _try(self, values: Sequence[Tensor]) -> None:
        """Runs it there and back, so that what may fail fails here."""
        given = [v.detach().requires_grad_(v.requires_grad) for v in values]
        for i in self._framed:
            torch._dynamo.maybe_mark_dynamic(given[i], 0)  # type: ignore[attr-defined]
        found = [v.sum() for v in self._function(*given) if v.requires_grad]
        if found:
            torch.autograd.grad(found, [g for g in given if g.requires_grad], allow_unused=True)


def _as_function(stretch: Stretch) -> Callable[..., Any]:
    """The stretch as a function with a code object of its own: what is compiled is kept by code object, a few for each."""
    steps, inputs, outputs = stretch.steps, stretch.inputs, stretch.outputs

    def region(*values: Tensor) -> tuple[Tensor, ...]:
        known = dict(zip(inputs, values, strict=True))
        for function, taken, output in steps:
            known[output] = function(*[known[i] for i in taken])
        return tuple(known[slot] for slot in outputs)

    return FunctionType(region.__code__.replace(), region.__globals__, region.__name__, None, region.__closure__)
