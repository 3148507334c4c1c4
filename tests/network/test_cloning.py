"""What holds of a clone of any part of any network, in each of the three modes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsls.finding import BsError
from bsls.network.cloning import MODES, Template, ancestors
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate

UNARY = ("Tanh", "Sigmoid", "Dropout", "Mean", "PastValue")


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Two inputs, parameters, operations over what came before, batch normalization, and loops through delays."""
    network = Network()
    for name in ("x", "u"):
        network.add(Node("InputValue", name, attributes={"dims": (3,), "dynamicAxis": ""}))
    delays: list[Node] = []
    for i in range(draw(st.integers(1, 12))):
        before = [n for n in network if n.op != "Mean"]
        kind = draw(st.sampled_from(("parameter", "unary", "binary", "normalization")))
        one, two = (before[draw(st.integers(0, len(before) - 1))] for _ in range(2))
        if kind == "parameter":
            node = Node("LearnableParameter", f"p{i}", attributes={"dims": (3,), "learningRateMultiplier": 1.0})
        elif kind == "unary":
            framed = next(n for n in before if n.is_input) if one.is_parameter else one
            node = Node(draw(st.sampled_from(UNARY)), f"n{i}", [framed], {"shape": (3,), "timeStep": 1})
            delays += [node] * (node.op == "PastValue")
        elif kind == "binary":
            node = Node("Plus", f"n{i}", [one, two])
        else:
            columns = [
                Node("LearnableParameter", f"b{i}_{k}", attributes={"dims": (3, 1), "learningRateMultiplier": 1.0})
                for k in range(4)
            ]
            count = Node("LearnableParameter", f"b{i}_c", attributes={"dims": (1,), "learningRateMultiplier": 0.0})
            for parameter in (*columns, count):
                network.add(parameter)
            attributes: dict[str, object] = {"normalizationTimeConstant": 5.0, "blendTimeConstant": 0.0}
            node = Node("BatchNormalization", f"n{i}", [network["x"], *columns, count], attributes)
        network.add(node)
    last = [n for n in network if n.op == "Plus"]
    for delay in delays:
        if last and draw(st.booleans()):
            delay.inputs = [last[-1]]  # a loop, perhaps
    network.add(Node("Plus", "z", [network["x"], list(network)[-1]]))
    return network


def picture(network: Network) -> list[tuple[object, ...]]:
    return [(n.name, n.op, tuple(n.inputs), dict(n.attributes), list(n.tags), id(n.value)) for n in network]


@settings(max_examples=150, deadline=None)
@given(networks(), st.sampled_from(MODES))
def test_a_clone(network: Network, mode: str) -> None:
    before = picture(network)
    outputs = {"out": network["z"]}
    new = Node("InputValue", "new", attributes={"dims": (3,), "dynamicAxis": ""})
    clone = Template.cut([network["x"]], outputs, mode).copy([new], "c")["out"]
    assert picture(network) == before
    nodes = ancestors([clone])
    old = set(network)
    assert new in nodes and network["x"] not in nodes
    assert len({n.name for n in nodes}) == len(nodes)
    assert all(n.name.startswith("c.") for n in nodes if n not in old and n is not new)
    parameters = [n for n in nodes if n.is_parameter]
    if mode == "shared":
        assert all(p in old for p in parameters)
    else:
        assert not any(p in old for p in parameters)
    if mode == "constant":
        assert not any(p.is_learnable for p in parameters)
        assert all(n.attributes["normalizationTimeConstant"] == math.inf for n in nodes if n.op == "BatchNormalization")
    assert [n.op for n in nodes] == [n.op for n in ancestors([network["z"]])]  # the same graph over another input
    _same_shapes(network, nodes)


def _same_shapes(network: Network, nodes: list[Node]) -> None:
    """Both compute samples of the same shapes, and what does not fit in one does not in the other."""
    whole = Network()
    for node in nodes:
        whole.add(node.copy(name=f"copy.{node.name}"))
    made = {n: whole[f"copy.{n.name}"] for n in nodes}
    for node, twin in made.items():
        twin.inputs = [made[i] for i in node.inputs]
    part = Network()
    for node in ancestors([network["z"]]):
        part.add(node)
    found = [validate(n) for n in (part, whole)]
    assert len(found[0].findings) == len(found[1].findings)
    assert str(network["z"].shape) == str(made[nodes[-1]].shape)


def test_two_outputs_and_two_inputs() -> None:
    network = Network()
    for name in ("a", "b"):
        network.add(Node("InputValue", name, attributes={"dims": (2,), "dynamicAxis": ""}))
    network.add(Node("Plus", "s", [network["a"], network["b"]]))
    network.add(Node("Tanh", "t", [network["s"]]))
    network.add(Node("Sigmoid", "aside", [network["b"]]))
    template = Template.cut([network["a"], network["b"]], {"one": network["t"], "two": network["aside"]}, "shared")
    first, second = (Node("Tanh", n, [network["a"]]) for n in "pq")
    made = template.copy([first, second], "c")
    assert [made["one"].inputs[0].inputs, made["two"].inputs] == [[first, second], [second]]


def test_an_input_may_be_inside_and_an_output_may_be_an_input() -> None:
    network = Network()
    network.add(Node("InputValue", "a", attributes={"dims": (2,), "dynamicAxis": ""}))
    network.add(Node("Tanh", "t", [network["a"]]))
    network.add(Node("Sigmoid", "z", [network["t"]]))
    new = Node("InputValue", "new")
    made = Template.cut([network["t"]], {"z": network["z"], "t": network["t"]}, "learnable").copy([new], "")
    assert made["t"] is new and made["z"].inputs == [new] and made["z"] is not network["z"]


def test_an_input_that_no_output_depends_on() -> None:
    network = Network()
    for name in ("a", "b"):
        network.add(Node("InputValue", name))
    network.add(Node("Tanh", "t", [network["a"]]))
    with pytest.raises(BsError, match=r"no specified output \(t\) depends on the input 'b' \(InputValue\)"):
        Template.cut([network["b"]], {"t": network["t"]}, "shared")
