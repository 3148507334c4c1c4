from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS
from bsls.schema.ops.reductions import reduced_elements


@pytest.mark.parametrize(
    ("operand", "attributes", "result"),
    [
        ("[2 x 3 x 4 x *]", {"axis": 0}, "[1 x *]"),
        ("[2 x 3 x 4 x *]", {"axis": 1}, "[1 x 3 x 4 x *]"),
        ("[2 x 3 x 4 x *]", {"axis": 3}, "[2 x 3 x 1 x *]"),
        ("[2 x 3 x 4 x *]", {"axis": -1}, "[1]"),
        ("[2 x 3 x *]", {"axis": -2}, "[2 x 3 x __noSequenceAxis]"),
        ("[2 x 3 x *]", {"axis": -3}, "[2 x 3]"),
        ("[2 x 3]", {"axis": 0}, "[1]"),
        ("[2 x 3 x 4 x *]", {"axis": (1, 3)}, "[1 x 3 x 1 x *]"),
        ("[2 x 3 x 4 x *]", {"axis": (1, 3), "keepDimensions": False}, "[3 x *]"),
        ("[2 x 3 x *]", {"axis": 0, "keepDimensions": True}, "[1 x 1 x *]"),
    ],
)
def test_reduce(operand, attributes, result):
    assert shape_of("ReduceElements", operand, reductionOp="Sum", **attributes) == result


@pytest.mark.parametrize(
    ("operation", "operand", "result"),
    [
        ("SumElements", "[2 x 3 x *]", "[1]"),
        ("MatrixL1Reg", "[2 x 3]", "[1]"),
        ("MatrixL2Reg", "[2 x 3 x *]", "[1]"),
        ("SumColumnElements", "[2 x 3 x *]", "[1 x *]"),
        ("SumColumnElements", "[2 x 3]", "[1]"),
    ],
)
def test_sums(operation, operand, result):
    assert shape_of(operation, operand) == result


@pytest.mark.parametrize(
    ("operand", "attributes", "words"),
    [
        ("[2 x 3 x *]", {"axis": 3, "reductionOp": "Sum"}, "'a' [2 x 3 x *] has no axis 3 to reduce over; axes count"),
        ("[2 x 3 x *]", {"axis": 1, "reductionOp": "sum"}, "no reduction 'sum'"),
        ("[2 x 3]", {"axis": -2, "reductionOp": "Sum"}, "no frames, so it cannot be reduced over a sequence"),
        ("[2 x 3]", {"axis": -3, "reductionOp": "Sum"}, "no frames, so it cannot be reduced over the minibatch"),
        ("[2 x *]", {"axis": -2, "reductionOp": "Max"}, "only be reduced by Sum, not by Max"),
    ],
)
def test_wrong_reduction(operand, attributes, words):
    assert words in error_of("ReduceElements", operand, **attributes)


def test_axis_is_not_missed_before_the_shape_is_known():
    ctx = context("ReduceElements", "[0]", {"axis": 2, "reductionOp": "Sum"})
    assert str(OPS["ReduceElements"].shape(ctx)) == "[0]"


def test_elements_of_a_mean():
    x = context("Abs", "[2 x 3 x 4 x *]", {}).inputs[0]
    assert [reduced_elements({"axis": a}, x) for a in (0, -1, 1, 3, (1, 3))] == [24, 24, 2, 4, 8]


def test_keep_dimensions_of_older_files():
    op = OPS["ReduceElements"]
    for axis, keep in ((0, False), (-1, False), (2, True)):
        attributes: dict[str, object] = {"axis": axis, "reductionOp": "Sum"}
        assert op.upgrade and op.stored
        assert op.stored(attributes, [], context("Abs", "[1]", {}).inputs[0]) == {"keepDimensions": keep}
        op.upgrade(attributes, 23)
        assert attributes["keepDimensions"] is keep
