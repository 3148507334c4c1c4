"""Values of which many frames are the same, kept once, with the list of which is where.

A loop that uses such a value takes the few rows that it needs in a step without copying them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from bstorch.program.layout import Indices, MinibatchLayout


@dataclass(frozen=True, slots=True)
class Held:
    """Frame i is row `index[i]` of `data`."""

    data: Tensor
    index: Indices

    @classmethod
    def of(cls, data: Tensor, index: Indices, layout: MinibatchLayout) -> Held:
        """With the rows in the order of the sequences, where each of these has the same row in all its frames."""
        if len(layout.batch_sizes) == 0:
            return cls(data, index)
        rows = np.arange(layout.frames) - layout.step_starts[layout.frame_time]
        first = index[: layout.batch_sizes[0]]
        if not np.array_equal(first[rows], index):
            return cls(data, index)
        if len(first) != len(data) or not np.array_equal(first, np.arange(len(data))):
            data = data.index_select(0, torch.from_numpy(first).to(data.device))
        return cls(data, rows)

    def dense(self) -> Tensor:
        return self.data.index_select(0, torch.from_numpy(self.index).to(self.data.device))

    def split(self, sizes: Sequence[int]) -> list[Tensor]:
        """The frames of each time step. Where they are the first rows of `data`, no copies."""
        return [p.data for p in self.pieces(sizes)]

    def pieces(self, sizes: Sequence[int]) -> list[Piece]:
        """As `split`, with the places in which gradients are added up."""
        index, begins = self.index, np.concatenate([[0], np.cumsum(sizes)])
        if (
            not sizes
            or max(sizes) > len(self.data)
            or not np.array_equal(index, np.arange(len(index)) - np.repeat(begins[:-1], sizes))
        ):
            return [
                Piece(self.data.index_select(0, torch.from_numpy(i).to(self.data.device)), None)
                for i in np.split(index, begins[1:-1])
            ]
        different, total = sorted(set(sizes)), Total(self.data)
        rows = FirstRows.apply(self.data, different, total)
        pieces = {size: Piece(data, total) for size, data in zip(different, rows, strict=True)}
        return [pieces[size] for size in sizes]


class Total:
    """The sum of the gradients that the users of a tensor's first rows give."""

    def __init__(self, like: Tensor) -> None:
        self._like = like.detach()
        self._sum: Tensor | None = None

    def first(self, rows: int) -> Tensor:
        """The part for the first rows, to be added to."""
        if self._sum is None:
            self._sum = torch.zeros_like(self._like)
        return self._sum[:rows]

    def take(self) -> Tensor | None:
        """The sum, which begins anew."""
        found, self._sum = self._sum, None
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """The first rows of a tensor. Whoever adds their gradient to the total, where there is one, hands on none."""

    data: Tensor
    total: Total | None


class FirstRows(Function):
    """The first rows of a tensor, as many as each of `sizes` says, without copies; gradients are added up in one place."""

    @staticmethod
    def forward(ctx: Any, data: Tensor, sizes: Sequence[int], total: Total) -> tuple[Tensor, ...]:
        ctx.total = total
        ctx.set_materialize_grads(False)
        return tuple(data[:size] for size in sizes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None]:
        for gradient in gradients:
            if gradient is not None:
                ctx.total.first(len(gradient)).add_(gradient)
        return ctx.total.take(), None, None
