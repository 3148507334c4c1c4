"""Sliding windows written down once more, as plainly as possible: what convolutions and poolings are checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Cells = list[list[int]]
"""For each position of the window along an axis the cells below it, which may lie outside."""


def along(size: int, kernel: int, stride: int = 1, auto: bool = False, lower: int = 0, upper: int = 0,
          dilation: int = 1, ceil: bool = False) -> Cells:  # fmt: skip
    """Automatic padding centres the window on every stride-th cell, with as much left over on both sides."""
    reach = (kernel - 1) * dilation
    if auto:
        count = (size - 1) // stride + 1
        begin = (size - (count - 1) * stride - 1) // 2 - reach // 2
    else:
        room = size + lower + upper - reach - 1
        count = (-(-room // stride) if ceil else room // stride) + 1
        begin = -lower
    return [[begin + i * stride + k * dilation for k in range(kernel)] for i in range(count)]


def at(image: NDArray, cells: Sequence[int]) -> float | None:
    """The element of an array of reversed dims at (x, y, ...); None outside."""
    inside = all(0 <= c < d for c, d in zip(cells, image.shape[::-1], strict=True))
    return image[tuple(cells[::-1])] if inside else None


def positions(axes: Sequence[Cells]) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """Each position (x, y, ...) and the cells of its window, the first axis fastest."""
    for place in product(*(range(len(a)) for a in axes[::-1])):
        window = [a[p] for a, p in zip(axes, place[::-1], strict=True)]
        yield place[::-1], [cells[::-1] for cells in product(*window[::-1])]


def convolved(image: NDArray, axes: Sequence[Cells], weights: Callable[[tuple[int, ...], int, int], float],
              maps: int) -> NDArray:  # fmt: skip
    """One image (reversed dims) to (maps, *positions reversed); `weights(position, map, cell of the window)`."""
    result = np.zeros((maps, *(len(a) for a in axes[::-1])))
    for place, window in positions(axes):
        for m in range(maps):
            terms = [weights(place, m, k) * (at(image, cells) or 0.0) for k, cells in enumerate(window)]
            result[(m, *place[::-1])] = sum(terms)
    return result


def pooled(image: NDArray, axes: Sequence[Cells], pool: Callable[[list[float], int], float]) -> NDArray:
    """One image to its positions; `pool(values inside, size of the window)`."""
    result = np.zeros(tuple(len(a) for a in axes[::-1]))
    for place, window in positions(axes):
        values = [v for cells in window if (v := at(image, cells)) is not None]
        result[place[::-1]] = pool(values, len(window))
    return result


def places_of_maxima(image: NDArray, axes: Sequence[Cells]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """For each position the place of the first maximum of its window; both as indices of arrays."""
    found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for place, window in positions(axes):
        inside = [cells for cells in window if at(image, cells) is not None]
        best = max(inside, key=lambda cells: image[cells[::-1]])  # the first of equal ones
        found.append((place[::-1], best[::-1]))
    return found
