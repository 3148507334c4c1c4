"""Picking elements by index."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import check, p, x
from numpy.typing import NDArray


def test_gather() -> None:
    indices = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])

    def formula(i: NDArray, table: NDArray) -> NDArray:
        return table[i.astype(int)]  # the last axis of [4 x 3] comes first in a tensor

    check("Gather", [x(2, values=indices), p(4, 3)], formula, gradient=False)


@pytest.mark.parametrize(("axis", "place"), [(0, -1), (1, 1), (-1, 1)])
def test_one_hot(axis: int, place: int) -> None:
    indices = np.array([[2, 0], [1, 5], [0, 2], [-1, 2]])

    def formula(i: NDArray) -> NDArray:
        return (np.expand_dims(i, place) == np.arange(3).reshape((-1, 1) if place == 1 else (-1,))).astype(float)

    check("OneHot", [x(2, values=indices)], formula, {"numClass": 3, "axis": axis}, gradient=False)


def test_top_k() -> None:
    check("TopK", [x(5)], lambda a: -np.sort(-a, axis=1)[:, :2], {"numItems": 2})
    check("TopK", [x(4, 2)], lambda a: -np.sort(-a, axis=2)[:, :, :1], {"numItems": 1})
