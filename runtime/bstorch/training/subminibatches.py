"""Minibatches in several parts (`numSubminibatches`, `maxSamplesInRAM`): for those that are too large for the memory at once.

The parallel rows of a minibatch are cut into groups. Each runs forward and backward by itself; gradients and criteria are
added up, and the parameters are changed once. So batch normalization takes the statistics of a group, and dropout draws
for one group after the other, as in the reference.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from bsls.config.sgd import Parts
from bstorch.kernels.delays import Delay
from bstorch.program.layout import Indices, MinibatchLayout
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch, Values
from bstorch.training.criteria import SampleCounter, accumulates


def wanted_groups(parts: Parts, minibatch_size: int) -> int:
    """Into how many groups minibatches of that size are cut, if they have so many parallel rows; 1: they stay whole."""
    if parts.number > 1 or parts.most_samples is None:
        return max(1, parts.number)
    return max(1, -(-minibatch_size // parts.most_samples))


def note(parts: Parts, minibatch_size: int) -> str:
    """What the log adds to the line about the start of the minibatch loop."""
    groups = wanted_groups(parts, minibatch_size)
    if groups == 1:
        return ""
    most = parts.most_samples
    return f", with {groups} subminibatch" if most is None else f", with maximum {most} samples in RAM"


class Subminibatches:
    """Runs the minibatches of one epoch in `groups` parts each; what delays keep of the minibatch before is per part."""

    def __init__(self, program: Program, groups: int, count: SampleCounter) -> None:
        self._program = program
        self._count = count
        self.samples: list[int] = []
        """How many samples of the last minibatch count for each criterion."""
        self._groups = groups
        self._delays = [s for s in program.environment.stateful if isinstance(s, Delay)]
        self._kept: dict[int, list[list[Tensor]]] = {}
        self._accumulating = [accumulates(n) for n in program.roots]

    def run(self, minibatch: Minibatch, *, updating: bool) -> tuple[list[Tensor], list[Tensor | None]]:
        """As `Program.gradients`, or without `updating` as `Program.forward` (and no gradients)."""
        values: list[Tensor] = []
        gradients: list[Tensor | None] = []
        parts = split(minibatch, self._groups) if self._groups > 1 else iter([(0, minibatch)])
        whole, counts = True, []
        for number, part in parts:
            whole = part is minibatch
            self._restore(number)
            found, of_part = self._program.gradients(part) if updating else (self._program.forward(part), [])
            self._kept[number] = [d.kept() for d in self._delays]
            samples = self._count()
            if whole:
                self.samples = samples
                return found, of_part
            counts = self._summed(counts, samples) if counts else samples
            found = [v.detach() if v.numel() == 1 else v.detach().sum() for v in found]
            values = self._added(values, found) if values else found
            gradients = [_sum(a, b) for a, b in zip(gradients, of_part, strict=True)] if gradients else of_part
        self.samples = counts
        return values, gradients

    def _summed(self, before: list[int], now: list[int]) -> list[int]:
        return [
            b if accumulating else a + b for a, b, accumulating in zip(before, now, self._accumulating, strict=True)
        ]

    def _restore(self, number: int) -> None:
        for delay, kept in zip(self._delays, self._kept.get(number, [[]] * len(self._delays)), strict=True):
            delay.take(kept)

    def kept(self) -> dict[int, list[list[Tensor]]]:
        """What the delays of each part keep of the minibatch before."""
        return self._kept

    def take(self, kept: dict[int, list[list[Tensor]]]) -> None:
        """Goes on from what `kept` gave."""
        self._kept = kept

    def _added(self, before: list[Tensor], now: list[Tensor]) -> list[Tensor]:
        """The criteria so far; a mean over the epoch stands for itself."""
        return [
            b if accumulating else a + b.view_as(a)
            for a, b, accumulating in zip(before, now, self._accumulating, strict=True)
        ]


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return b + a if a.is_sparse and not b.is_sparse else a + b  # torch adds a sparse one to a dense one only


def split(minibatch: Minibatch, groups: int) -> Iterator[tuple[int, Minibatch]]:
    """The groups that hold a sample, with their numbers; the minibatch itself where it has a single row.

    Group i of n has the rows [rows * i / n, rows * (i + 1) / n) of the first stream's layout, and all streams of the
    sequences in these.
    """
    layout = minibatch.layout
    groups = min(groups, layout.rows)
    if groups <= 1:
        yield 0, minibatch
        return
    for number in range(groups):
        first, end = layout.rows * number // groups, layout.rows * (number + 1) // groups
        sequences = np.flatnonzero((layout.row >= first) & (layout.row < end))
        if len(sequences):
            yield number, _part(minibatch, sequences, first, end)


def _part(minibatch: Minibatch, sequences: Indices, first: int, end: int) -> Minibatch:
    values: Values = {}
    layouts: dict[str, MinibatchLayout] = {}
    made: dict[int, tuple[MinibatchLayout, Tensor]] = {}
    for name, value in minibatch.values.items():
        layout = minibatch.layouts[name]
        if id(layout) not in made:
            part = _selected(layout, sequences, first, end, same=layout.same_as(minibatch.layout))
            places = layout.packed_places(sequences[part.frame_sequence], part.frame_time)
            made[id(layout)] = part, torch.from_numpy(places)
        layouts[name], places = made[id(layout)]
        values[name] = (
            value.take(places) if isinstance(value, SparseBatch) else value.index_select(0, places.to(value.device))
        )
    keys = [minibatch.keys[i] for i in sequences.tolist()]
    return Minibatch(values, layouts, minibatch.samples, keys, minibatch.first_sequence)  # type: ignore[arg-type]


def _selected(layout: MinibatchLayout, sequences: Indices, first: int, end: int, *, same: bool) -> MinibatchLayout:
    """The layout of some sequences; on another dynamic axis than the first stream's they are placed anew."""
    if not same:
        return MinibatchLayout.packed(layout.lengths[sequences])
    row, begin, length = layout.row[sequences] - first, layout.begin[sequences], layout.length[sequences]
    return MinibatchLayout(row, begin, length, end - first, layout.width)
