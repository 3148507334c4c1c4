"""Model files: round trips of files that CNTK 2.7 wrote, damage, refusals, writing."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.shape import Shape

MODELS = Path(__file__).parents[1] / "golden" / "models"
REFERENCE = sorted(p for p in MODELS.glob("*.dnn") if p.stem != "version10")


def bytes_of(network: Network, folder: Path, **rest: object) -> bytes:
    path = folder / "written"
    v1.write(network, path, **rest)  # type: ignore[arg-type]
    return path.read_bytes()


@pytest.mark.parametrize("path", REFERENCE, ids=lambda p: p.stem)
def test_round_trip_is_identical(path: Path, tmp_path: Path) -> None:
    assert bytes_of(v1.read(path), tmp_path) == path.read_bytes()


def test_network_of_a_file() -> None:
    network = v1.read(MODELS / "double.dnn")
    assert [(n.name, n.op, [i.name for i in n.inputs]) for n in network.by_name()] == [
        ("o", "Tanh", ["o.z"]),
        ("o.z", "Times", ["W", "x"]),
        ("sq", "SquareError", ["t", "o"]),
        ("t", "InputValue", []),
        ("W", "LearnableParameter", []),
        ("x", "InputValue", []),
    ]
    assert {g: [n.name for n in nodes] for g, nodes in network.groups.items()} == {
        "feature": ["x", "t"],
        "label": ["t"],
        "criterion": ["sq"],
        "evaluation": ["sq"],
        "output": ["o"],
    }
    assert network.precision == "double"
    assert network["t"].tags == ["feature", "label"]
    assert network["W"].attributes["dims"] == (2, 3)
    assert network["W"].attributes["learningRateMultiplier"] == 1.0
    assert network["o.z"].attributes["outputRank"] == 1


def test_values_have_reversed_dims() -> None:
    # written by hand: (1, 2) in the first column would be the first row here
    weights = v1.read(MODELS / "version10.dnn")["w"].value
    assert weights is not None and weights.dims == (3, 2)
    data = (MODELS / "version10.dnn").read_bytes()
    array = weights.array()
    assert array.shape == (2, 3) and array.dtype == np.float32
    assert array.tobytes() in data


def test_values_of_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes((MODELS / "double.dnn").read_bytes())
    network = v1.read(path)
    path.write_bytes((MODELS / "adam.dnn").read_bytes())
    with pytest.raises(BsError, match="was changed while it was in use"):
        network["W"].value.array()  # type: ignore[union-attr]
    path.unlink()
    with pytest.raises(BsError, match="cannot read"):
        network["W"].value.array()  # type: ignore[union-attr]


def test_structure_is_read_without_numpy() -> None:
    code = "import sys; from bsls.modelfile import v1; v1.read(sys.argv[1]); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(MODELS / "double.dnn")], check=True)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = (MODELS / "double.dnn").read_bytes()
    path = tmp_path / "cut"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(BsError) as caught:
            v1.read(path)
        finding = caught.value.finding
        assert finding.rule == "model-file" and finding.help
        assert finding.message.startswith(f"'{path}' is not a CNTK model, or a damaged one: it ")
        assert finding.message.endswith(f"at byte {end}" if end else "is empty")


def test_a_flipped_byte_never_crashes(tmp_path: Path) -> None:
    chance = random.Random(1)
    path = tmp_path / "flipped"
    for name in ("double", "convolution"):
        data = (MODELS / f"{name}.dnn").read_bytes()
        for at in range(len(data)):
            damaged = bytearray(data)
            damaged[at] ^= chance.choice((0xFF, 0x80, 0x01, chance.randrange(1, 256)))
            path.write_bytes(damaged)
            try:
                network = v1.read(path)
                for node in network:
                    if node.value is not None:
                        node.value.array()
            except BsError as error:
                assert error.finding.rule == "model-file"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\x08\x02\x12\x10", "is a CNTK v2 model"),
        (b"ktnc\0\0\0\0", "is a CNTK v2 model"),
        ("BVersion\0".encode("utf-16-le"), "is a training checkpoint"),
        (b"hello, world", "is not a CNTK model, or a damaged one: it has something else than the mark 'BCN' at byte 0"),
        ("BCN\0BVersion\0".encode("utf-16-le") + b" ".ljust(8, b"\0") + "EVersion\0".encode("utf-16-le"), "version 32, later than version 31"),
        ("BCN\0".encode("utf-16-le") + b"\xff" * 8, "announces 18446744073709551615 items in the header, but ends at byte 16"),
    ],
)  # fmt: skip
def test_foreign_files(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(data)
    with pytest.raises(BsError, match=message):
        v1.read(path)


def test_unknown_operation(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes((MODELS / "double.dnn").read_bytes().replace("Tanh\0".encode("utf-16-le"), "Tamh\0".encode("utf-16-le")))  # fmt: skip
    with pytest.raises(BsError, match="has the node 'o' of the operation 'Tamh', which is not supported"):
        v1.read(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "is not a file"), (tmp_path / "none", "cannot read .*: No such file")):
        with pytest.raises(BsError, match=message):
            v1.read(path)


def parameter(name: str, values: object, precision: str = "float", **attributes: object) -> Node:
    array = np.array(values, dtype=np.float64)
    dims = tuple(reversed(array.shape))
    return Node("LearnableParameter", name, [], {"dims": dims, "learningRateMultiplier": 1.0, **attributes}, precision, value=ArrayWeights(array))  # fmt: skip


def network_of(*nodes: Node) -> Network:
    network = Network()
    for node in nodes:
        network.add(node)
    return network


def test_worked_example(tmp_path: Path) -> None:
    a = parameter("a", [1, -2])
    b = Node("Negate", "b", [a])
    network = network_of(b, a)
    network.tag(b, "output")
    data = bytes_of(network, tmp_path)
    assert len(data) == 697
    assert data[0xC9:0xD1] == b"\x00\x00\x80\x3f\x00\x00\x00\xc0"
    assert data[0x27D:0x281] == b"b\0\0\0"


def test_values_given_by_name_are_written_in_the_precision_of_the_node(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "m"
    network = network_of(parameter("w", [[1, 2], [3, 4], [5, 6]]), parameter("v", [0.1], "double"))
    v1.write(network, path, {"w": np.arange(6.0).reshape(3, 2)})
    read = v1.read(path)
    assert read["w"].value.array().tolist() == [[0, 1], [2, 3], [4, 5]]  # type: ignore[union-attr]
    assert read["w"].value.array().dtype == np.float32  # type: ignore[union-attr]
    assert read["v"].value.array().tolist() == [0.1]  # type: ignore[union-attr]


def test_inferred_dims_are_written(tmp_path: Path) -> None:
    node = parameter("w", [[1, 2]], dims=(2, 0))
    node.shape = Shape((2, 1))
    v1.write(network_of(node), tmp_path / "m")
    assert v1.read(tmp_path / "m")["w"].attributes["dims"] == (2, 1)


def test_batch_normalization_holds_the_count_of_its_parameter(tmp_path: Path) -> None:
    network = v1.read(MODELS / "convolution.dnn")
    data = bytes_of(network, tmp_path, values={"norm.rc": np.array([77.0])})
    assert (77).to_bytes(8, "little") in data
    assert (77).to_bytes(8, "little") not in bytes_of(network, tmp_path)


@pytest.mark.parametrize(
    ("shape", "values", "stored"),
    [(None, None, (0, 0)), (Shape((3,)), [1, 2, 3], (3,)), (Shape((2, 1, 3)), [1, 2, 3, 4, 5, 6], (2, 3))],
)
def test_statistics(shape: Shape | None, values: list[int] | None, stored: tuple[int, ...], tmp_path: Path) -> None:
    """Mean and InvStdDev store their values as a matrix, rows = first dimension, and nothing before they are known."""
    x = Node("InputValue", "x", [], {"dims": (6,)})
    mean = Node("Mean", "m", [x], {"hasComputed": values is not None}, shape=shape)
    v1.write(network_of(x, mean), tmp_path / "m", {} if values is None else {"m": np.array(values)})
    read = v1.read(tmp_path / "m")["m"]
    assert read.value is not None and read.value.dims == stored
    assert read.value.array().reshape(-1).tolist() == (values or [])
    assert read.attributes["hasComputed"] == (values is not None)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (parameter("w", [[1, 2]], dims=(2, 0)), r"its shape \[2 x 0\] is not known"),
        (parameter("w", [[1, 2]], dims=(2, 2)), r"it has 2 values for the shape \[2 x 2\]"),
        (Node("LearnableParameter", "w", [], {"dims": (2,)}), "it has no values yet"),
        (Node("Riddle", "w"), "its operation is not known"),
        (parameter("w", [1], learningRateMultiplier="much"), "its attribute 'learningRateMultiplier' cannot be stored"),
    ],
)
def test_what_cannot_be_saved_leaves_the_old_file(node: Node, message: str, tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"old")
    with pytest.raises(BsError, match=message):
        v1.write(network_of(node), path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_model_can_be_written_over_the_file_it_was_read_from(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes((MODELS / "adam.dnn").read_bytes())
    v1.write(v1.read(path), path)
    assert path.read_bytes() == (MODELS / "adam.dnn").read_bytes()
