"""Which sequences a minibatch holds, where they lie in the reference's matrix, and in which order ours keeps the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from math import prod
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from bsls.shape import Shape

Indices = NDArray[np.int64]
T = TypeVar("T")


class MinibatchLayout:
    """The sequences of a minibatch along one dynamic axis.

    Two views of the same frames:

    - *packed*: a value is a tensor (frames, ...) without gaps, time-major: frame 0 of every sequence, then frame 1, and
      so on; within a time step the longest sequence comes first, equally long ones in the order read. That is the order
      of torch's `PackedSequence`: step t of a recurrence is one slice of `batch_sizes[t]` rows, and the sequences that
      go on are the first rows of it. Where all sequences have one frame, frame i is simply sequence i.
    - *the reference's*: a matrix of `rows` parallel rows and `width` time steps, in which sequence i lies in row
      `row[i]` from step `begin[i]` on; what no sequence covers is gap. Its column for time t of row s is t * rows + s.
      Masks of dropout, packed indices and sample counts of some actions depend on it.

    A sequence of which this minibatch holds only a part (truncated backpropagation) has a `begin` below 0 if it began
    in an earlier minibatch, and goes on if it ends behind `width`. `lengths`, `frames` and the packed view count the
    visible part only.
    """

    def __init__(self, row: ArrayLike, begin: ArrayLike, length: ArrayLike, rows: int, width: int) -> None:
        self.row: Indices = np.asarray(row, np.int64)
        self.begin: Indices = np.asarray(begin, np.int64)
        self.length: Indices = np.asarray(length, np.int64)
        self.rows = rows
        self.width = width
        self._memo: dict[tuple[object, ...], Any] = {}

    @classmethod
    def of_frames(cls, n: int) -> MinibatchLayout:
        """`n` sequences of one frame each."""
        return cls(np.arange(n), np.zeros(n, np.int64), np.ones(n, np.int64), n, 1 if n else 0)

    @classmethod
    def packed(cls, lengths: Sequence[int] | Indices) -> MinibatchLayout:
        """Whole sequences, placed as the reference does: each, in the order read, at the end of the first row in which
        it fits, where all rows are as long as the longest sequence."""
        lengths = np.asarray(lengths, np.int64)
        n = len(lengths)
        width = int(lengths.max()) if n else 0
        if width == 1 and lengths.min() == 1:
            return cls.of_frames(n)
        row, begin = np.zeros(n, np.int64), np.zeros(n, np.int64)
        used = np.zeros(n, np.int64)  # frames of each row so far
        rows = 0
        for i, length in enumerate(lengths.tolist()):
            fits = used[:rows] + length <= width
            s = int(fits.argmax()) if rows else 0
            if rows == 0 or not fits[s]:
                s = rows
                rows += 1
            row[i], begin[i] = s, used[s]
            used[s] += length
        return cls(row, begin, lengths, rows, width)

    @property
    def sequences(self) -> int:
        """Number of sequences (or visible parts of some)."""
        return len(self.length)

    @cached_property
    def lengths(self) -> Indices:
        """Number of visible frames of each sequence, in the order read."""
        return np.minimum(self.begin + self.length, self.width) - np.maximum(self.begin, 0)

    @cached_property
    def frames(self) -> int:
        """Number of frames without gaps."""
        return int(self.lengths.sum())

    @property
    def matrix_columns(self) -> int:
        """Number of columns of the reference's matrix, gaps included."""
        return self.rows * self.width

    @cached_property
    def is_frames(self) -> bool:
        """Whether every sequence is a single frame: then frame i is sequence i is column i."""
        if self.width > 1 or not self.rows == self.sequences == self.frames:
            return False
        return bool((self.row == np.arange(self.rows)).all())

    @property
    def has_gaps(self) -> bool:
        return self.frames < self.matrix_columns

    @cached_property
    def order(self) -> Indices:
        """The sequences (their places in the order read) as the packed view takes them: longest first."""
        return np.argsort(-self.lengths, kind="stable")

    @cached_property
    def batch_sizes(self) -> Indices:
        """Number of sequences that have a frame at time 0, 1, ..., as `PackedSequence.batch_sizes`."""
        lengths = self.lengths
        steps = int(lengths.max()) if len(lengths) else 0
        return len(lengths) - np.searchsorted(np.sort(lengths), np.arange(steps), side="right")

    @cached_property
    def step_starts(self) -> Indices:
        """Place of the first packed frame of time 0, 1, ...; one more element for the end of the last."""
        return np.concatenate([[0], np.cumsum(self.batch_sizes)])

    @cached_property
    def places(self) -> Indices:
        """Place of each sequence (in the order read) within `order`: its row in a time step."""
        places = np.empty(self.sequences, np.int64)
        places[self.order] = np.arange(self.sequences)
        return places

    def packed_places(self, sequence: Indices, time: Indices) -> Indices:
        """Places of frames in the packed view, given their sequences (in the order read) and visible times."""
        return self.step_starts[time] + self.places[sequence]

    @cached_property
    def goes_on(self) -> bool:
        """Whether a sequence began before this minibatch or ends behind it (truncated backpropagation)."""
        return bool((self.begin < 0).any() or (self.begin + self.length > self.width).any())

    @cached_property
    def frame_time(self) -> Indices:
        """Time of each packed frame, counted from the first visible frame of its sequence."""
        return np.repeat(np.arange(len(self.batch_sizes)), self.batch_sizes)

    @cached_property
    def frame_sequence(self) -> Indices:
        """Sequence (place in the order read) of each packed frame."""
        if self.is_frames:
            return np.arange(self.sequences)
        return self.order[np.arange(self.frames) - self.step_starts[self.frame_time]]

    @cached_property
    def columns(self) -> torch.Tensor:
        """The reference's column of each packed frame (int64)."""
        if self.is_frames:
            return torch.arange(self.sequences)
        time = np.maximum(self.begin, 0)[self.frame_sequence] + self.frame_time
        return torch.from_numpy(time * self.rows + self.row[self.frame_sequence])

    @cached_property
    def packed_of_column(self) -> Indices:
        """The packed frame in each of the reference's columns; -1 for gaps."""
        found = np.full(self.matrix_columns, -1, np.int64)
        found[self.columns.numpy()] = np.arange(self.frames)
        return found

    @cached_property
    def by_sequence(self) -> torch.Tensor:
        """The packed frames in reading order (int64): first those of the first sequence, then those of the next."""
        if self.is_frames:
            return torch.arange(self.sequences)
        return torch.from_numpy(np.lexsort((self.frame_time, self.frame_sequence)))

    def remembered(self, key: tuple[object, ...], compute: Callable[[MinibatchLayout], T]) -> T:
        """What was computed of this layout under that key, or is now."""
        found = self._memo.get(key)
        if found is None:
            found = self._memo[key] = compute(self)
        return found

    def same_as(self, other: MinibatchLayout) -> bool:
        """Whether both lay out sequences of the same lengths at the same places."""
        return self is other or (
            (self.rows, self.width, self.sequences) == (other.rows, other.width, other.sequences)
            and np.array_equal(self.length, other.length)
            and np.array_equal(self.begin, other.begin)
            and np.array_equal(self.row, other.row)
        )

    def __repr__(self) -> str:
        return f"MinibatchLayout({self.sequences} sequences, {self.frames} frames in {self.rows} x {self.width})"


def sequences(shape: Shape, value: torch.Tensor, layout: MinibatchLayout | None) -> Iterator[NDArray[Any]]:
    """The sequences of a node's value in reading order, each as (samples, elements).

    A value without dynamic axis is a single sequence that consists of the columns of its matrix.
    """
    array = value.detach().cpu().numpy()
    if layout is None:
        rows = shape.dims[0] if shape.dims else 1
        yield array.reshape(-1, rows)
        return
    flat = array.reshape(len(array), prod(array.shape[1:]))
    if layout.is_frames:
        yield from np.split(flat, len(flat)) if len(flat) else ()
        return
    ordered = flat[layout.by_sequence.numpy()]
    yield from np.split(ordered, np.cumsum(layout.lengths)[:-1])
