"""Initial values against those the reference wrote, to the last digit it printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.network.node import ArrayWeights, Node
from bsls.shape import Shape
from bsls.source import Source
from bstorch.initialisation import fans, initial_values, initialisation_line

GOLDEN = Path(__file__).parent.parent / "golden" / "init"


def parameter(*dims: int, name: str = "W", precision: str = "float", **attributes: object) -> Node:
    return Node(
        "LearnableParameter",
        name,
        attributes=attributes,
        precision=precision,
        shape=Shape(dims),
        origin=Source("net.cntk", "W = Parameter").span(4, 13),
    )


def column_major(node: Node) -> list[float]:
    values = initial_values(node)
    assert node.shape is not None and values.shape == tuple(reversed(node.shape.dims))
    return values.reshape(-1).tolist()


def written(file: str) -> list[float]:
    """What `write` made: one column of a parameter a line."""
    return [float(word) for word in (GOLDEN / file).read_text().split()]


def dumped(file: str, name: str) -> list[float]:
    """What `dumpNode` made: one row of a parameter a line."""
    text = (GOLDEN / file).read_text()
    block = re.search(rf"(?m)^ ?{re.escape(name)}=LearnableParameter \[(\d+),(\d+)\].*\n([^#]*)", text)
    assert block
    rows = np.array([float(w) for w in block[3].split()]).reshape(int(block[1]), int(block[2]))
    return rows.T.reshape(-1).tolist()


KINDS = {
    "U": "uniform",
    "G": "gaussian",
    "N": "normal",
    "X1": "xavier",
    "GU": "glorotUniform",
    "GN": "glorotNormal",
    "HU": "heUniform",
    "HN": "heNormal",
    "U1": "uniform1",
    "TN": "TruncNormal",
}


@pytest.mark.parametrize(("file", "seed"), [(file, seed) for seed, file in enumerate(KINDS, 1)])
def test_every_kind(file: str, seed: int) -> None:
    assert column_major(parameter(5, 7, init=KINDS[file], randomSeed=seed)) == pytest.approx(
        written(f"every-kind/p.{file}"), abs=6e-10
    )


@pytest.mark.parametrize(
    ("name", "seed", "kind", "scale"),
    [("A", 1, "uniform", 1), ("B", 2, "gaussian", 1), ("C", 3, "glorotUniform", 0.3), ("D", 4, "heNormal", 1)],
)
def test_double_precision_to_the_last_bit(name: str, seed: int, kind: str, scale: float) -> None:
    assert column_major(
        parameter(2, 4, precision="double", init=kind, randomSeed=seed, initValueScale=scale)
    ) == dumped("double.txt", name)


INFERRED = [
    ("W1", (3, 4), "glorotUniform", 2, "init dims=[3 x 4], range=0.925820(0.925820*1.000000)"),
    ("b1", (3,), "gaussian", 3, "init dims=[3 x 1], range=0.200000(0.200000*1.000000)"),
    ("W2", (2, 3), "heNormal", 1, "init dims=[2 x 3], range=0.816497(0.816497*1.000000)"),
    (
        "z.PlusArgs[0].PlusArgs[1].W",
        (2, 2, 2),
        "glorotUniform",
        4,
        "init dims=[2 x 4], range=1.000000(1.000000*1.000000)",
    ),
    ("K", (2, 2, 2), "uniform", 5, "init dims=[2 x 4], range=0.050000(0.050000*1.000000)"),
]


@pytest.mark.parametrize(("name", "dims", "kind", "seed", "rest"), INFERRED)
def test_inferred_shapes_and_their_log_line(name: str, dims: tuple[int, ...], kind: str, seed: int, rest: str) -> None:
    node = parameter(*dims, name=name, init=kind, randomSeed=seed)
    assert column_major(node) == pytest.approx(dumped("inferred.txt", name), abs=6e-9)
    assert (
        initialisation_line(node)
        == f"Node '{name}' (LearnableParameter operation): Initializing Parameter{Shape(dims)} <- {kind}(seed={seed}, {rest}, onCPU=true."
    )


FANS = [
    ("P1", 1, (5, 2, 3, 4), {"init": "glorotUniform"}),
    ("P3", 2, (2, 2, 4, 6), {"init": "glorotUniform", "initFilterRank": 2, "initOutputRank": -1}),
    ("P4", 3, (2, 2, 4, 6), {"init": "heNormal", "initFilterRank": 2, "initOutputRank": -1}),
    ("P5", 4, (2, 2, 4, 6), {"init": "heNormal"}),
    ("P6", 5, (2, 3, 4, 3), {"init": "xavier", "initOutputRank": -1}),
    ("P7", 6, (6,), {"init": "gaussian"}),
    ("P8", 7, (6, 1), {"init": "glorotNormal"}),
]


@pytest.mark.parametrize(("name", "seed", "dims", "attributes"), FANS)
def test_fans_of_tensors(name: str, seed: int, dims: tuple[int, ...], attributes: dict[str, object]) -> None:
    assert column_major(parameter(*dims, randomSeed=seed, **attributes)) == pytest.approx(
        written(f"fans/f.{name}"), abs=6e-9
    )


@pytest.mark.parametrize(
    ("file", "n", "first", "kind", "seed"),
    [("tail", 4000, 3600, "normal", 1), ("late", 4000, 3900, "uniform", 3), ("T1", 400, 0, "TruncNormal", 5)],
)
def test_long_streams_stay_in_step(file: str, n: int, first: int, kind: str, seed: int) -> None:
    values = column_major(parameter(n, precision="double", init=kind, randomSeed=seed))
    assert values[first:] == pytest.approx(written(f"long/n.{file}"), abs=6e-10)


def test_fans() -> None:
    assert fans((5,)) == (1, 5)
    assert fans((3, 4)) == (4, 3)
    assert fans((5, 2, 3, 4), 0, 2) == (12, 10)
    assert fans((3, 3, 8, 16), 2, -1) == (72, 144)
    with pytest.raises(ValueError, match="more than the 1 of"):
        fans((5,), 1, -1)


def test_constants() -> None:
    assert column_major(parameter(2, 3, init="fixedValue", value=0.25)) == [0.25] * 6
    assert column_major(parameter(2, init="zero")) == [0, 0]
    assert column_major(parameter(1, precision="double", init="fixedValue", value=0.1)) == [float(np.float32(0.1))]
    assert initial_values(parameter(2, init="zero")).dtype == np.float32


def test_scale_0_is_0() -> None:
    assert column_major(parameter(2, init="uniform", initValueScale=0)) == [0, 0]
    assert column_major(parameter(2, init="TruncNormal", initValueScale=0)) == [0, 0]


def test_loaded_weights_win() -> None:
    node = parameter(2, init="uniform")
    node.value = ArrayWeights(np.array([1.0, 2.0]))
    assert column_major(node) == [1, 2]


def test_bilinear() -> None:
    kernel = initial_values(parameter(3, 3, 2, 2, init="bilinear"))
    plane = [[0.25, 0.5, 0.25], [0.5, 1, 0.5], [0.25, 0.5, 0.25]]
    assert kernel[0, 0].tolist() == kernel[1, 1].tolist() == plane
    assert not kernel[0, 1].any() and not kernel[1, 0].any()
    assert initial_values(parameter(4, 4, 1, 1, init="bilinear"))[0, 0, 0].tolist() == [0.0625, 0.1875, 0.1875, 0.0625]


def test_from_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.txt").write_text("1 2 3 4\n\n 5\t6 7 8e0 \n")
    matrix = initial_values(parameter(2, 4, init="fromFile", initFromFilePath="w.txt"))
    assert matrix.T.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    tensor = initial_values(parameter(2, 2, 2, init="fromFile", initFromFilePath="w.txt"))
    assert tensor.reshape(-1).tolist() == [1, 5, 2, 6, 3, 7, 4, 8]


def test_from_literal() -> None:
    assert initial_values(parameter(1, 2, init="fromLiteral", initFromLiteral="0.3 -0.2")).T.tolist() == [
        [np.float32(0.3), np.float32(-0.2)]
    ]
    assert column_major(parameter(2, 2, init="fromLiteral", initFromLiteral="1 2\n    3 4")) == [1, 3, 2, 4]
    assert column_major(parameter(2, init="fromLiteral", initFromLiteral="0.5\r\n -0.5\n  ")) == [0.5, -0.5]


WRONG = [
    (
        {"init": "uniform", "initValueScale": -1},
        "init-scale",
        "initValueScale = -1 turns the range of 'uniform' around",
    ),
    ({"init": "TruncNormal", "initValueScale": -2}, "init-scale", "deviation of 'TruncNormal' negative"),
    ({"init": "truncNormal"}, "init-kind", "there is no init='truncNormal'"),
    ({"init": "gauss"}, "init-kind", "there is no init='gauss'"),
    ({"init": "bilinear"}, "init-bilinear", r"its shape is \[2 x 3\]"),
    ({"init": "gaussian", "initFilterRank": 2}, "init-rank", "2 filter and 1 output dimensions"),
    ({"init": "fromFile"}, "init-file", "needs initFromFilePath"),
    (
        {"init": "fromFile", "initFromFilePath": "no/such.txt"},
        "missing-file",
        "cannot read 'no/such.txt': No such file",
    ),
    ({"init": "fromLiteral"}, "init-literal", "needs initFromLiteral"),
    (
        {"init": "fromLiteral", "initFromLiteral": "1 2 3"},
        "init-values",
        r"\[2 x 3\] needs 2 rows of 3 numbers, but initFromLiteral has 1 row of 3 numbers",
    ),
    (
        {"init": "fromLiteral", "initFromLiteral": "1 2 3\n4 5"},
        "init-values",
        "initFromLiteral:2: 2 values in this row, 3 in the first one",
    ),
    (
        {"init": "fromLiteral", "initFromLiteral": "1 2 3\n4 5 1,5"},
        "init-values",
        "initFromLiteral:2: '1,5' is not a number",
    ),
]


@pytest.mark.parametrize(("attributes", "rule", "message"), WRONG)
def test_wrong_settings(attributes: dict[str, object], rule: str, message: str) -> None:
    node = parameter(2, 3, **attributes)
    with pytest.raises(BsError, match=message) as caught:
        initial_values(node)
    assert caught.value.finding.rule == rule
    assert caught.value.finding.span is node.origin
    assert str(caught.value).startswith("net.cntk:1:5: parameter 'W'")


def test_unknown_dimensions() -> None:
    with pytest.raises(BsError, match=r"the dimensions of parameter 'W' are not known: \[2 x 0\]"):
        initial_values(parameter(2, 0))
