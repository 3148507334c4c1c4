"""Networks of v1 files become models of the v2 library."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import model, v1, v2_writing
from bsls.modelfile.dictionary import message_class
from bsls.network.difference import difference
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate

MODELS = Path(__file__).parents[1] / "golden"
X = Node("InputValue", "x", attributes={"dims": (4, 6, 3)})


DELAY: dict[str, object] = {"timeStep": 1, "shape": (0,), "defaultHiddenActivation": 0.1}
CONVOLUTION: dict[str, object] = {
    "kernelShape": (3, 3, 3), "mapCount": (8,), "strideShape": (1, 1, 3), "dimSharing": (True,), "dimPadding": (False,),
    "dimPadLower": (0,), "dimPadUpper": (0,), "transpose": False, "imageLayout": "CHW", "maxTempMemSizeInSamples": 0,
    "dimOutputShape": (0,), "dimDilation": (1,), "convolution2D": False,
}  # fmt: skip


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
        assert "no counterpart" in error.finding.message or "computes nothing" in error.finding.message
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
     "Step_2 = Reshape (d) : [4 x 1] -> [4] ; f = ElementTimes (Step_2, v) : [4], [4 x *] -> [4 x *]"),
    (Node("DiagTimes", "f", [parameter("d", 24, 1), Node("InputValue", "v", attributes={"dims": (4, 6)})]),
     "Step_2 = Reshape (d) : [24 x 1] -> [4 x 6] ; f = ElementTimes (Step_2, v) : [4 x 6], [4 x 6 x *] -> [4 x 6 x *]"),
    (Node("SumColumnElements", "f", [X]), "Step_1 = ReduceElements (x) : [4 x 6 x 3 x *] -> [1 x 1 x 1 x *] ; "
     "f = Reshape (Step_1) : [1 x 1 x 1 x *] -> [1 x *]"),
    (Node("Times", "f", [parameter("w", 2, 1), Node("SumElements", "s", [X])], {"outputRank": 1, "inferInputRankToMap": -1}),
     "s = SumElements (x) : [4 x 6 x 3 x *] -> [1] ; Step_3 = Reshape (s) : [1] -> [1] ; f = Times (w, Step_3) : [2 x 1], [1] -> [2]"),
    (Node("Crop", "f", [X, X], {"xOffset": 0.0, "yOffset": 0.0}), "f = Crop (x, x) : [4 x 6 x 3 x *], [4 x 6 x 3 x *] -> [4 x 6 x 3 x *]"),
    (Node("AveragePooling", "f", [X], {"windowWidth": 2, "windowHeight": 3, "horizontalSubsample": 1, "verticalSubsample": 2,
                                       "imageLayout": "CHW"}), "f = Pooling (x) : [4 x 6 x 3 x *] -> [3 x 2 x 3 x *]"),
    (Node("PastValue", "f", [X], {"timeStep": 2, "shape": (0,), "defaultHiddenActivation": 0.5}),
     "f = PastValue (x, Constant_1) : [4 x 6 x 3 x *], [] -> [4 x 6 x 3 x *]"),
    (Node("Reshape", "f", [X], {"shape": (0, 9), "beginAxis": 2, "endAxis": 0}),
     "f = Reshape (x) : [4 x 6 x 3 x *] -> [4 x 2 x 9 x *]"),
    (Node("Clip", "f", [parameter("a", 1), parameter("b", 1), X]),
     "f = Clip (a, b, x) : [1], [1], [4 x 6 x 3 x *] -> [4 x 6 x 3 x *]"),
    (Node("Convolution", "f", [parameter("W", 8, 27), X], CONVOLUTION),
     "f = Convolution (W, x) : [3 x 3 x 3 x 8], [4 x 6 x 3 x *] -> [2 x 4 x 8 x *]"),
])  # fmt: skip
def test_nodes_that_are_another_function(node: Node, result: str, tmp_path: Path) -> None:
    below = [leaf for operand in node.inputs for leaf in (*operand.inputs, operand)]
    network = network_of(*dict.fromkeys(below), node)
    assert " ; ".join(prototypes(again(network, tmp_path))) == result


def test_a_normalization_is_several_functions(tmp_path: Path) -> None:
    mean, deviation = parameter("m", 4, 6, 3, rate=0.0), parameter("s", 4, 6, 3, rate=0.0)
    for op, calls in (
        ("PerDimMeanVarNormalization", ["Step_3 = Minus (x, m)", "z = ElementTimes (Step_3, s)"]),
        ("PerDimMeanVarDeNormalization",
         ["Step_3 = Reciprocal (s)", "Step_5 = ElementTimes (x, Step_3)", "z = Plus (Step_5, m)"]),
    ):  # fmt: skip
        network = network_of(X, mean, deviation, Node(op, "z", [X, mean, deviation]))
        found = [text.partition(" : ")[0] for text in prototypes(again(network, tmp_path))]
        assert [re.sub(r"Step_\d", "Step", text) for text in found] == [re.sub(r"Step_\d", "Step", c) for c in calls]


def test_statistics_are_constants_of_the_shape_of_a_sample(tmp_path: Path) -> None:
    mean = Node("Mean", "m", [X], {"hasComputed": True}, value=ArrayWeights(np.arange(72, dtype=np.float32)))
    network = network_of(X, mean, Node("Minus", "z", [X, mean]))
    assert prototypes(again(network, tmp_path)) == [
        "z = Minus (x, m) : [4 x 6 x 3 x *], [4 x 6 x 3] -> [4 x 6 x 3 x *]"
    ]
    network["m"].attributes["hasComputed"] = False
    with pytest.raises(BsError, match="it was not computed yet"):
        v2_writing.write(network, tmp_path / "v2")


def test_names_that_the_library_gave_in_a_v1_file(tmp_path: Path) -> None:
    node = Node("Tanh", "__v2libuid__Tanh9__v2libname__h", [X])
    unnamed = Node("Exp", "__v2libuid__Exp7__v2libname__", [node])
    found = again(network_of(X, node, unnamed), tmp_path)
    assert [n.name for n in found] == ["x", "h", "Exp7"]


@pytest.mark.parametrize(("node", "words"), [
    (Node("RowRepeat", "f", [X], {"numRepeats": 2}), "the v2 library has no counterpart of RowRepeat"),
    (Node("MaxPooling", "f", [X], {"windowWidth": 1, "windowHeight": 1, "horizontalSubsample": 1, "verticalSubsample": 1,
                                   "imageLayout": "HWC"}), "no counterpart of the image layout HWC"),
    (Node("Plus", "f", [X, Node("LearnableParameter", "W", attributes={"dims": (1,), "learningRateMultiplier": 1.0})]),
     "it has no values yet"),
    (Node("Slice", "f", [X], {"axis": -1, "beginIndex": 0, "endIndex": 1}), "no counterpart of a slice in time"),
    (Node("CustomProxyOpNode", "f", [X]), "no counterpart of CustomProxyOpNode"),
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


def test_weights_of_a_convolution_that_are_used_otherwise_as_well(tmp_path: Path) -> None:
    weights, vector = parameter("W", 8, 27), Node("InputValue", "v", attributes={"dims": (27,)})
    network = network_of(
        X, vector, weights, Node("Times", "t", [weights, vector], {"outputRank": 1, "inferInputRankToMap": -1}),
        Node("Convolution", "c", [weights, X], CONVOLUTION),
    )  # fmt: skip
    with pytest.raises(BsError, match="its weights 'W' are used in another shape as well"):
        v2_writing.write(network, tmp_path / "v2")


def test_identifiers_are_unique(tmp_path: Path) -> None:
    first = Node("Exp", "__v2libuid__Exp_1__v2libname__a", [X])
    found = again(network_of(X, first, Node("Exp", "Exp_2", [first]), Node("PastValue", "p", [first], DELAY)), tmp_path)
    assert [n.name for n in found if n.inputs] == ["a", "Exp_2", "p"]


@pytest.mark.parametrize(
    "path", sorted([*MODELS.rglob("*.dnn"), MODELS / "models" / "tiny.v2.model"]), ids=lambda p: p.name
)
def test_what_the_library_demands_of_a_file(path: Path, tmp_path: Path) -> None:
    """Keys and their types as it reads them, identifiers, placeholders with their shape, producers before consumers."""
    network = model.read(path)
    validate(network)
    try:
        v2_writing.write(network, tmp_path / "v2")
    except BsError:
        return
    message = message_class()()
    message.ParseFromString((tmp_path / "v2").read_bytes())
    top = fields(message)
    assert typed(message) == TOP
    made: set[str] = set()
    for item in top["inputs"].vector.items:
        variable = fields(item.dictionary)
        assert VARIABLE.items() <= typed(item.dictionary).items()
        uid, kind = variable["uid"].string, variable["kind"].size_t
        assert uid not in made
        made.add(uid)
        axes = [fields_of_axis.axis.name for fields_of_axis in variable["dynamic_axis"].vector.items]
        assert (
            axes == [] if kind in (2, 3) else axes == ["UnknownAxes"] if kind == 4 else axes[-1] == "defaultBatchAxis"
        )
        assert kind != 4 or (0 not in variable["shape"].shape.dims and 2**64 - 2 not in variable["shape"].shape.dims)
        assert ("value" in variable) == (kind in (2, 3))
    functions = [fields(item.dictionary) for item in top["primitive_functions"].vector.items]
    for item, function in zip(top["primitive_functions"].vector.items, functions, strict=True):
        assert FUNCTION.items() <= typed(item.dictionary).items()
        assert all(operand.string in made for operand in function["inputs"].vector.items)
        attributes = typed(function["attributes"].dictionary)
        wanted = ATTRIBUTES.get(function["op"].size_t, {})
        assert wanted.items() <= attributes.items(), function["uid"].string
        made.add(f"{function['uid'].string}_Output_0")
    assert top["root"].string == functions[-1]["uid"].string


def fields(message: Any) -> dict[str, Any]:
    return {entry.key: entry.value for entry in message.data}


def typed(message: Any) -> dict[str, str]:
    names = (
        "",
        "Bool",
        "Int",
        "SizeT",
        "Float",
        "Double",
        "String",
        "NDShape",
        "Axis",
        "Vector",
        "Dictionary",
        "Array",
    )
    return {entry.key: names[entry.value.type] for entry in message.data}


TOP = {
    "type": "String", "version": "SizeT", "uid": "String", "root": "String", "inputs": "Vector", "primitive_functions": "Vector",
}  # fmt: skip
VARIABLE = {
    "type": "String", "version": "SizeT", "uid": "String", "kind": "SizeT", "data_type": "SizeT", "dynamic_axis": "Vector",
    "is_sparse": "Bool", "needs_gradient": "Bool", "shape": "NDShape",
}  # fmt: skip
FUNCTION = {
    "type": "String", "version": "SizeT", "uid": "String", "op": "SizeT", "inputs": "Vector", "attributes": "Dictionary",
}  # fmt: skip
WINDOW = {"strides": "NDShape", "autoPadding": "Vector", "lowerPad": "NDShape", "upperPad": "NDShape"}
ATTRIBUTES = {
    15: {"dropoutRate": "Double", "rngSeed": "SizeT", "rngOffset": "SizeT"},
    16: {"newShape": "NDShape"},
    17: {**WINDOW, "poolingType": "SizeT", "poolingWindowShape": "NDShape", "ceilOutDim": "Bool", "includePad": "Bool"},
    31: {"outputRank": "SizeT", "inferInputRankToMap": "Int"},
    32: {"outputRank": "SizeT"},
    33: {**WINDOW, "sharing": "Vector", "dilation": "NDShape", "transpose": "Bool", "outputShape": "NDShape", "groups": "SizeT",
         "maxTempMemSizeInSamples": "SizeT", "kernelShape": "NDShape"},
    37: {"offset": "SizeT"},
    38: {"offset": "SizeT"},
    39: {"reductionOpName": "String", "reductionKeepDimensions": "Bool"},
    40: {"spatial": "Bool", "normalizationTimeConstant": "Double", "blendTimeConstant": "Double", "epsilon": "Double",
         "useCuDNNEngine": "Bool", "disableRegularization": "Bool"},
    43: {"axis": "Axis"},
    49: {"bidirectional": "Bool", "numLayers": "SizeT", "hiddenSize": "SizeT", "recurrentOp": "String"},
}  # fmt: skip
"""By the number of the function: what it has no default for."""
