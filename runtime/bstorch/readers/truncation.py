"""Truncated backpropagation: sequences follow one another in parallel rows, of which each minibatch is the next piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from bstorch.program.layout import Indices, MinibatchLayout


class _Row:
    """The sequences that wait in a row; `taken` are the samples of the first one that earlier minibatches had."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[int, int]] = deque()  # sequence and length
        self.taken = 0
        self.available = 0

    def append(self, sequence: int, length: int) -> None:
        self.waiting.append((sequence, length))
        self.available += length

    def take(self, steps: int) -> Iterator[tuple[int, int, int]]:
        """The next `steps` samples: each sequence, where it begins (below 0: in an earlier minibatch), and its length."""
        at, end = -self.taken, min(steps, self.available)
        while at < end:
            sequence, length = self.waiting[0]
            yield sequence, at, length
            at += length
            if at <= end:
                self.waiting.popleft()
        self.available -= end
        self.taken = self.waiting[0][1] - (at - end) if at > end else 0


def pieces(
    sequences: Iterator[int], lengths: Indices, rows: int, steps: int
) -> Iterator[tuple[Indices, MinibatchLayout]]:
    """Minibatches of `rows` rows and `steps` time steps: the sequences that they show, row by row, and their layout.

    `lengths` are the samples of each sequence. Before a minibatch, each row in turn gets further sequences as long as it
    holds at most `steps` samples; a row that runs out of them ends in a gap.
    """
    waiting = [_Row() for _ in range(rows)]
    while True:
        for row in waiting:
            while row.available <= steps and (sequence := next(sequences, None)) is not None:
                row.append(sequence, int(lengths[sequence]))
        if not any(row.available for row in waiting):
            return
        shown = [(r, *piece) for r, row in enumerate(waiting) for piece in row.take(steps)]
        where, sequence, begin, length = np.array(shown, np.int64).T
        yield sequence, MinibatchLayout(where, begin, length, rows, steps)
