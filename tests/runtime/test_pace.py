"""Throughput and time left of a training, by a clock that the test turns."""

from __future__ import annotations

from bstorch.pace import Pace


def test_time_left() -> None:
    now = 0.0
    pace = Pace(3, 0, None, clock=lambda: now)
    pace.begin_epoch(1)
    assert (pace.samples_per_second, pace.left_in_epoch(), pace.left()) == (0.0, None, None)
    now, pace.samples = 10.0, 1000
    assert (pace.samples_per_second, pace.left_in_epoch(), pace.left()) == (100.0, None, None)
    pace.end_minibatches()
    assert (pace.epoch_samples, pace.left_in_epoch(), pace.left()) == (1000, 0.0, 20.0)
    now = 15.0  # validated and saved
    assert pace.samples_per_second == 100.0
    pace.begin_epoch(2)
    now, pace.samples = 17.0, 400
    assert (pace.samples_per_second, pace.left_in_epoch()) == (200.0, 3.0)
    assert pace.left() == 3 + 5 + 5 + 5
    now, pace.samples = 20.0, 1000
    pace.end_minibatches()
    now = 22.0
    assert pace.left() == 3 + 5 + 5


def test_an_epoch_that_is_larger_than_thought() -> None:
    now = 0.0
    pace = Pace(1, 0, 10, clock=lambda: now)
    now, pace.samples = 2.0, 12
    assert pace.left_in_epoch() == pace.left() == 0.0
