"""Models with operations that are not known: refused where they are to be used, shown but for these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from v2_files import composite, function, variable, write

from bsls.finding import BsError
from bsls.modelfile import model, v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from processes import bsls

RIDDLES = {
    "at the end": b"",
    "with a number": bytes(8),
    "that looks like the start of a node": "float\0".encode("utf-16-le") + b"\1" * 40,
    "that is long": b"\0f" * 100_000 + b"\0",
}


def riddle(path: Path, payload: bytes) -> Path:
    """A model of x and W, a node `m` of the operation Riddle, and their product."""
    network = Network()
    nodes = {
        "x": Node("InputValue", "x", attributes={"dims": (3,), "dynamicAxis": ""}),
        "m": Node("Tanh", "m"),
        "W": Node("LearnableParameter", "W", attributes={"dims": (2, 3), "learningRateMultiplier": 1.0}),
    }
    nodes["m"].inputs = [nodes["x"]]
    nodes["z"] = Node("Times", "z", [nodes["W"], nodes["m"]], {"outputRank": 1, "inferInputRankToMap": -1})
    nodes["W"].value = ArrayWeights(np.ones((3, 2), np.float32))
    for node in nodes.values():
        network.add(node)
    v1.write(network, path)
    plain, own = ("Tanh\0m\0".encode("utf-16-le"), "Riddle\0m\0".encode("utf-16-le") + payload)
    assert path.read_bytes().count(plain) == 1
    path.write_bytes(path.read_bytes().replace(plain, own))
    return path


@pytest.mark.parametrize("kind", RIDDLES)
def test_v1(kind: str, tmp_path: Path) -> None:
    path = riddle(tmp_path / "m.dnn", RIDDLES[kind])
    with pytest.raises(BsError, match="the node 'm' of the operation 'Riddle', which is not supported"):
        model.read(path)
    network = model.read(path, lenient=True)
    assert [f"{n.name} = {n.op}({', '.join(i.name for i in n.inputs)})" for n in network.by_name()] == [
        "m = Riddle(x)", "W = LearnableParameter()", "x = InputValue()", "z = Times(W, m)"
    ]  # fmt: skip


def test_cut_off_in_an_unknown_payload(tmp_path: Path) -> None:
    path = riddle(tmp_path / "m.dnn", bytes(10))
    data = path.read_bytes()
    path.write_bytes(data[: data.index("Riddle".encode("utf-16-le")) + 20])
    with pytest.raises(BsError, match="ends in the middle of node 'm'"):
        model.read(path, lenient=True)


def test_v2(tmp_path: Path) -> None:
    values = composite([variable(0, "Input0", (3,))], [function(98, "f", "Input0"), function(2, "g", "f_Output_0")])
    network = model.read(write(tmp_path / "m", values), lenient=True)
    assert [n.prototype.partition(" :")[0] for n in network if n.inputs] == ["f = Function98 (Input0)", "g = Tanh (f)"]


def test_show(tmp_path: Path) -> None:
    riddle(tmp_path / "m.dnn", bytes(8))
    shown = bsls(tmp_path, "model", "show", "m.dnn")
    assert (shown.code, shown.err) == (0, "")
    assert "\nnot supported:    m (Riddle)\n" in shown.out
    assert bsls(tmp_path, "model", "nodes", "m.dnn", "m").out == "m = Riddle (x) : [3 x *] -> []\n"
    refused = bsls(tmp_path, "model", "weights", "m.dnn", "W")
    assert "`bsls model show m.dnn` shows the rest" in refused.err
