"""Which epoch a run starts from, how an epoch is committed, and what `resume` finds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.modelfile.checkpoint import Checkpoint, read_checkpoint
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.actions.resume import epoch_of, last_complete
from bstorch.program.parameters import Parameters
from bstorch.training import checkpoints
from bstorch.training.checkpoints import ModelFiles


def touch(folder: Path, *names: str) -> ModelFiles:
    """Makes files one second apart, the first one oldest."""
    for age, name in enumerate(names):
        (folder / name).write_text(name)
        os.utime(folder / name, (1000 + age, 1000 + age))
    return ModelFiles(str(folder / "m"), 4)


@pytest.mark.parametrize(
    ("names", "epochs"),
    [
        ([], None),
        (["m.0"], 0),
        (["m.0", "m.1"], 1),
        (["m.0", "m.1", "m.2", "m.3"], 3),
        (["m.0", "m.1", "m.2", "m.3", "m"], 4),
        (["m"], 4),  # the final model counts where the one before it is missing
        (["m.0", "m.1", "m"], 4),
        (["m.1", "m.3"], 3),  # a gap
        (["m.0", "m.2", "m.1"], 1),  # a model that was touched later: the epochs after it are done again
        (["m", "m.0", "m.1", "m.2", "m.3"], 3),
        (["m.1.ckp"], None),  # a checkpoint without its model
        (["m.7"], None),  # beyond the last epoch
    ],
)
def test_start_epoch(tmp_path, names, epochs):
    assert touch(tmp_path, *names).finished_epochs() == epochs


def test_names():
    files = ModelFiles("out/m.dnn", 3)
    assert [files.model(k) for k in range(4)] == ["out/m.dnn.0", "out/m.dnn.1", "out/m.dnn.2", "out/m.dnn"]
    assert files.checkpoint(1) == "out/m.dnn.1.ckp"


def small_network() -> Network:
    network = Network()
    weights = ArrayWeights(np.array([[1, 2], [3, 4]], np.float32))
    network.add(
        Node("LearnableParameter", "W", attributes={"dims": (2, 2), "learningRateMultiplier": 1.0}, value=weights)
    )
    assert not validate(network).findings
    return network


def committed(folder: Path, epoch: int = 1) -> ModelFiles:
    network = small_network()
    files = ModelFiles(str(folder / "sub" / "m"), 3)
    parameters = Parameters(network)
    parameters[network["W"]].add_(epoch)
    state = Checkpoint(10 * epoch, 0.1, 0.5, 32, [np.zeros((2, 2), np.float32)], [0.0])
    checkpoints.commit(network, parameters, state, files, epoch, command="train")
    return files


def test_commit_writes_model_checkpoint_and_note(tmp_path):
    files = committed(tmp_path)
    assert sorted(p.name for p in (tmp_path / "sub").iterdir()) == ["m.1", "m.1.bsls.json", "m.1.ckp"]
    np.testing.assert_array_equal(v1.read(files.model(1))["W"].value.array(), [[2, 3], [4, 5]])
    assert read_checkpoint(files.checkpoint(1)).samples_seen == 10
    assert checkpoints.belongs_together(files.model(1))
    checkpoints.drop_checkpoint(files.model(1))
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["m.1"]


def test_a_commit_that_fails_leaves_the_old_model(tmp_path, monkeypatch):
    files = committed(tmp_path)
    before = Path(files.model(1)).read_bytes()

    def full_disk(*arguments: object) -> None:
        raise BsError("file-write", "no space")

    monkeypatch.setattr(checkpoints, "write_checkpoint", full_disk)
    with pytest.raises(BsError):
        committed(tmp_path)
    assert Path(files.model(1)).read_bytes() == before
    assert not any(p.name.endswith(".new") for p in (tmp_path / "sub").iterdir())


def test_a_note_about_other_files_is_not_believed(tmp_path):
    files = committed(tmp_path)
    Path(files.model(1)).write_bytes(b"another model")
    assert not checkpoints.belongs_together(files.model(1))
    Path(files.checkpoint(1)).write_bytes(b"another checkpoint")
    assert checkpoints.read_note(files.model(1)) is None  # both were replaced: nothing is known


def test_resume_takes_the_last_complete_model(tmp_path):
    path = str(tmp_path / "m")
    assert last_complete(path, 4) is None
    touch(tmp_path, "m.0", "m.1", "m.1.ckp", "m.2")
    found = last_complete(path, 4)
    assert found is not None
    assert (found.model, found.epoch, found.complete) == (f"{path}.1", 1, True)
    touch(tmp_path, "m.0", "m.1", "m.2", "m.2.ckp", "m", "m.ckp")
    found = last_complete(path, 4)
    assert found is not None
    assert (found.model, found.epoch) == (path, 3)


def test_resume_without_any_checkpoint_takes_the_last_model(tmp_path):
    touch(tmp_path, "m.0", "m.1", "m.2")
    found = last_complete(str(tmp_path / "m"), 4)
    assert found is not None
    assert (found.epoch, found.complete) == (2, False)


def test_epochs_of_a_model(tmp_path):
    files = committed(tmp_path, epoch=2)
    assert epoch_of(files.model(2), files.path, 3) == 2
    touch(tmp_path, "k.0", "k.5", "k")
    assert epoch_of(str(tmp_path / "k.5"), str(tmp_path / "m"), 9) == 5
    assert epoch_of(str(tmp_path / "k"), str(tmp_path / "k"), 9) == 6
    touch(tmp_path, "alone")
    assert epoch_of(str(tmp_path / "alone"), str(tmp_path / "alone"), 9) == 9
