"""Operations that only move elements."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import check, p, x


def test_reshape_keeps_the_memory():
    options = {"shape": (2, 3), "beginAxis": 0, "endAxis": 0}
    check("Reshape", [x(6)], lambda a: a.reshape(len(a), 3, 2), options)
    check("Reshape", [p(6)], lambda a: a.reshape(3, 2), options)
    check("Reshape", [x(6, 2)], lambda a: a.reshape(len(a), 2, 3, 2), options | {"beginAxis": 1, "endAxis": 2})


@pytest.mark.parametrize(
    ("begin", "end", "rows"), [(1, 3, [1, 2]), (0, -1, [0, 1, 2]), (-2, 0, [2, 3]), (2, 0, [2, 3])]
)
def test_slice(begin, end, rows):
    options = {"beginIndex": begin, "endIndex": end, "axis": 1}
    check("Slice", [x(4, 2)], lambda a: a[:, :, rows], options)
    check("Slice", [x(2, 4)], lambda a: a[:, rows, :], options | {"axis": 2})


def test_stack():
    check("RowStack", [x(2), x(3)], lambda a, b: np.concatenate([a, b], 1), {"axis": 1})
    check("RowStack", [x(2, 3), x(2, 1)], lambda a, b: np.concatenate([a, b], 1), {"axis": 2})
    check("RowStack", [x(2), x(2)], lambda a, b: np.stack([a, b], 1), {"axis": 2})


def test_stacked_parameters_are_repeated_for_each_frame():
    check("RowStack", [x(2), p(3)], lambda a, b: np.concatenate([a, np.broadcast_to(b, (len(a), 3))], 1), {"axis": 1})
    check("RowStack", [p(2), p(3)], lambda a, b: np.concatenate([a, b]), {"axis": 1})


def test_repeat():
    check("RowRepeat", [x(3)], lambda a: np.tile(a, (1, 2)), {"numRepeats": 2})
    check("RowRepeat", [x(3, 2)], lambda a: np.tile(a, (1, 2, 1)), {"numRepeats": 2})


def test_diagonal():
    check("Diagonal", [p(3, 3)], lambda a: np.diagonal(a)[:, None])


def test_old_reshape_makes_images():
    check("LegacyReshape", [x(6)], lambda a: a, {"numRows": 6})
    check("LegacyReshape", [x(6)], lambda a: a.reshape(-1, 1, 3, 2), {"numRows": 6, "imageWidth": 2, "imageHeight": 3})


def test_transpose():
    check("TransposeDimensions", [x(3, 2)], lambda a: a.transpose(0, 2, 1), {"axis1": 1, "axis2": 2})
    check("TransposeDimensions", [p(3, 2)], lambda a: a.T, {"axis1": 1, "axis2": 2})
    check("TransposeDimensions", [x(3)], lambda a: a[:, :, None], {"axis1": 1, "axis2": 2})
