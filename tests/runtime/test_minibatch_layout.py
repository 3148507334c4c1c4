"""Placing of sequences in the reference's matrix, and the packed order of the frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bsls.shape import Shape
from bstorch.program.layout import MinibatchLayout, sequences


def test_frames() -> None:
    layout = MinibatchLayout.packed([1, 1, 1])
    assert layout.is_frames and not layout.has_gaps
    assert (layout.rows, layout.width, layout.frames, layout.sequences) == (3, 1, 3, 3)
    assert layout.columns.tolist() == layout.frame_sequence.tolist() == layout.by_sequence.tolist() == [0, 1, 2]
    assert layout.batch_sizes.tolist() == [3]


@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [1, 0]])
def test_without_frames(lengths: list[int]) -> None:
    layout = MinibatchLayout.packed(lengths)
    assert layout.is_frames == (not lengths)  # a sequence without frames is not one of one frame
    assert (layout.frames, layout.sequences) == (sum(lengths), len(lengths))
    assert layout.frame_sequence.tolist() == layout.frame_time.tolist() == layout.columns.tolist() == [0] * sum(lengths)
    assert [len(s) for s in sequences(Shape((2,)), torch.ones(sum(lengths), 2), layout)] == lengths


def test_first_fit() -> None:
    layout = MinibatchLayout.packed([3, 8, 3, 3])
    assert layout.row.tolist() == [0, 1, 0, 2]
    assert layout.begin.tolist() == [0, 0, 3, 0]
    assert (layout.rows, layout.width, layout.frames, layout.matrix_columns) == (3, 8, 17, 24)
    assert layout.has_gaps and not layout.is_frames


def test_packed_order_and_columns() -> None:
    layout = MinibatchLayout.packed([1, 3, 2])
    assert layout.row.tolist() == [0, 1, 0]  # the third fits behind the first
    assert layout.order.tolist() == [1, 2, 0]
    assert layout.frame_sequence.tolist() == [1, 2, 0, 1, 2, 1]
    assert layout.frame_time.tolist() == [0, 0, 0, 1, 1, 2]
    assert layout.columns.tolist() == [1, 2, 0, 3, 4, 5]
    assert layout.by_sequence.tolist() == [2, 0, 3, 5, 1, 4]


def test_parts_of_sequences() -> None:
    # Two rows of four steps: the first goes on from before and ends here, the third goes on behind.
    layout = MinibatchLayout([0, 0, 1], [-2, 1, 0], [3, 2, 6], 2, 4)
    assert layout.lengths.tolist() == [1, 2, 4]
    assert layout.frames == 7 and layout.has_gaps
    assert layout.order.tolist() == [2, 1, 0]
    assert layout.columns.tolist() == [1, 2, 0, 3, 4, 5, 7]


def test_same_as() -> None:
    assert MinibatchLayout.packed([2, 1]).same_as(MinibatchLayout.packed([2, 1]))
    assert not MinibatchLayout.packed([2, 1]).same_as(MinibatchLayout.packed([1, 2]))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_is_the_order_of_packed_sequence(lengths: list[int]) -> None:
    layout = MinibatchLayout.packed(lengths)
    sequences = [torch.tensor([[i, t] for t in range(length)]) for i, length in enumerate(lengths)]
    packed = torch.nn.utils.rnn.pack_sequence([sequences[i] for i in layout.order], enforce_sorted=True)
    assert packed.batch_sizes.tolist() == layout.batch_sizes.tolist()
    assert packed.data.tolist() == np.stack([layout.frame_sequence, layout.frame_time], 1).tolist()
    columns = layout.columns.tolist()
    assert len(set(columns)) == layout.frames == sum(lengths)
    assert max(columns) < layout.matrix_columns
    assert torch.cat(sequences).tolist() == packed.data[layout.by_sequence].tolist()
