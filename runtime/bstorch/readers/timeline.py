"""The order in which sequences are read: sweeps, shuffling, epochs and the cutting into minibatches, as the reference does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bstorch.random import Generator

Indices = NDArray[np.int64]

_WORDS = 1 << 16  # random words drawn at once


@dataclass(frozen=True, slots=True)
class Shuffling:
    """How far sequences are moved: `window` chunks, or samples if `in_samples`; None means everything.

    The seed of sweep k (from 0) is `seed` + k.
    """

    window: int | None = None
    in_samples: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the data: the sequences in their order, and how many samples come before each (and the total)."""

    order: Indices
    begin: Indices


class Timeline:
    """The endless row of sweeps over a data set.

    `samples` is the number of samples of each sequence, `chunks` the first sequence of each chunk and the number of
    sequences. Without `shuffling` every sweep is in the order of the data.

    One thing of the reference is left out: where it goes back within a sweep, it shuffles anew with a seed that lacks
    `Shuffling.seed`.
    """

    def __init__(self, samples: Indices, chunks: Indices, shuffling: Shuffling | None = None) -> None:
        self.samples = np.asarray(samples, np.int64)
        self.chunks = np.asarray(chunks, np.int64)
        self.shuffling = shuffling
        self.total = int(self.samples.sum())
        """Samples of a sweep."""
        self.widest_window = 1
        """Over how many chunks the sequences of a place in the current sweep may be spread."""
        self._sweep: tuple[int, Sweep] | None = None

    def sweep(self, number: int) -> Sweep:
        """Sweep `number` (from 0)."""
        key = 0 if self.shuffling is None else number
        if self._sweep is None or self._sweep[0] != key:
            order = np.arange(len(self.samples)) if self.shuffling is None else self._shuffled(key)
            self._sweep = key, Sweep(order, np.r_[0, np.cumsum(self.samples[order])])
        return self._sweep[1]

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Indices]:
        """The sequences of each minibatch of an epoch, as `Reader.minibatches` describes it."""
        size = epoch_size or self.total
        position, end = epoch * size, (epoch + 1) * size
        number = position // self.total
        sweep = self.sweep(number)
        first = int(np.searchsorted(sweep.begin[:-1], position - number * self.total))
        while True:
            if first == len(sweep.order):
                number, first = number + 1, 0
                if number * self.total >= end:
                    return
                sweep = self.sweep(number)
            begin = sweep.begin
            limit = int(np.searchsorted(begin[:-1], end - number * self.total))  # these begin behind the epoch
            if first >= limit:
                return
            following = int(np.searchsorted(begin, begin[first] + minibatch_size, side="right")) - 1
            following = min(max(following, first + 1), limit)
            yield sweep.order[first:following]
            first = following

    def _shuffled(self, number: int) -> Indices:
        assert self.shuffling is not None
        seed = self.shuffling.seed + number
        places = shuffled_chunks(len(self.chunks) - 1, seed)
        first, last = self.chunks[places], self.chunks[places + 1]
        order = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        position = np.r_[0, np.cumsum(last - first)]
        samples = np.r_[0, np.cumsum(self.samples)]
        begin, end = self._windows(samples[last] - samples[first])
        self.widest_window = int((end - begin).max())
        generator = Generator(seed)
        if not begin.any() and (end == len(places)).all():
            return _swap_anywhere(order, generator)
        return _swap_within(order, position, begin, end, generator)

    def _windows(self, chunk_samples: Indices) -> tuple[Indices, Indices]:
        """For each place in the row of chunks the first place of its window, and the one behind the last."""
        assert self.shuffling is not None
        n, window = len(chunk_samples), self.shuffling.window
        if window is None:
            return np.zeros(n, np.int64), np.full(n, n)
        half = window // 2
        if not self.shuffling.in_samples:
            width = max(window, 1)
            begin = np.maximum(np.arange(n) - half, 0)
            end = begin + width
            return np.where(end > n, max(n - width, 0), begin), np.minimum(end, n)
        start = (np.cumsum(chunk_samples) - chunk_samples).tolist()
        stop = np.cumsum(chunk_samples).tolist()
        windows: list[tuple[int, int]] = []
        b, e = 0, 1
        for i in range(n):
            while start[i] - start[b] > half:
                b += 1
            b, e = min(b, i), max(e, i + 1)
            while e < n and stop[e] - start[i] < half:
                e += 1
            windows.append((b, e))
        return np.array([w[0] for w in windows]), np.array([w[1] for w in windows])


def shuffled_chunks(n: int, seed: int) -> Indices:
    """The order of `n` chunks: each place is swapped with any other, so not all orders are equally likely."""
    return _swap_anywhere(np.arange(n), Generator(seed))


def _swap_anywhere(order: Indices, generator: Generator) -> Indices:
    """Swaps each place, from the first on, with one drawn from all."""
    items = order.tolist()
    n = len(items)
    for at in range(0, n, _WORDS):
        count = min(_WORDS, n - at)
        for t, j in enumerate((generator.words(count) % np.uint64(n)).tolist(), at):
            items[t], items[j] = items[j], items[t]
    return np.array(items, np.int64)


def _swap_within(order: Indices, position: Indices, begin: Indices, end: Indices, generator: Generator) -> Indices:
    """As `_swap_anywhere`, but no sequence leaves the window of its chunk's place.

    Chunk place k holds the positions [position[k], position[k + 1]) and has the window [begin[k], end[k]). A draw that
    would bring a sequence out of its window is repeated.
    """
    items = order.tolist()
    counts = np.diff(position)
    home = np.repeat(np.arange(len(counts)), counts)  # the chunk place of each position
    places, owner = home.tolist(), home.tolist()  # `owner`: that of the sequence which is there now
    begins, ends = begin.tolist(), end.tolist()
    words = np.empty(0, np.uint64)
    at = 0
    for k in range(len(counts)):
        low = int(position[begins[k]])
        span = np.uint64(int(position[ends[k]]) - low)
        draws = (words[at:] % span).tolist()
        used = 0
        for t in range(int(position[k]), int(position[k + 1])):
            while True:
                if used == len(draws):
                    words, at, used = generator.words(_WORDS), 0, 0
                    draws = (words % span).tolist()
                j = low + draws[used]
                used += 1
                other = places[j]
                if begins[k] <= owner[j] < ends[k] and begins[other] <= owner[t] < ends[other]:
                    break
            items[t], items[j] = items[j], items[t]
            owner[t], owner[j] = owner[j], owner[t]
        at += used
    return np.array(items, np.int64)
