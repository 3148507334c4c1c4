"""The lines of the log, character by character."""

from __future__ import annotations

import math

import pytest

from bstorch.training import log
from bstorch.training.criteria import Criterion


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.685767269, "0.68576727"),
        (6858064.64123535, "6858064.64123535"),
        (4.84825593e10, "4.84825593e+10"),
        (0.00001234, "1.23400000e-05"),
        (0.0, "0.00000000"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (math.copysign(math.nan, -1), "-nan"),
    ],
)
def test_numbers(value, text):
    assert log.number(value, 8) == text


@pytest.mark.parametrize(
    ("name", "total", "samples", "text"),
    [
        ("ce", 13.7153453, 20, "ce = 0.68576726 * 20"),
        ("errs", 38, 50, "errs = 76.000% * 50"),
        ("loss", 16.8374, 24, "loss = 70.156% * 24"),
        ("errs", 0, 10, "errs = 0.000% * 10"),
        ("errs", 1, 45, "errs = 2.222% * 45"),
        ("ce", 0, 0, "ce = 0.00000000 * 0"),
        ("Losses", 1000, 1, "Losses = 1.000e+05% * 1"),
    ],
)
def test_criteria(name, total, samples, text):
    assert log.criterion(name, Criterion(total, samples)) == text


@pytest.mark.parametrize(
    ("done", "in_range", "size", "samples", "text"),
    [
        (1, 1, 8, 96, ", 8.33%"),
        (12, 4, 8, 96, ", 100.00%"),
        (3, 1, 20, 45, ", 133.33%"),
        (1, 1, 20, 10**6, ", 0.002%"),
        (10, 10, 256, log.UNKNOWN_EPOCH_SIZE, ", 0.00000000000001%"),
    ],
)
def test_progress(done, in_range, size, samples, text):
    assert log.progress(done, in_range, size, samples) == text


def test_epoch_lines():
    start = log.epoch_start(1, 0.02, 0.9 ** (1 / 100), 100)
    assert (
        start
        == "Starting Epoch 1: learning rate per sample = 0.020000  effective momentum = 0.900000  momentum as time constant = 949.1 samples"
    )
    assert log.epoch_start(3, 0.05, 0.0, 32).endswith(
        "effective momentum = 0.000000  momentum as time constant = 0.0 samples"
    )
    line = log.minibatch_line(1, 12, 1, 3, "", "ce = 1 * 2", 0.5, 96)
    assert line == " Epoch[ 1 of 12]-Minibatch[   1-   3]: ce = 1 * 2; time = 0.5000s; samplesPerSecond = 192.0"
    assert log.epoch_end(10, 12, "Validate", "ce") == "Finished Epoch[10 of 12]: [Validate] ce"
    assert log.evaluation_line(1, 3, "ce", final=True) == "Final Results: Minibatch[1-3]: ce"


def test_head():
    lines = list(
        log.training_head([("ce", "CrossEntropyWithSoftmax")], [("a", "SquareError"), ("b", "NotEqual")], 12, "CPU")
    )
    assert lines == [
        "",
        "Model has 12 nodes. Using CPU.",
        "",
        "Training criterion:   ce = CrossEntropyWithSoftmax",
        "",
        "Evaluation criteria:",
        "\ta = SquareError",
        "\tb = NotEqual",
    ]
    assert "Evaluation criterion: a = SquareError" in log.training_head([("ce", "X")], [("a", "SquareError")], 1, "CPU")
    quiet = list(log.parameter_list([("W", "[2 x 3]")], 6, 1, 4, 0))
    assert quiet == ["", "Training 6 parameters in 1 parameter tensors.", ""]
    full = list(log.parameter_list([("W", "[2 x 3]")], 6, 1, 4, 1))
    assert full[1] == "Training 6 parameters in 1 out of 1 parameter tensors and 4 nodes with gradient:"
    assert full[3] == "\tNode 'W' (LearnableParameter operation) : [2 x 3]"
