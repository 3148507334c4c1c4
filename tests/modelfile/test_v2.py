"""Models of the v2 library become networks."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from v2_files import array, composite, function, variable, write

from bsls.finding import BsError
from bsls.modelfile import model, v1, v2_writing
from bsls.modelfile.dictionary import ALL, ALL_STATIC, DYNAMIC, SPLIT, Axis, Size
from bsls.modelfile.v2_attributes import BATCH_AXIS
from bsls.network.difference import difference
from bsls.network.network import Network
from bsls.network.validation import validate

X = variable(0, "Input0", (3,), name="x")


def read(path: Path, values: dict[str, Any]) -> Network:
    """The network of a file, which is the same when it was written and read again."""
    network = first = model.read(write(path / "m", values))
    assert validate(network).findings == []
    for settings in (False, True):  # some are completed when they are written
        v2_writing.write(network, path / "again")
        again = model.read(path / "again")
        assert validate(again).findings == []
        assert not difference(network, again, settings=settings, weights=True)
        network = again
    return first


def prototypes(network: Network) -> list[str]:
    return [node.prototype for node in network if node.inputs]


def test_a_layer(tmp_path: Path) -> None:
    inputs = [X, variable(2, "Parameter1", (2, 3), name="W"), variable(3, "Constant2", (2,))]
    functions = [
        function(31, "Times3", "Parameter1", "Input0", outputRank=Size(1), inferInputRankToMap=-1),
        function(19, "Plus4", "Times3_Output_0", "Constant2", name="z"),
    ]
    network = read(tmp_path, composite(inputs, functions))
    assert prototypes(network) == [
        "Times3 = Times (W, x) : [2 x 3], [3 x *] -> [2 x *]",
        "z = Plus (Times3, Constant2) : [2 x *], [2] -> [2 x *]",
    ]
    assert [node.is_learnable for node in network.parameters] == [False, True]
    assert network["W"].value is not None
    np.testing.assert_array_equal(network["W"].value.array(), [[0, 1], [2, 3], [4, 5]])
    assert {g: [n.name for n in nodes] for g, nodes in network.groups.items() if nodes} == {
        "feature": ["x"],
        "output": ["z"],
    }
    assert (network.precision, model.version(tmp_path / "m")) == ("float", None)


def test_a_block_a_combination_and_names(tmp_path: Path) -> None:
    inputs = [X, variable(4, "Placeholder1"), variable(2, "Parameter2", (3,), name="X")]
    block = function(57, "Block5", "Parameter2", "Input0", name="layer") | {
        "block_function_op_name": "Dense",
        "block_function_composite": {"type": "CompositeFunction", "root": "Tanh4"},
        "block_function_composite_arguments_map_keys": ["Placeholder1"],
        "block_function_composite_arguments_map_values": ["Input0"],
    }
    functions = [
        function(19, "Plus3", "Placeholder1", "Parameter2"),
        function(2, "Tanh4", "Plus3_Output_0", name="inside"),
        block,
        function(62, "NoOp6", "Block5_Output_0", name="layer"),
        function(44, "Combine7", "NoOp6_Output_0", "Block5_Output_0"),
    ]
    network = read(tmp_path, composite(inputs, functions))
    # 'x' and 'X', and both 'layer', are one name: identifiers stand in their place
    assert prototypes(network) == [
        "Plus3 = Plus (Input0, Parameter2) : [3 x *], [3] -> [3 x *]",
        "Tanh4 = Tanh (Plus3) : [3 x *] -> [3 x *]",
        "NoOp6 = Pass (Tanh4) : [3 x *] -> [3 x *]",
    ]
    assert [n.name for n in network.groups["output"]] == ["NoOp6", "Tanh4"]


def test_recurrence_and_axes(tmp_path: Path) -> None:
    other = [Axis(DYNAMIC, "words", True), BATCH_AXIS]
    inputs = [
        variable(0, "Input0", (3,), dynamic_axis=other, is_sparse=True),
        variable(0, "Input1", (3,), dynamic_axis=[BATCH_AXIS]),
        variable(4, "Plus3_Output_0", (3,)),
        variable(3, "Constant2", ()),
    ]
    functions = [
        function(37, "PastValue4", "Plus3_Output_0", "Constant2", offset=Size(2)),
        function(19, "Plus3", "PastValue4_Output_0", "Input0"),
        function(39, "ReduceElements5", "Plus3_Output_0", axis=Axis(ALL, "AllAxes", False), reductionOpName="Sum",
                 reductionKeepDimensions=False),
        function(39, "ReduceElements6", "Input1", axis=Axis(ALL_STATIC, "", False), reductionOpName="Max"),
        function(44, "Combine7", "ReduceElements5_Output_0", "ReduceElements6_Output_0"),
    ]  # fmt: skip
    network = read(tmp_path, composite(inputs, functions))
    assert prototypes(network) == [
        "PastValue4 = PastValue (Plus3, Constant2) : [3 x words], [] -> [3 x words]",
        "Plus3 = Plus (PastValue4, Input0) : [3 x words], [3 x words] -> [3 x words]",
        "ReduceElements5 = ReduceElements (Plus3) : [3 x words] -> [1]",
        "ReduceElements6 = ReduceElements (Input1) : [3 x __noSequenceAxis] -> [1 x __noSequenceAxis]",
    ]
    assert [n.op for n in network.inputs] == ["SparseInputValue", "InputValue"]


def axis(number: int) -> Axis:
    return Axis(number, f"staticAxisIdx={number}", True)


@pytest.mark.parametrize(("dims", "weights", "op", "attributes", "result"), [
    ((2, 3), (), 12, {"axis1": axis(0), "axis2": axis(1)}, "TransposeDimensions [3 x 2 x *]"),
    ((2, 3, 4), (), 12, {"axisVec": [axis(2), axis(0), axis(1)]}, "TransposeDimensions [4 x 2 x 3 x *]"),
    ((5,), (), 14, {"axis": axis(0), "beginIndex": 1, "endIndex": 0}, "Slice [4 x *]"),
    ((5, 4), (), 14, {"axisVec": [axis(0), axis(1)], "beginIndexVec": [0, 1], "endIndexVec": [2, 4], "sliceStridesVec": [1, 3]},
     "Slice [2 x 1 x *]"),
    ((2, 3), (), 16, {"newShape": (2**64 - 1,)}, "Reshape [6 x *]"),
    ((2, 3, 4), (), 16, {"newShape": (12,), "beginAxis": axis(1), "endAxis": axis(3)}, "Reshape [2 x 12 x *]"),
    ((2, 1, 4), (), 88, {"axis": axis(1)}, "Reshape [2 x 4 x *]"),
    ((9, 8, 4), (), 17, {"poolingType": Size(1), "poolingWindowShape": (2, 2), "strides": (2, 2), "lowerPad": (0,), "upperPad": (0,),
                         "autoPadding": [False]}, "Pooling [4 x 4 x 4 x *]"),
    ((9, 8, 4), (3, 3, 4, 8), 33, {"strides": (1, 1, 4), "sharing": [True], "autoPadding": [True, True, False], "lowerPad": (0,),
                                   "upperPad": (0,), "transpose": False, "maxTempMemSizeInSamples": Size(0)}, "Convolution [9 x 8 x 8 x *]"),
    ((9,), (), 43, {"axis": axis(1)}, "RowStack [9 x 1 x *]"),
    ((9,), (), 87, {"numItems": Size(2)}, "TopK [2 x *]"),
    ((9,), (), 83, {"paddingHead": [Size(1)], "paddingFoot": [Size(2)], "paddingMode": Size(0), "paddingConstantValue": 0.0}, "Padding [12 x *]"),
    ((2,), (), 68, {"numClass": Size(10), "oneHotOutputSparse": False, "onehotAxis": axis(1)}, "OneHot [2 x 10 x *]"),
    ((2,), (), 91, {"newDataType": 2}, "Cast [2 x *]"),
    ((2,), (), 76, {"randomDistributionType": "normal", "randomDistributionArgs": [0.0, 1.0], "rngSeed": Size(3), "rngOffset": Size(0)},
     "RandomDistribution [2 x *]"),
    ((2,), (), 15, {"dropoutRate": 0.5, "rngSeed": Size(3), "rngOffset": Size(0)}, "Dropout [2 x *]"),
    ((3, 4), (), 68, {"numClass": Size(10), "oneHotOutputSparse": False, "onehotAxis": axis(-1)}, "OneHot [3 x 4 x 10 x *]"),
])  # fmt: skip
def test_attributes(
    dims: tuple[int, ...], weights: tuple[int, ...], op: int, attributes: dict[str, Any], result: str, tmp_path: Path
) -> None:
    inputs = [variable(0, "Input0", dims)] + ([variable(2, "Parameter1", weights)] if weights else [])
    operands = ["Parameter1", "Input0"] if weights else ["Input0"]
    network = read(tmp_path, composite(inputs, [function(op, "f", *operands, **attributes)]))
    assert f"{network['f'].op} {network['f'].shape}" == result


@pytest.mark.parametrize(("op", "operation", "order"), [
    (35, "CrossEntropyWithSoftmax", ["b", "a"]), (36, "ClassificationError", ["b", "a"]), (34, "SquareError", ["a", "b"]),
])  # fmt: skip
def test_operands_in_the_order_of_the_operation(op: int, operation: str, order: list[str], tmp_path: Path) -> None:
    inputs = [variable(0, "a", (3,)), variable(0, "b", (3,))]
    node = read(tmp_path, composite(inputs, [function(op, "f", "a", "b")]))["f"]
    assert (node.op, [i.name for i in node.inputs]) == (operation, order)


def test_two_outputs_and_a_function_of_the_program(tmp_path: Path) -> None:
    own = {"type": "UserDefinedFunction", "uid": "Mine2", "inputs": ["TopK1_Output_1"], "native": False}
    functions = [function(87, "TopK1", "Input0", numItems=Size(2)), own]
    network = model.read(write(tmp_path / "m", composite([X], functions)))
    assert [f"{n.name} = {n.op}" for n in network if n.inputs] == [
        "TopK1 = TopK",
        "TopK1_Output_1 = OutputMultiplexer",
        "Mine2 = UserDefinedV2Function",
    ]
    assert ["the code of another program" in f.message for f in validate(network).findings] == [True]


def test_values_behind_the_message(tmp_path: Path) -> None:
    big = np.arange(6, dtype=np.float64).reshape(3, 2)
    inputs = [
        variable(2, "Parameter0", (2, 3), value=array(big), data_type=Size(2)),
        variable(2, "Parameter1", (3,)),
        variable(2, "Parameter2", (1,), value=array(np.array([7], np.float32))),
    ]
    values = composite(
        inputs, [function(31, "f", "Parameter0", "Parameter1", outputRank=Size(1), inferInputRankToMap=-1)]
    )
    path = write(tmp_path / "m", values, limit=0)
    assert path.read_bytes().startswith(SPLIT)
    network = model.read(path)
    assert network.precision == "double"
    for name, expected in (("Parameter0", big), ("Parameter1", [0, 1, 2]), ("Parameter2", [7])):
        found = network[name].value
        assert found is not None
        np.testing.assert_array_equal(found.array(), expected)


def test_double_precision_also_in_loops(tmp_path: Path) -> None:
    inputs = [variable(0, "Input0", (3,), data_type=Size(2)), variable(4, "Plus2_Output_0", (3,))]
    inputs.append(variable(3, "Constant3", (), value=array(np.array(0.0)), data_type=Size(2)))
    functions = [
        function(2, "Tanh4", "PastValue1_Output_0"),
        function(37, "PastValue1", "Plus2_Output_0", "Constant3", offset=Size(1)),
        function(19, "Plus2", "Tanh4_Output_0", "Input0"),
        function(91, "Cast5", "Plus2_Output_0", newDataType=1),
    ]
    network = read(tmp_path, composite(inputs, functions))
    assert {n.name: n.precision for n in network if n.inputs} == {
        "Tanh4": "double", "PastValue1": "double", "Plus2": "double", "Cast5": "float",
    }  # fmt: skip


def test_structure_without_numpy(tmp_path: Path) -> None:
    path = write(tmp_path / "m", composite([X, variable(2, "W", (3,))], [function(19, "f", "Input0", "W")]))
    code = "import sys; from bsls.modelfile import model; model.read(sys.argv[1]); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_what_v1_files_cannot_hold(tmp_path: Path) -> None:
    network = read(tmp_path, composite([X], [function(95, "f", "Input0", name="tan")]))
    with pytest.raises(BsError, match=r"'tan'.*Tan is an operation of the v2 library"):
        v1.write(network, tmp_path / "v1")
    assert not (tmp_path / "v1").exists()


PLUS = function(19, "f", "Input0", "W")


@pytest.mark.parametrize(("values", "words"), [
    ({"Version": Size(1), "Learners": []}, "is a training checkpoint"),
    ({"type": "Something", "inputs": [], "primitive_functions": [], "root": "f"}, "it holds no model"),
    (composite([X], [PLUS]), "there is nothing that computes 'W'"),
    (composite([X, variable(2, "W", (3,), value=1.0)], [PLUS]), "the values of 'W' have not its shape"),
    (composite([X, variable(2, "W", (3,), shape=(4,))], [PLUS]), "the values of 'W' have not its shape"),
    (composite([X, variable(2, "W", (3,), data_type=Size(9))], [PLUS]), "elements of an unknown type"),
    (composite([X, variable(7, "W", (3,))], [PLUS]), "of the unknown kind 7"),
    (composite([X, X], [PLUS]), "'Input0' is there twice"),
    (composite([X], [function(98, "f", "Input0")]), "of the unknown number 98"),
    (composite([X], [function(14, "f", "Input0")]), "an attribute of 'f' (Slice) is missing"),
    (composite([X], [function(14, "f", "Input0", axis=axis(-1), beginIndex=0, endIndex=1)]), "is or has the axis staticAxisIdx=-1"),
    (composite([X], [function(31, "f", "Input0", "Input0", outputRank="1", inferInputRankToMap=-1)]), "attribute 'outputRank' of 'f' (Times) is 1"),
    (composite([X], [function(2, "f", "Input0", "Input0")]), "function 'f' (Tanh) has 2 inputs"),
    (composite([X], [function(44, "f", "g_Output_0"), function(44, "g", "f_Output_0")]), "stands for itself"),
    (composite([X], [function(2, "f", "Input0")]) | {"root": "g"}, "nothing that computes its root 'g'"),
    (composite([X], [function(2, "f", "Input0")]) | {"inputs": 3}, "'inputs' in the model is missing or of another type"),
])  # fmt: skip
def test_what_is_no_model(values: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(BsError) as caught:
        model.read(write(tmp_path / "CompositeFunction", values))
    assert words in str(caught.value.finding)


@pytest.mark.parametrize("limit", [0, 2**31])
def test_damaged_files(limit: int, tmp_path: Path) -> None:
    """Cut anywhere or with any byte changed: a network or one error, nothing else."""
    inputs = [X, variable(2, "W", (2, 3)), variable(2, "b", (2,), value=array(np.zeros(2, np.float32)))]
    functions = [
        function(31, "t", "W", "Input0", outputRank=Size(1), inferInputRankToMap=-1),
        function(19, "p", "t_Output_0", "b"),
        function(14, "s", "p_Output_0", axis=axis(0), beginIndex=0, endIndex=1, name="z"),
    ]
    path = write(tmp_path / "m", composite(inputs, functions), limit=limit)
    whole = path.read_bytes()
    chance = random.Random(1)
    damaged = [whole[:i] for i in range(len(whole))]
    for _ in range(2000):
        at = chance.randrange(len(whole))
        damaged.append(whole[:at] + bytes([chance.randrange(256)]) + whole[at + 1 :])
    for data in damaged:
        path.write_bytes(data)
        try:
            network = model.read(path)
            validate(network)
            for parameter in network.parameters:
                assert parameter.value is not None
                parameter.value.array()
        except BsError as error:
            assert error.finding.rule == "model-file"


def test_a_file_of_the_library_itself() -> None:
    network = model.read(Path(__file__).parents[1] / "golden" / "models" / "tiny.v2.model")
    assert validate(network).findings == []
    assert prototypes(network) == ["Abs4 = Abs (i1) : [2 x 1 x *] -> [2 x 1 x *]"]
