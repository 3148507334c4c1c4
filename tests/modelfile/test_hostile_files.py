"""Model files that were made or damaged to do harm: absurd lengths, names that steer a terminal, kills while saving."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import model, v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from processes import bsls

MODELS = Path(__file__).parents[1] / "golden" / "models"

ABSURD_LENGTHS = """
import resource, sys
from bsls.finding import BsError
from bsls.modelfile import checkpoint, model
import numpy
whole = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
for at in range(len(whole) - 8):
    for size, number in ((8, 2**60), (8, 2**64 - 1), (4, 2**31 - 1)):
        with open(sys.argv[3], "wb") as file:
            file.write(whole[:at] + number.to_bytes(size, "little") + whole[at + size:])
        try:
            if sys.argv[1].endswith(".ckp"):
                checkpoint.read_checkpoint(sys.argv[3])
            else:
                for node in model.read(sys.argv[3], lenient=True):
                    node.value is None or node.value.array()
        except BsError as error:
            assert error.finding.rule == "model-file"
"""


@pytest.mark.parametrize("name", ["double.dnn", "tiny.v2.model", "criteria.ckp"])
def test_absurd_lengths_take_no_memory(name: str, tmp_path: Path) -> None:
    limit = 1 << 30
    command = [sys.executable, "-c", ABSURD_LENGTHS, str(MODELS / name), str(limit), str(tmp_path / "m")]
    subprocess.run(command, check=True)


def save(path: Path, name: str, size: int = 1) -> None:
    network = Network()
    parameter = Node("LearnableParameter", name, attributes={"dims": (size,), "learningRateMultiplier": 1.0})
    parameter.value = ArrayWeights(np.full(size, np.nan, np.float32))
    network.add(parameter)
    network.add(Node("Tanh", "z", [parameter]))
    network.tag(network["z"], "output")
    path.parent.mkdir(exist_ok=True)
    v1.write(network, path)


@pytest.mark.parametrize("name", ["\x1b[2J\x1b]0;title\x07", "a\nb\rc", "../../escaped", "/etc/escaped", "\u202egnp"])
def test_names_are_only_names(name: str, tmp_path: Path) -> None:
    """Nothing of a name reaches the terminal as a command, and none of them is taken for a path."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    save(folder / "m.dnn", name)
    for arguments in (
        ["show", "m.dnn"], ["nodes", "m.dnn"], ["verify", "m.dnn"], ["weights", "m.dnn", name], ["diff", "m.dnn", "m.dnn"],
        ["graph", "m.dnn", "--format", "log"], ["copy-weights", "m.dnn", "m.dnn", "-n"], ["weights", "m.dnn", "other"],
        ["convert", "m.dnn", "-o", "m.v2"], ["show", "m.v2"],
    ):  # fmt: skip
        result = bsls(folder, "model", *arguments)
        shown = result.out + result.err
        assert "Traceback" not in shown
        assert all(c.isprintable() for line in shown.split("\n") for c in line), arguments
    bsls(folder, "export", "m.dnn", "--to", "safetensors")
    assert {p.name for p in tmp_path.rglob("*")} == {"a", "b", "m.dnn", "m.v2", "m.dnn.safetensors"}


def test_killed_while_it_saves(tmp_path: Path) -> None:
    """Before each change of a file: the old model is there or the new one, and both are whole."""
    save(tmp_path / "models" / "new.dnn", "new", 1000)
    new = (tmp_path / "models" / "new.dnn").read_bytes()
    save(tmp_path / "models" / "old.dnn", "old")
    old = (tmp_path / "models" / "old.dnn").read_bytes()
    arguments = ("model", "convert", "models/new.dnn", "--to", "v1", "-o", "models/m.dnn")
    changes = bsls(tmp_path, *arguments).changes
    assert changes > 1
    for moment in range(1, changes + 1):
        (tmp_path / "models" / "m.dnn").write_bytes(old)
        assert bsls(tmp_path, *arguments, kill_at=moment).code < 0
        assert (tmp_path / "models" / "m.dnn").read_bytes() in (old, new)
    assert bsls(tmp_path, *arguments).code == 0
    assert (tmp_path / "models" / "m.dnn").read_bytes() == new


def test_a_full_disk_keeps_the_old_model(tmp_path: Path) -> None:
    save(tmp_path / "new.dnn", "new", 100_000)
    save(tmp_path / "m.dnn", "old")
    old = (tmp_path / "m.dnn").read_bytes()
    result = bsls(tmp_path, "model", "convert", "new.dnn", "-o", "m.dnn", largest_file=1000)
    assert (result.code, (tmp_path / "m.dnn").read_bytes()) == (1, old)
    assert "cannot write 'm.dnn'" in result.last
    assert {p.name for p in tmp_path.iterdir()} == {"m.dnn", "new.dnn"}


@pytest.mark.slow
@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_large_files_cut_at_random(generation: str, tmp_path: Path) -> None:
    network = Network()
    below = Node("InputValue", "x", attributes={"dims": (500,), "dynamicAxis": ""})
    network.add(below)
    for i in range(20):
        weights = Node("LearnableParameter", f"W{i}", attributes={"dims": (500, 500), "learningRateMultiplier": 1.0})
        weights.value = ArrayWeights(np.ones((500, 500), np.float32))
        below = Node("Times", f"z{i}", [weights, below], {"outputRank": 1, "inferInputRankToMap": -1})
        network.add(weights)
        network.add(below)
    whole = tmp_path / "whole"
    v1.write(network, whole)
    if generation == "v2":
        assert bsls(tmp_path, "model", "convert", "whole", "-o", "whole").code == 0
    data, chance = whole.read_bytes(), random.Random(1)
    for _ in range(2000):
        (tmp_path / "cut").write_bytes(data[: chance.randrange(len(data))])
        with pytest.raises(BsError) as caught:
            model.read(tmp_path / "cut")
        assert caught.value.finding.rule == "model-file" and caught.value.finding.help
