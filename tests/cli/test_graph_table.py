"""`bsls graph --format table`: all of a network, in any width."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.cli.render.table import as_table
from bsls.network.network import Network
from bsls.network.node import Node
from processes import bsls
from small_project import changed, make_project

TABLE = """\
Train (train): 12 nodes, float

name                           shape    values  operation (inputs)
y                              [2 x *]          InputValue
x                              [3 x *]          InputValue
W                              [2 x 3]       6  LearnableParameter
R                              [2 x 2]       4  LearnableParameter
V                              [2 x 2]       4  LearnableParameter, constant
z                              [2 x *]          Times (V, h)
ce                             [1]              CrossEntropyWithSoftmax (y, z)
h
  .z.PlusArgs[0]               [2 x *]          Times (W, x)
  .z.PlusArgs[1].TimesArgs[1]  [2 x *]          PastValue (h)
  .z.PlusArgs[1]               [2 x *]          Times (R, .z.PlusArgs[1].TimesArgs[1])
  .z                           [2 x *]          Plus (.z.PlusArgs[0], .z.PlusArgs[1])
  h                            [2 x *]          Tanh (.z)

feature nodes:    x, y
label nodes:      y
criterion nodes:  ce
output nodes:     z
loops:            h (4 nodes)
parameters:       2 learnable tensors with 10 values, 1 constant tensor with 4 values
memory:           56 B of parameters, 68 B of values per sample; with gradients 96 B and 116 B
"""
LOOP = changed(
    ("command = Train:Test", "command = Train"),
    (
        "z = LinearLayer {2} (x)",
        """W = ParameterTensor {(2:3)} ; R = ParameterTensor {(2:2)} ; V = Parameter {2, 2, learningRateMultiplier = 0}
        h = Tanh (W * x + R * PastValue (2, h))
        z = V * h""",
    ),
)


def test_table(tmp_path: Path) -> None:
    make_project(tmp_path, LOOP)
    result = bsls(tmp_path, "graph", "c.cntk", "--format", "table")
    assert (result.code, result.err) == (0, "")
    assert result.out == TABLE


@pytest.mark.parametrize("width", [30, 60, 80, 132])
def test_narrow(width: int, tmp_path: Path) -> None:
    """Whatever the width, nothing is lost, and only what has no gap is wider."""
    network = Network()
    x = Node("InputValue", "a.very.long.name.of.an.input", attributes={"dims": (3,)})
    nodes = [x, *(Node("Tanh", f"layers[{i}].h", [x]) for i in range(4))]
    nodes.append(Node("Splice", "all", nodes[1:], {"axis": 1}))
    for node in nodes:
        network.add(node)
    network.tag(nodes[-1], "output")
    text = as_table([("Train (train)", network)], width)
    assert all(len(line) <= width or " " not in line.strip() for line in text.splitlines())
    assert text.split() == as_table([("Train (train)", network)]).split()


def test_control_characters_and_unknown_shapes() -> None:
    network = Network()
    network.add(Node("Riddle", "a\x1b[2J", [Node("Riddle", "b\n")]))
    text = as_table([("x (y)", network)])
    assert "\x1b" not in text and "a\\x1b[2J" in text and "Riddle (b\\n)" in text and "  ?" in text
