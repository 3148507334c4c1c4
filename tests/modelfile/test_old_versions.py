"""Files of older versions, made by hand from the layout: what they mean today."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bsls.modelfile import v1
from bsls.modelfile.binary import BinaryWriter
from bsls.modelfile.weights import write_matrix
from bsls.network.network import Network
from bsls.schema import ops
from bsls.schema.ops.base import Field, Op
from bsls.shape import Shape

MODELS = Path(__file__).parents[1] / "golden" / "models"

Payload = Callable[[BinaryWriter], Any]


def nothing(_: BinaryWriter) -> None:
    pass


def items(*calls: tuple[str, object]) -> Payload:
    """A payload of items: (name of the writer's method, value)."""

    def payload(writer: BinaryWriter) -> None:
        for method, value in calls:
            getattr(writer, method)(value)

    return payload


def matrix(writer: BinaryWriter, rows: int, values: list[float]) -> None:
    write_matrix(writer, np.array(values), rows, len(values) // rows, 4)


def parameter(values: list[float], version: int) -> Payload:
    def payload(writer: BinaryWriter) -> None:
        if version < 3:
            items(("flag", True), ("u64", len(values)), ("u64", 1))(writer)
        else:
            items(("f32", 1.0), ("shape", (len(values),)))(writer)
        matrix(writer, len(values), values)

    return payload


def input_node(dim: int) -> Payload:
    return items(("u64", dim), ("u64", 1), ("shape", (dim,)))


def read(folder: Path, version: int, *nodes: tuple[str, str, Payload, list[str]], criterion: str = "") -> Network:
    """The network of a file of `version` with nodes (operation, name, payload, inputs)."""
    file = BytesIO()
    writer = BinaryWriter(file)
    writer.marker("BCN")
    if version > 1:
        items(("marker", "BVersion"), ("u64", version), ("marker", "EVersion"))(writer)
    writer.u64(len(nodes))
    writer.marker("BNodeList")
    for operation, name, payload, _ in nodes:
        if version >= 7:
            writer.text("float")
        items(("text", operation), ("text", name))(writer)
        payload(writer)
    items(("marker", "ENodeList"), ("marker", "BRelation"))(writer)
    for _, name, _, inputs in nodes:
        items(("text", name), ("u64", len(inputs)), *[("text", i) for i in inputs])(writer)
    items(("marker", "ERelation"), ("marker", "BRootNodes"), ("marker", "ELabelNodes"))(writer)
    if criterion:
        items(("marker", "BCriteriaNodes"), ("u64", 1), ("text", criterion), ("marker", "ECriteriaNodes"))(writer)
    items(("marker", "ERootNodes"), ("marker", "ECN"))(writer)
    (folder / "old").write_bytes(file.getvalue())
    return v1.read(folder / "old")


def test_version_1(tmp_path: Path) -> None:
    network = read(
        tmp_path, 1,
        ("InputValue", "x", input_node(2), []),
        ("LearnableParameter", "w", parameter([1, 2], 1), []),
        ("Delay", "d", items(("i32", 1), ("u64", 2), ("u64", 0)), ["X"]),
        ("Scale", "s", nothing, ["w", "d"]),
        ("RowSlice", "r", items(("i64", 1), ("i64", 1)), ["s"]),
        ("Transpose", "t", nothing, ["s"]),
        ("ErrorPrediction", "e", nothing, ["x", "s"]),
        criterion="e",
    )  # fmt: skip
    operations = {n.name: n.op for n in network}
    assert operations == {
        "x": "InputValue", "w": "LearnableParameter", "d": "PastValue", "s": "ElementTimes", "r": "Slice",
        "t": "TransposeDimensions", "e": "ClassificationError",
    }  # fmt: skip
    assert network["d"].inputs == [network["x"]]
    assert network["d"].attributes["defaultHiddenActivation"] == 0.1
    assert network["d"].attributes["shape"] == (2,)
    w = network["w"].attributes
    assert (w["dims"], w["learningRateMultiplier"]) == ((2, 1), 1.0)
    assert [network["r"].attributes[k] for k in ("beginIndex", "endIndex", "axis")] == [1, 2, 1]
    assert [network["t"].attributes[k] for k in ("axis1", "axis2")] == [1, 2]
    assert network.groups["criterion"] == [network["e"]]


def test_parameter_with_a_legacy_shape(tmp_path: Path) -> None:
    """Rows 0: a shape follows, here in the form of three sizes, and the columns become the last dimension."""

    def payload(writer: BinaryWriter) -> None:
        items(("flag", False), ("u64", 0), ("u64", 2), ("u64", 1), ("u64", 2), ("u64", 3))(writer)
        matrix(writer, 6, [0.0] * 12)

    w = read(tmp_path, 2, ("LearnableParameter", "w", payload, []))["w"].attributes
    assert (w["dims"], w["learningRateMultiplier"]) == ((3, 1, 2, 2), 0.0)


@pytest.mark.parametrize(("rows", "dims"), [(0, (2, 3)), (6, (2, 3)), (5, (5,))])
def test_input_whose_rows_do_not_match(rows: int, dims: tuple[int, ...], tmp_path: Path) -> None:
    payload = items(("u64", rows), ("u64", 1), ("shape", (2, 3)))
    assert read(tmp_path, 7, ("InputValue", "x", payload, []))["x"].attributes["dims"] == dims


def batch_normalization(version: int, payload: Payload, folder: Path) -> Network:
    parameters = [("LearnableParameter", n, parameter([v], version), []) for n, v in zip("sbmv", (1, 0, 0, 2), strict=True)]  # fmt: skip
    return read(
        folder, version,
        ("InputValue", "x", items(("u64", 0), ("u64", 0), ("shape", (1,)), *([("u32", 1), ("text", "")] if version >= 8 else []), *([("f32", 0.0)] if version >= 10 else [])), []),
        *parameters,
        ("BatchNormalization", "z", payload, ["x", "s", "b", "m", "v"]),
    )  # fmt: skip


VERSION_12 = items(("flag", True), ("f64", 5000.0), ("f64", 0.0), ("i32", 1), ("u64", 3), ("f64", 0.5), ("flag", False))
SUB_VERSION_4 = items(
    ("i32", 0x00010004), ("i32", 0x00010004), ("flag", True), ("flag", True), ("f64", 5000.0), ("i32", 1), ("u64", 3),
    ("f64", 0.5), ("flag", False),
)  # fmt: skip


@pytest.mark.parametrize(("version", "payload"), [(5, SUB_VERSION_4), (6, VERSION_12), (12, VERSION_12)])
def test_batch_normalization_before_version_13(version: int, payload: Payload, tmp_path: Path) -> None:
    network = batch_normalization(version, payload, tmp_path)
    z = network["z"]
    wanted = {
        "spatial": True,
        "normalizationTimeConstant": 5000.0,
        "epsilon": 0.5,
        "useCntkEngine": False,
        "runCount": 48,
    }
    assert {k: z.attributes[k] for k in wanted} == wanted
    assert network["v"].value.array().tolist() == [1 / 4 + 0.5]  # type: ignore[union-attr]
    count = z.inputs[5]
    assert (count.name, count.attributes["dims"], count.is_learnable) == ("z.run_sample_count", (1,), False)
    assert count.value.array().tolist() == [0]  # type: ignore[union-attr]
    v1.write(network, tmp_path / "new")
    again = v1.read(tmp_path / "new")
    assert again["v"].value.array().tolist() == [0.75]  # type: ignore[union-attr]
    assert again["z"].attributes["runCount"] == 0


def test_a_file_of_the_reference(tmp_path: Path) -> None:
    """The values of a version 10 model, as CNTK 2.7 printed them."""
    network = v1.read(MODELS / "version10.dnn")
    weights = network["w"].value.array()  # type: ignore[union-attr]
    wanted = [[-2.12661719, -1.18152845], [0.952834427, 2.20572948], [1.21579206, -0.982756078]]
    np.testing.assert_allclose(weights.T, wanted, rtol=1e-6)
    v1.write(network, tmp_path / "new")
    assert v1.read_version(tmp_path / "new") == 31 and v1.read_version(MODELS / "version10.dnn") == 10
    assert [n.name for n in v1.read(tmp_path / "new")] == [n.name for n in network]


def test_convolution_before_version_5(tmp_path: Path) -> None:
    payload = items(
        ("u64", 5), ("u64", 3), ("u64", 2), ("u64", 1), ("u32", 8), ("u32", 1), ("flag", True), ("u64", 4)
    )  # fmt: skip
    network = read(
        tmp_path, 4,
        ("InputValue", "x", items(("u64", 0), ("u64", 1), ("shape", (7, 7, 2))), []),
        ("LearnableParameter", "w", parameter([0.0] * 6, 4), []),
        ("Convolution", "c", payload, ["w", "x"]),
    )  # fmt: skip
    wanted = {
        "kernelShape": (5, 3, 1), "strideShape": (2, 1, 1), "mapCount": (8,), "imageLayout": "CHW", "dimPadding": (True,),
        "convolution2D": True, "maxTempMemSizeInSamples": 4, "dimDilation": (1,), "transpose": False,
    }  # fmt: skip
    attributes = network["c"].attributes
    assert {k: attributes[k] for k in wanted} == wanted


def test_recurrent_stack_before_version_14_swaps_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Op("OptimizedRNNStack", ("W", "x"), lambda _: Shape(()), "")
    monkeypatch.setitem(ops.OPS, stack.name, stack)
    for version, names in ((7, ["w", "x"]), (14, ["x", "w"])):
        x = input_node(2) if version < 8 else items(("u64", 0), ("u64", 1), ("shape", (2,)), ("u32", 0), ("f32", 0.0))
        network = read(
            tmp_path, version,
            ("InputValue", "x", x, []),
            ("LearnableParameter", "w", parameter([1.0], version), []),
            ("OptimizedRNNStack", "r", nothing, ["x", "w"]),
        )  # fmt: skip
        assert [i.name for i in network["r"].inputs] == names


def test_noise_contrastive_estimation_without_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    op = Op(
        "NCEBasedCrossEntropyWithSoftmax", (), lambda _: Shape(()), "", fields=(Field("evalMode", "i32", default=0),)
    )
    monkeypatch.setitem(ops.OPS, op.name, op)
    for payload, mode in ((nothing, 0), (items(("i32", 2)), 2)):
        assert read(tmp_path, 7, (op.name, "n", payload, []))["n"].attributes["evalMode"] == mode
