"""Operations that only move elements."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import check, compiled, make_node, p, x
from test_kernels_delays import packed, unpacked

from bsls.finding import BsError
from bstorch.kernels.base import Environment, axis_of
from bstorch.kernels.reshaping import legacy_reshape
from bstorch.program.layout import MinibatchLayout


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


def test_old_reshape_makes_an_image():
    check("LegacyReshape", [x(6)], lambda a: a.reshape(len(a), 1, 6, 1), {"numRows": 6})
    image = {"numRows": 6, "imageWidth": 2, "imageHeight": 3}
    check("LegacyReshape", [x(3, 2)], lambda a: a.reshape(len(a), 1, 3, 2), image)


@pytest.mark.parametrize(("rows", "before", "after"), [
    (4, [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 0], [1, 2]]], [[[1, 2, 3, 4]], [[5, 6, 7, 8]], [[9, 0, 1, 2]]]),
    (1, [[[1, 2]], [[3, 4]], [[5, 6]]], [[[1], [2]], [[3], [4]], [[5], [6]]]),
    (6, [[[1, 2], [3, 4], [5, 6]]], [[[1, 2, 3, 4, 5, 6]]]),
    (4, [], []),
    (1, [], []),
])  # fmt: skip
def test_old_reshape_stacks_and_splits_frames(rows, before, after):
    layout = MinibatchLayout.packed([len(s) for s in before])
    node = make_node("LegacyReshape", [x(2)], {"numRows": rows})
    environment = Environment(layouts={axis_of(node.inputs[0]): layout})
    forward = legacy_reshape(node, environment)
    values = packed(layout, [np.array(s, np.float64) for s in before]) if before else torch.zeros(0, 2)
    found = forward(values)
    made = environment.layouts[axis_of(node)]
    assert tuple(found.shape) == (made.frames, 1, rows, 1)
    assert made.lengths.tolist() == [len(s) for s in after]
    if before:
        assert [s[:, 0, :, 0].tolist() for s in unpacked(made, found)] == after
        assert torch.autograd.gradcheck(forward, [values.requires_grad_(True)])


@pytest.mark.parametrize(("rows", "lengths", "words"), [
    (4, [2, 1], "each sequence of 'in0' needs 2 frames, but there are 1 to 2 frames"),
    (4, [3], "needs 2 frames, but there are 3 frames"),
    (1, [2, 2], "needs one frame, but there are 2 frames"),
])  # fmt: skip
def test_old_reshape_of_sequences_that_do_not_fit(rows, lengths, words):
    layout = MinibatchLayout.packed(lengths)
    with pytest.raises(BsError, match=words):
        compiled(make_node("LegacyReshape", [x(2)], {"numRows": rows}), layout=layout)(torch.ones(layout.frames, 2))


def test_old_reshape_without_frames_keeps_the_elements():
    check("LegacyReshape", [p(6)], lambda a: a.reshape(1, 6, 1), {"numRows": 6})
    with pytest.raises(BsError, match="'node' would have 12 elements, but 'in0' has 6"):
        compiled(make_node("LegacyReshape", [p(6)], {"numRows": 12}))
