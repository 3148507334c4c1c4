"""`bsls model show`: the table and the JSON."""

from __future__ import annotations

from pathlib import Path

from bsls.cli.render.model import as_json, as_text
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.shape import DynamicAxis, Shape
from bsls.source import Source

MODELS = Path(__file__).parents[1] / "golden" / "models"

TABLE = """\
double.dnn: CNTK v1 model (version 31), 6 nodes, double

name  in BrainScript  operation           shape    values  learnable  inputs
o     o               Tanh                [2 x *]                     o.z
o.z   o_z             Times               [2 x *]                     W, x
sq    sq              SquareError         [1]                         t, o
t     t               InputValue          [2 x *]
W     W               LearnableParameter  [2 x 3]       6  yes
x     x               InputValue          [3 x *]

feature nodes:    x, t
label nodes:      t
criterion nodes:  sq
evaluation nodes: sq
output nodes:     o
parameters:       1 learnable tensor with 6 values
memory:           48 B of parameters, 72 B of values per sample; with gradients 96 B and 104 B
"""


def test_table() -> None:
    assert as_text(v1.read(MODELS / "double.dnn"), "double.dnn", "CNTK v1 model (version 31)") == TABLE


def test_json() -> None:
    shown = as_json(v1.read(MODELS / "double.dnn"))
    nodes = {n["name"]: n for n in shown["nodes"]}
    assert nodes["o.z"] == {
        "name": "o.z",
        "access": "o_z",
        "op": "Times",
        "inputs": ["W", "x"],
        "shape": "[2 x *]",
        "dims": [2],
        "parameter": False,
        "learnable": False,
        "origin": None,
    }
    assert (nodes["W"]["shape"], nodes["W"]["parameter"], nodes["W"]["learnable"]) == ("[2 x 3]", True, True)
    assert shown["roots"]["feature"] == ["x", "t"] and list(shown["roots"]) == ["feature", "label", "criterion", "evaluation", "output"]  # fmt: skip


def test_names_without_access_and_origins() -> None:
    source = Source("n.bs", "a\nh = Exp (x)")
    node = Node("Exp", "h[0]", shape=Shape((2,), DynamicAxis()), origin=source.span(2, 13))
    network = Network()
    network.add(node)
    (shown,) = as_json(network)["nodes"]
    assert shown["access"] is None
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 11}}
    assert shown["origin"] == {"path": "n.bs", "range": place}
    assert "h[0]                  Exp" in as_text(network, "m", "model")


def test_unknown_shapes_and_odd_names() -> None:
    network = Network()
    network.add(Node("Riddle", "a\x1b[2J"))
    text = as_text(network, "m", "model")
    assert "a\\x1b[2J" in text and "  ?" in text
    assert as_json(network)["nodes"][0]["shape"] is None
