"""Model files are read once for each state that they are in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.project import models
from bsls.project.files import Files
from bsls.project.models import network_in


def written(path: Path, *names: str) -> None:
    network = Network()
    for name in names:
        network.add(Node("InputValue", name, attributes={"dims": (3,), "dynamicAxis": ""}))
    v1.write(network, path)


def test_a_model_is_read_anew_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    monkeypatch.setattr(models, "read", lambda path: reads.append(path) or v1.read(path))
    written(tmp_path / "m.dnn", "x")
    files = Files(str(tmp_path))
    first = network_in("m.dnn", files)
    first.rename(first["x"], "y")  # a copy
    assert [n.name for n in network_in("m.dnn", Files(str(tmp_path)))] == ["x"]
    assert len(reads) == 1
    written(tmp_path / "m.dnn", "a", "b")
    assert [n.name for n in network_in("m.dnn", files)] == ["a", "b"]
    os.truncate(tmp_path / "m.dnn", 20)
    for _ in range(2):
        with pytest.raises(BsError):
            network_in("m.dnn", files)
    assert len(reads) == 4
