"""Networks of v1 files become models of the v2 library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import model, v1, v2_writing
from bsls.network.difference import difference
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate

MODELS = Path(__file__).parents[1] / "golden"
X = Node("InputValue", "x", attributes={"dims": (4, 6, 3)})


def parameter(name: str, *dims: int, rate: float = 1.0) -> Node:
    node = Node("LearnableParameter", name, attributes={"dims": dims, "learningRateMultiplier": rate})
    values = np.arange(int(np.prod(dims)), dtype=np.float32)
    node.value = ArrayWeights(values.reshape(dims[::-1]))
    return node


def network_of(*nodes: Node) -> Network:
    network = Network()
    for node in nodes:
        network.add(node.copy())
    for node in network:
        node.inputs = [network[i.name] for i in node.inputs]
    assert validate(network).findings == []
    return network


def again(network: Network, folder: Path) -> Network:
    v2_writing.write(network, folder / "v2")
    found = model.read(folder / "v2")
    assert validate(found).findings == []
    return found


def prototypes(network: Network) -> list[str]:
    return [node.prototype for node in network if node.inputs]


@pytest.mark.parametrize("path", sorted(MODELS.rglob("*.dnn")), ids=lambda path: path.name)
def test_v1_files(path: Path, tmp_path: Path) -> None:
    """The same functions of the same values; beside them constants that a v1 node has as a setting."""
    old = model.read(path)
    validate(old)
    computed = {n.name for n in old.evaluation_order()} if old.roots() else set()
    try:
        new = again(old, tmp_path)
    except BsError as error:
        assert "the v2 library has no" in error.finding.message or "computes nothing" in error.finding.message
        return
    for node in old:
        if node.name in computed and node.op not in ("DynamicAxis", "Mean", "InvStdDev"):
            twin = new[node.name]
            assert twin.op == node.op or node.op in ("DiagTimes", "PerDimMeanVarNormalization")
            assert [i.name for i in twin.inputs[: len(node.inputs)]] == [
                i.name for i in node.inputs
            ] or twin.op != node.op
            assert str(twin.shape) == str(node.shape)
            if node.value is not None and twin.value is not None:
                assert twin.value.array().tobytes() == node.value.array().tobytes()


@pytest.mark.parametrize(("node", "result"), [
    (Node("DiagTimes", "f", [parameter("d", 4, 1), Node("InputValue", "v", attributes={"dims": (4,)})]),
     "f = ElementTimes (d, v) : [4 x 1], [4 x *] -> [4 x 1 x *]"),
    (Node("SumColumnElements", "f", [X]), "f = ReduceElements (x) : [4 x 6 x 3 x *] -> [1 x 6 x 3 x *]"),
    (Node("AveragePooling", "f", [X], {"windowWidth": 2, "windowHeight": 3, "horizontalSubsample": 1, "verticalSubsample": 2,
                                       "imageLayout": "CHW"}), "f = Pooling (x) : [4 x 6 x 3 x *] -> [3 x 2 x 3 x *]"),
    (Node("PastValue", "f", [X], {"timeStep": 2, "shape": (0,), "defaultHiddenActivation": 0.5}),
     "f = PastValue (x, Constant1) : [4 x 6 x 3 x *], [] -> [4 x 6 x 3 x *]"),
    (Node("Reshape", "f", [X], {"shape": (0, 9), "beginAxis": 2, "endAxis": 0}),
     "f = Reshape (x) : [4 x 6 x 3 x *] -> [4 x 2 x 9 x *]"),
    (Node("Clip", "f", [parameter("a", 1), parameter("b", 1), X]),
     "f = Clip (a, b, x) : [1], [1], [4 x 6 x 3 x *] -> [4 x 6 x 3 x *]"),
    (Node("Convolution", "f", [parameter("W", 8, 27), X], {
        "kernelShape": (3, 3, 3), "mapCount": (8,), "strideShape": (1, 1, 3), "dimSharing": (True,), "dimPadding": (False,),
        "dimPadLower": (0,), "dimPadUpper": (0,), "transpose": False, "imageLayout": "CHW", "maxTempMemSizeInSamples": 0,
        "dimOutputShape": (0,), "dimDilation": (1,), "convolution2D": False}),
     "f = Convolution (W, x) : [3 x 3 x 3 x 8], [4 x 6 x 3 x *] -> [2 x 4 x 8 x *]"),
])  # fmt: skip
def test_nodes_that_are_another_function(node: Node, result: str, tmp_path: Path) -> None:
    network = network_of(*node.inputs, node)
    assert prototypes(again(network, tmp_path)) == [result]


def test_a_normalization_is_two_functions(tmp_path: Path) -> None:
    mean, deviation = parameter("m", 4, 6, 3, rate=0.0), parameter("s", 4, 6, 3, rate=0.0)
    for op, first, second in (
        ("PerDimMeanVarNormalization", "Minus (x, m)", "ElementTimes ({}, s)"),
        ("PerDimMeanVarDeNormalization", "ElementTimes (x, s)", "Plus ({}, m)"),
    ):
        network = network_of(X, mean, deviation, Node(op, "z", [X, mean, deviation]))
        inner, outer = (text.partition(" : ")[0] for text in prototypes(again(network, tmp_path)))
        name, _, call = inner.partition(" = ")
        assert (call, outer) == (first, f"z = {second.format(name)}")


def test_names_that_the_library_gave_in_a_v1_file(tmp_path: Path) -> None:
    node = Node("Tanh", "__v2libuid__Tanh9__v2libname__h", [X])
    unnamed = Node("Exp", "__v2libuid__Exp7__v2libname__", [node])
    found = again(network_of(X, node, unnamed), tmp_path)
    assert [n.name for n in found] == ["x", "h", "Exp7"]


@pytest.mark.parametrize(("node", "words"), [
    (Node("RowRepeat", "f", [X], {"numRepeats": 2}), "the v2 library has no RowRepeat"),
    (Node("MaxPooling", "f", [X], {"windowWidth": 1, "windowHeight": 1, "horizontalSubsample": 1, "verticalSubsample": 1,
                                   "imageLayout": "HWC"}), "it has the image layout HWC"),
    (Node("Plus", "f", [X, Node("LearnableParameter", "W", attributes={"dims": (1,), "learningRateMultiplier": 1.0})]),
     "it has no values yet"),
])  # fmt: skip
def test_what_has_no_counterpart(node: Node, words: str, tmp_path: Path) -> None:
    network = Network()
    for each in (*node.inputs, node):
        network.add(each)
    with pytest.raises(BsError, match=words):
        v2_writing.write(network, tmp_path / "v2")
    assert not list(tmp_path.iterdir())


def test_v2_to_v1_and_back(tmp_path: Path) -> None:
    network = model.read(MODELS / "models" / "tiny.v2.model")
    validate(network)
    v1.write(network, tmp_path / "v1")
    first = model.read(tmp_path / "v1")
    validate(first)
    assert not difference(network, again(first, tmp_path))


def test_v1_has_no_free_dimensions(tmp_path: Path) -> None:
    network = Network()
    network.add(Node("InputValue", "x", attributes={"dims": (3, 0), "dynamicAxis": ""}))
    with pytest.raises(BsError, match="a dimension of no fixed size"):
        v1.write(network, tmp_path / "v1")
