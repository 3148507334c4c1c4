"""Checkpoints of the reference: round trips, contents, damage."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from v2_files import array, write

from bsls.finding import BsError
from bsls.modelfile.checkpoint import BestCriterion, Checkpoint, read_checkpoint, write_checkpoint
from bsls.modelfile.dictionary import Size
from bsls.modelfile.v2_checkpoint import read_trainer_checkpoint

MODELS = Path(__file__).parents[1] / "golden" / "models"
NAMES = ("adam", "fsadagrad", "criteria")


@pytest.mark.parametrize("name", NAMES)
def test_round_trip_is_identical(name: str, tmp_path: Path) -> None:
    path = MODELS / f"{name}.ckp"
    write_checkpoint(read_checkpoint(path), tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == path.read_bytes()


def test_contents() -> None:
    adam = read_checkpoint(MODELS / "adam.ckp")
    assert (adam.samples_seen, adam.minibatch_size, adam.counts, adam.criteria) == (480, 24, [0.0] * 4, None)
    assert [g.shape for g in adam.gradients] == [(8, 6), (2, 6), (12, 3), (2, 3)]
    assert adam.gradients[0].dtype == np.float32
    fsadagrad = read_checkpoint(MODELS / "fsadagrad.ckp")
    assert fsadagrad.learning_rate == np.float32(0.01)
    assert fsadagrad.counts == [0.015994667851651864] * 4
    best = read_checkpoint(MODELS / "criteria.ckp").criteria
    assert best == [BestCriterion(0.36194005111853284, 2), BestCriterion(1 / 6, 1)]


def test_old_and_double(tmp_path: Path) -> None:
    checkpoint = Checkpoint(1, 2.0, 3.0, gradients=[np.arange(6.0).reshape(2, 3)])
    write_checkpoint(checkpoint, tmp_path / "c")
    again = read_checkpoint(tmp_path / "c")
    assert (again.minibatch_size, again.counts, again.gradients[0].dtype) == (None, None, np.float64)
    assert again.gradients[0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_version_one_has_no_version_section(tmp_path: Path) -> None:
    data = (MODELS / "criteria.ckp").read_bytes()
    (tmp_path / "c").write_bytes(data[data.index("BCKP".encode("utf-16-le")) :])
    assert read_checkpoint(tmp_path / "c").samples_seen == 384


def test_damage_is_a_finding(tmp_path: Path) -> None:
    data = (MODELS / "criteria.ckp").read_bytes()
    path = tmp_path / "c"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(BsError, match="training checkpoint"):
            read_checkpoint(path)
    chance = random.Random(1)
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= chance.choice((0xFF, 0x80, 0x01))
        path.write_bytes(damaged)
        try:
            read_checkpoint(path)
        except BsError as error:
            assert error.finding.rule == "model-file"


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(BsError, match="is not a training checkpoint, or a damaged one: it does not begin like one"):
        read_checkpoint(MODELS / "double.dnn")
    data = bytearray((MODELS / "adam.ckp").read_bytes())
    data[18] = 4
    (tmp_path / "c").write_bytes(data)
    with pytest.raises(BsError, match="is a checkpoint of version 4, later than version 3"):
        read_checkpoint(tmp_path / "c")


def test_failed_write_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="one count for each gradient"):
        write_checkpoint(Checkpoint(0, 0, 0, gradients=[np.zeros((1, 1))], counts=[]), path)
    assert path.read_bytes() == b"old"


def learner(**more: object) -> dict[str, object]:
    values = [array(np.zeros((2, 3), np.float32)), array(np.zeros((), np.float32))]
    schedule = {"version": Size(2), "type": "TrainingParameterSchedule", "epoch_size": Size(0), "ref_mb_size": Size(1),
                "schedule": {"0": 0.5, "1000": 0.25}}  # fmt: skip
    return {
        "version": Size(3), "type": "Learner", "sample_count": Size(20), "minibatchCount": Size(4), "sweepCount": Size(1),
        "learnig_rate_schedule": schedule, "smoothed_gradients": values, **more,
    }  # fmt: skip


def test_checkpoints_of_the_v2_library(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.ckp", {"Version": Size(1), "Learners": [learner()], "DistributedState": {"0": {}, "1": {}}}
    )
    found = read_trainer_checkpoint(path)
    (state,) = found.learners
    assert (state.samples, state.minibatches, state.sweeps, found.workers) == (20, 4, 1, 2)
    assert (state.schedule.rates, state.schedule.minibatch) == ({0: 0.5, 1000: 0.25}, 1)
    assert [g.dims for g in state.gradients] == [(3, 2), ()]


def test_old_checkpoints_of_the_v2_library(tmp_path: Path) -> None:
    """Gradients by identifiers of parameters, a unit in the place of a size, workers without a key of their own."""
    schedule = {"version": Size(1), "unit": Size(0), "schedule": {"0": 0.5}}
    values = learner(Parameter5=array(np.zeros(4, np.float32)), learnig_rate_schedule=schedule)
    for key in ("smoothed_gradients", "sweepCount"):
        del values[key]
    found = read_trainer_checkpoint(write(tmp_path / "m.ckp", {"Learners": [values], "ExternalState": {"0": {}}}))
    (state,) = found.learners
    assert (state.sweeps, state.schedule.minibatch, found.workers) == (None, 1, 1)
    assert [g.dims for g in state.gradients] == [(4,)]


@pytest.mark.parametrize("key", ["sample_count", "minibatchCount", "learnig_rate_schedule"])
def test_damaged_checkpoints_of_the_v2_library(key: str, tmp_path: Path) -> None:
    values = learner()
    del values[key]
    with pytest.raises(BsError, match=f"missing or of another type .'{key}'"):
        read_trainer_checkpoint(write(tmp_path / "m.ckp", {"Learners": [values]}))
    values[key] = "text"
    with pytest.raises(BsError, match="cannot be read as a checkpoint"):
        read_trainer_checkpoint(write(tmp_path / "m.ckp", {"Learners": [values]}))
