from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize(
    ("operation", "operands", "result"),
    [
        ("SquareError", "[3 x *], [3 x *]", "[1]"),
        ("SquareError", "[1 x *], [3 x *]", "[1]"),
        ("SquareError", "[4 x *], [4 x 1 x *]", "[1]"),
        ("CrossEntropyWithSoftmax", "[3 x *], [3 x *]", "[1]"),
        ("CrossEntropyWithSoftmax", "[3 x t], [3 x *]", "[1]"),
        ("CrossEntropy", "[3 x 2 x *], [3 x 2 x *]", "[1]"),
        ("Logistic", "[1 x *], [1 x *]", "[1]"),
        ("Logistic", "[1 x *], [1 x *], [1 x *]", "[1]"),
        ("Logistic", "[2 x *], [2 x *], W[0]", "[1] | [2 x *], [2 x *], [2]"),
        ("ClassificationError", "[3 x *], [3 x *]", "[1]"),
        ("ClassificationError", "[3 x *], [3 x *], W[1 x 1]", "[1]"),
        ("ClassBasedCrossEntropyWithSoftmax", "[4 x *], [8 x *], W[8 x 100], [10 x *]", "[1]"),
        ("LambdaRank", "[1 x *], [1 x *], [1 x *]", "[1]"),
        ("NDCG1Eval", "[1 x *], [1 x *], [1 x *]", "[1]"),
        ("EditDistanceError", "[5 x *], [5 x *]", "[1]"),
        ("NCEBasedCrossEntropyWithSoftmax", "[8 x *], [5 x *], W[5 x 9], W[1 x 9]", "[1]"),
        ("DummyCriterion", "[1 x *], [5 x *], [5 x *]", "[1]"),
        ("SequenceWithSoftmax", "[5 x *], [5 x *], [5 x *]", "[1]"),
        ("LatticeSequenceWithSoftmax", "[5 x *], [5 x *], [5 x *], [1 x l]", "[1]"),
    ],
)
def test_criterion(operation, operands, result):
    assert shape_of(operation, operands) == result


@pytest.mark.parametrize(
    ("operation", "operands", "words"),
    [
        (
            "CrossEntropyWithSoftmax",
            "[3 x *], [8 x 3 x 8 x *]",
            "the samples of 'a' [3 x *] and 'b' [8 x 3 x 8 x *] differ in shape; 'b' would have to be [3 x *]",
        ),
        ("SquareError", "[3 x *], W[3]", "operand 'b' [3] does not depend on the data"),
        ("SquareError", "W[3], [3 x *]", "operand 'a' [3] does not depend on the data"),
        ("Logistic", "[1 x *], [1 x *], [2 x *]", "the weights 'c' [2 x *] do not match the labels 'a' [1 x *]"),
        ("ClassificationError", "[3 x *], [3 x *], W[2]", "topN must be a single number, not 'c' [2]"),
        ("ClassBasedCrossEntropyWithSoftmax", "[3 x *], [8 x *], W[8 x 9], [2 x *]", "must have 4 elements"),
        ("ClassBasedCrossEntropyWithSoftmax", "[4 x *], [8 x *], W[7 x 9], [2 x *]", "they need 8 rows"),
        ("ClassBasedCrossEntropyWithSoftmax", "[4 x *], [8 x t], W[8 x 9], [2 x *]", "the same dynamic axis"),
    ],
)
def test_wrong_criterion(operation, operands, words):
    assert words in error_of(operation, operands)


def test_nothing_is_wrong_before_the_end():
    for operands in ("[3 x *], []", "[3 x *], [4 x *]", "[], [4]"):
        assert str(OPS["SquareError"].shape(context("SquareError", operands, {}))) == "[1]"
