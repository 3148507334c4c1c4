"""Dropout with the reference's masks."""

from __future__ import annotations

import numpy as np
import torch
from kernel_cases import FRAMES, make_node, x

from bstorch import kernels
from bstorch.kernels.base import Environment, shape_of
from bstorch.kernels.noise import Dropout
from bstorch.program.layout import MinibatchLayout

SEED_1 = [0, 0, 0, 0, 0, 2, 0, 0, 2, 2, 0, 2, 2, 0, 0]  # with rate 0.5


def dropout(layout: MinibatchLayout | None = None, training: bool = True) -> Dropout:
    node = make_node("Dropout", [x(3)])
    node.precision = "float"
    axis = shape_of(node).axis
    assert axis is not None
    environment = Environment(training=training)
    environment.layouts[axis] = layout or MinibatchLayout.of_frames(FRAMES)
    found = kernels.get("Dropout").build(node, environment)
    assert isinstance(found, Dropout)
    found.rate = 0.5
    found.seed(1)
    return found


def test_mask_of_the_reference():
    found = dropout()(torch.ones(FRAMES, 3))
    np.testing.assert_array_equal(found.view(-1), SEED_1[:12])


def test_the_stream_runs_on_over_minibatches():
    function = dropout(MinibatchLayout.of_frames(1))
    found = torch.cat([function(torch.ones(1, 3)) for _ in range(5)])
    np.testing.assert_array_equal(found.view(-1), SEED_1)


def test_gaps_use_up_numbers():
    """Sequences of 2 and 1 frames: columns 0, 1 and 2 of a matrix of 2 x 2, packed as frames 0, 0 and 1."""
    layout = MinibatchLayout.packed([1, 2])
    found = dropout(layout)(torch.ones(3, 3))
    expected = np.array(SEED_1[:12]).reshape(4, 3)[layout.columns.numpy()]
    np.testing.assert_array_equal(found, expected)


def test_off_in_inference_and_at_rate_zero():
    ones = torch.ones(FRAMES, 3)
    assert dropout(training=False)(ones) is ones
    function = dropout()
    function.rate = 0.0
    assert function(ones) is ones
