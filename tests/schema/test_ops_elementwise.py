from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize("operation", [n for n in OPS if OPS[n].inputs == ("x",) and OPS[n].shape is OPS["Abs"].shape])
def test_one_operand(operation):
    assert shape_of(operation, "[3 x 2 x *]") == "[3 x 2 x *]"


@pytest.mark.parametrize(
    ("operands", "result"),
    [
        ("[3 x *], [3 x *]", "[3 x *]"),
        ("[3 x *], [3]", "[3 x *]"),
        ("[3], [3 x *]", "[3 x *]"),
        ("[3 x *], [1]", "[3 x *]"),
        ("[4 x *], [1 x 1]", "[4 x 1 x *]"),
        ("[4 x *], [4 x 1]", "[4 x 1 x *]"),
        ("[2], [2 x 3 x *]", "[2 x 3 x *]"),
        ("[2 x 1], [1 x 3]", "[2 x 3]"),
        ("[2 x t], [2 x *]", "[2 x t]"),
        ("W[0], [3 x *]", "[3 x *] | [3], [3 x *]"),
        ("W[0 x 0], [3 x *]", "[3 x *] | [3], [3 x *]"),
        ("[3 x 2 x *], W[3 x 0]", "[3 x 2 x *] | [3 x 2 x *], [3 x 2]"),
        ("W[0 x 1], [3 x 2 x *]", "[3 x 2 x *] | [3 x 1], [3 x 2 x *]"),
        ("W[4 x 0], [4 x 5 x 6 x *]", "[4 x 5 x 6 x *] | [4 x 5 x 6], [4 x 5 x 6 x *]"),
    ],
)
def test_two_operands(operands, result):
    assert shape_of("Plus", operands) == result


@pytest.mark.parametrize(
    ("operands", "result"),
    [
        ("[1], [3 x *], [3]", "[3 x *]"),
        ("[2 x 1 x *], [1 x 4], [1]", "[2 x 4 x *]"),
        ("[1 x 1], [1 x 1], [4 x *]", "[4 x 1 x *]"),
        ("[1], W[0], [4 x *]", "[4 x *] | [1], [1], [4 x *]"),
        ("[1], [4 x *], W[0]", "[4 x *] | [1], [4 x *], [1]"),
    ],
)
def test_three_operands(operands, result):
    assert shape_of("If", operands) == result


def test_what_does_not_fit():
    assert error_of("Plus", "[3 x *], [4 x *]") == (
        "'a' [3 x *] and 'b' [4 x *] do not fit element by element; "
        "dimension 1 is 3 and 4: it must be the same in both, or 1 in one of them"
    )
    assert "both have 6 elements" in error_of("ElementTimes", "[2 x 3 x *], [3 x 2]")
    assert "dimension 2 is 3 and 2" in error_of("Clip", "[1], [4 x 3], [4 x 2 x *]")
    assert "operand 'a' [3 x 0] has no elements" in error_of("Minus", "W[3 x 0], [3 x *]")


def test_unknown_and_unvisited_operands_pass_before_the_end():
    for operands, result in (("[0], [4 x *]", "[4 x *]"), ("[], [4 x *]", "[4 x *]"), ("[0], [0]", "[0]")):
        ctx = context("Plus", operands, {})
        assert str(OPS["Plus"].shape(ctx)) == result
    assert str(OPS["Plus"].shape(context("Plus", "[3], [4]", {}))) == "[3]"
    assert str(OPS["Clip"].shape(context("Clip", "[], [0], [4 x *]", {}))) == "[4 x *]"


def test_a_parameter_beside_an_unvisited_operand_takes_rank_0():
    ctx = context("Plus", "W[0], []", {})
    OPS["Plus"].shape(ctx)
    assert ctx.inputs[0].dims == ()
