"""Checkpoints of the reference: round trips, contents, damage."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile.checkpoint import BestCriterion, Checkpoint, read_checkpoint, write_checkpoint

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
