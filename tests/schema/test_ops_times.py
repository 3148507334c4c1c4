from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize(
    ("operands", "attributes", "result"),
    [
        ("W[3 x 4], [4 x *]", {}, "[3 x *]"),
        ("W[3 x 0], [4 x *]", {}, "[3 x *] | [3 x 4], [4 x *]"),
        ("W[3 x 4], [4 x 5 x *]", {}, "[3 x 5 x *]"),
        ("W[2], [4 x *]", {}, "[2 x 4 x *]"),
        ("W[2 x 0], [2 x 2 x *]", {}, "[2 x 2 x *] | [2 x 2], [2 x 2 x *]"),
        ("W[2 x 0], [2 x 2 x *]", {"inferInputRankToMap": 0}, "[2 x *] | [2 x 2 x 2], [2 x 2 x *]"),
        ("W[2 x 0], [2 x 2 x *]", {"inferInputRankToMap": 1}, "[2 x 2 x *] | [2 x 2], [2 x 2 x *]"),
        ("W[3 x 0], [4 x 5 x 6 x *]", {"inferInputRankToMap": 1}, "[3 x 6 x *] | [3 x 4 x 5], [4 x 5 x 6 x *]"),
        ("W[3 x 2 x 0], [5 x *]", {"outputRank": 2}, "[3 x 2 x *] | [3 x 2 x 5], [5 x *]"),
        ("W[5 x 2 x 2 x 3], [2 x 3 x *]", {"outputRank": 2}, "[5 x 2 x *]"),
        ("W[10 x 24], [2 x 2 x 6 x *]", {}, "[10 x *] | [10 x 2 x 2 x 6], [2 x 2 x 6 x *]"),
        ("W[10 x 4], [2 x 2 x 6 x *]", {}, "[10 x 6 x *] | [10 x 2 x 2], [2 x 2 x 6 x *]"),
        ("[3 x 4 x *], [4 x *]", {}, "[3 x *]"),
        ("[3 x 4 x *], [4 x *]", {"inferInputRankToMap": -2}, "[3 x __noSequenceAxis]"),
    ],
)
def test_product(operands, attributes, result):
    assert shape_of("Times", operands, **attributes) == result


@pytest.mark.parametrize(
    ("operands", "result"),
    [
        ("W[4 x 3], [4 x *]", "[3 x *]"),
        ("W[0 x 3], [4 x *]", "[3 x *] | [4 x 3], [4 x *]"),
        ("[4 x *], [4 x *]", "[1 x *]"),
        ("W[2 x 3], [2 x 5 x *]", "[3 x 5 x *]"),
    ],
)
def test_transposed_product(operands, result):
    assert shape_of("TransposeTimes", operands) == result


@pytest.mark.parametrize(
    ("operation", "operands", "result"),
    [
        ("DiagTimes", "W[0], [4 x *]", "[4 x *] | [4], [4 x *]"),
        ("DiagTimes", "W[4 x 1], [4 x 3]", "[4 x 3]"),
        ("KhatriRaoProduct", "[2 x *], [3 x *]", "[6 x *]"),
        ("LookupTable", "W[5 x 20], [60 x *]", "[15 x *]"),
        ("QuantizedTimes", "W[3 x 0], [4 x *]", "[3 x *] | [3 x 4], [4 x *]"),
    ],
)
def test_other_products(operation, operands, result):
    assert shape_of(operation, operands) == result


@pytest.mark.parametrize(
    ("operands", "attributes", "words"),
    [
        ("W[3 x 4], [6 x *]", {}, "the inner dimensions are [4] and [6]; 'a' would have to be [3 x 6]; a 0 in its"),
        ("[4 x *], W[3 x 4]", {}, None),
        ("[3 x 8 x *], [4 x 3]", {}, "'b * a' would fit"),
        ("W[10 x 25], [2 x 2 x 6 x *]", {}, "inner dimensions are [25] and [2]"),
        ("W[3 x 4 x 5], [4 x *]", {}, "reduces over 2 axes, but the right operand 'b' [4 x *] has only 1"),
        ("W[3], [4 x *]", {"outputRank": 2}, "'a' [3] has fewer than outputRank = 2 axes"),
        ("W[0 x 4], [4 x *]", {}, "the output dimensions of 'a' [0 x 4] are not given"),
        ("W[3 x 4], [4 x *]", {"inferInputRankToMap": -2}, "operand 'a' [3 x 4] has no dynamic axis"),
        ("[3 x 4 x *], [5 x *]", {"inferInputRankToMap": -2}, "not of the form [m x k] and [k]"),
    ],
)
def test_wrong_product(operands, attributes, words):
    if words is None:  # an outer product
        assert shape_of("Times", operands, **attributes) == "[4 x 3 x 4 x *]"
    else:
        assert words in error_of("Times", operands, **attributes)


def test_other_errors():
    assert "only a matrix or a vector can be transposed" in error_of("TransposeTimes", "W[2 x 3 x 4], [2 x *]")
    assert "differ in length" in error_of("DiagTimes", "W[3], [4 x *]")
    assert "must be a vector" in error_of("DiagTimes", "W[4 x 2], [4 x *]")
    assert "not a multiple of the 20 columns" in error_of("LookupTable", "W[5 x 20], [50 x *]")
    assert "no dynamic axis" in error_of("LookupTable", "W[5 x 20], [60]")


def test_operands_that_are_not_known_yet():
    assert str(OPS["Times"].shape(context("Times", "W[16 x 2], [0]", {}))) == "[16]"
    assert str(OPS["Times"].shape(context("Times", "W[16 x 2], []", {}))) == "[]"
    assert str(OPS["Times"].shape(context("Times", "W[8 x 2], [1]", {}))) == "[8]"
