"""`bsls model weights`: what the values of a parameter are like."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from processes import bsls

VALUES = np.array([[0, 1, 2], [3, 4, 10]], np.float32)  # [3 x 2]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    network = Network()
    odd = np.array([1, np.nan, np.inf, -np.inf], np.float32)
    for name, values in (("L4.W", VALUES), ("odd", odd), ("one", np.full(1, 7, np.float32))):
        attributes: dict[str, object] = {"dims": tuple(reversed(values.shape)), "learningRateMultiplier": 1.0}
        network.add(Node("LearnableParameter", name, attributes=attributes, value=ArrayWeights(values)))
    network.add(Node("Tanh", "z", [network["one"]]))
    v1.write(network, tmp_path / "m.dnn")
    return tmp_path


def test_numbers(model: Path) -> None:
    result = bsls(model, "model", "weights", "m.dnn", "L4_W", "--format", "json", "--npy", "out/w.npy")
    found = json.loads(result.out)
    assert (found.pop("deviation"), found.pop("mean")) == pytest.approx((VALUES.std(), VALUES.mean()))
    histogram = found.pop("histogram")
    assert sum(histogram["counts"]) == 6 and (histogram["from"], histogram["to"]) == (0, 10)
    assert found == {
        "name": "L4.W", "op": "LearnableParameter", "dims": [3, 2], "values": 6, "zeros": 1, "nan": 0, "infinite": 0,
        "min": 0, "max": 10,
    }  # fmt: skip
    np.testing.assert_array_equal(np.load(model / "out" / "w.npy"), VALUES)


def test_text(model: Path) -> None:
    lines = bsls(model, "model", "weights", "m.dnn", "l4.w").out.splitlines()
    assert lines[0] == "L4.W: LearnableParameter [3 x 2], 6 values, float32"
    assert "  max         10" in lines and "  zeros       1" in lines
    assert lines[-1].split() == ["9.375", "#" * 40, "1"]
    odd = bsls(model, "model", "weights", "m.dnn", "odd").out
    assert "  nan         1\n  infinite    2\n" in odd and "#" not in odd
    assert "  mean        7\n" in bsls(model, "model", "weights", "m.dnn", "one").out


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("L4.V", "did you mean 'L4.W'?"),
        ("quite", "those with values: L4.W, odd, one"),
        ("z", "'z' has no values: its operation is Tanh"),
    ],
)
def test_what_is_not_there(node: str, words: str, model: Path) -> None:
    result = bsls(model, "model", "weights", "m.dnn", node)
    assert (result.code, result.out) == (1, "") and words in result.err
