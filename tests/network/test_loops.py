"""Recurrent loops: found, ordered, drawn; and circles that cannot be computed."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsls.network.loops import evaluation_order_with_loops, loop_edges, loop_without_delay, recurrent_loops
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate


def network(text: str) -> Network:
    """From lines `name = Operation input input`; names may be used before their line."""
    made = Network()
    lines = [line.replace("=", " ").split() for line in text.strip().splitlines()]
    for name, op, *_ in lines:
        dims = {"dims": (2,)} if op in ("InputValue", "LearnableParameter") else {}
        made.add(Node(op, name, attributes=dict(dims)))
    for name, _, *inputs in lines:
        made[name].inputs = [made[i] for i in inputs]
    return made


def names(nodes: Iterable[Node]) -> str:
    return " ".join(n.name for n in nodes)


ELMAN = """
x = InputValue
p = PastValue h
s = Plus x p
h = Tanh s
z = Exp h
"""
NESTED = """
x = InputValue
a = Plus x da
da = PastValue a
c = Plus a db
d = Sigmoid c
db = PastValue d
out = Plus d late
late = PastValue d
"""
SHARED_STATE = """
x = InputValue
h = Plus o c
o = Tanh ph
ph = PastValue h
c = Plus x pc
pc = PastValue c
z = Plus c h
"""


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("x = InputValue\nz = Tanh x", []),
        (ELMAN, ["Loop_h: p s h"]),
        (NESTED, ["Loop_a: da a", "Loop_d: db c d"]),
        (SHARED_STATE, ["Loop_c: pc c", "Loop_h: ph o h"]),
        ("x = InputValue\nd = PastValue d\nz = Plus x d", []),
        ("a = Plus p q\np = PastValue a\nq = PastValue p\nz = Tanh a", ["Loop_a: p q a"]),
        ("a = Tanh b\nb = Tanh a\nz = Tanh a", ["Loop_a: a b"]),
    ],
)
def test_loops(text: str, loops: list[str]) -> None:
    assert [f"{loop.name}: {names(loop.nodes)}" for loop in recurrent_loops(network(text))] == loops


def test_nodes_of_a_loop_stand_together() -> None:
    made = network("x = InputValue\na = Plus p x\np = PastValue b\nw = Exp x\nb = Plus a w\nc = Tanh p\nz = Plus c b")
    assert names(made.evaluation_order()) == "x a w b p c z"
    assert names(evaluation_order_with_loops(made, recurrent_loops(made))) == "x w p a b c z"


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        (ELMAN, ""),
        ("x = InputValue\nz = Plus x z", "z"),
        ("x = InputValue\na = Plus x b\nb = Tanh c\nc = Plus a p\np = PastValue b\nz = Exp c", "a b c"),
        ("x = InputValue\na = Tanh b\nb = Tanh a", "a b"),  # nothing uses them
    ],
)
def test_circles(text: str, circle: str) -> None:
    made = network(text)
    found = loop_without_delay(made)
    assert sorted(n.name for n in found) == circle.split()
    assert all(node in user.inputs for node, user in pairwise([*found, *found[:1]]))
    assert [f.rule for f in validate(made).findings] == ["cyclic-definition"] * bool(circle)


def test_a_loop_that_looks_both_ways_cannot_be_computed() -> None:
    made = network("x = InputValue\nz = Plus s f\ns = Plus x p\np = PastValue z\nf = FutureValue z\nend = Tanh z")
    (finding,) = validate(made).findings
    assert finding.rule == "cyclic-definition" and finding.message.startswith("'z' cannot be computed")
    assert made["end"].shape is None and made["x"].shape is not None


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Any inputs, even circles without a delay and nodes that need themselves."""
    count = draw(st.integers(1, 9))
    nodes = [Node(draw(st.sampled_from(["PastValue", "Plus", "Tanh"])), f"n{i}") for i in range(count)]
    made = Network()
    for node in nodes:
        node.inputs = [draw(st.sampled_from(nodes)) for _ in range(2 if node.op == "Plus" else 1)]
        made.add(node)
    return made


@given(networks())
def test_loops_of_any_network(made: Network) -> None:
    below = {node: set(made.evaluation_order([node])) for node in made}
    loops = recurrent_loops(made)
    reachable = set(made.evaluation_order())
    for node in reachable:
        mutual = {other for other in below[node] if node in below[other]}
        assert [set(loop.nodes) for loop in loops if node in loop.nodes] == ([mutual] if len(mutual) > 1 else [])
    order = evaluation_order_with_loops(made, loops)
    assert len(order) == len(reachable) and set(order) == reachable
    closing = loop_edges(made)
    rest = {node: [i for i in node.inputs if (i, node) not in closing] for node in made}
    list(TopologicalSorter(rest).static_order())  # raises where a cycle is left
