from __future__ import annotations

import pytest
from op_cases import context, error_of, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize(
    ("operand", "attributes", "result"),
    [
        ("[12 x *]", {"shape": (3, 4)}, "[3 x 4 x *]"),
        ("[12 x *]", {"shape": (2, 0, 3)}, "[2 x 2 x 3 x *]"),
        ("[2 x 2 x 3 x *]", {"shape": (4,), "beginAxis": 1, "endAxis": 3}, "[4 x 3 x *]"),
        ("[3 x 4 x *]", {"shape": (6, 2)}, "[6 x 2 x *]"),
        ("[3 x 4 x *]", {"shape": (0, 2), "beginAxis": 2, "endAxis": 3}, "[3 x 2 x 2 x *]"),
        ("[12 x *]", {"shape": (0, 4), "beginAxis": 1, "endAxis": 2}, "[3 x 4 x *]"),
        ("[4 x *]", {"shape": (1,), "beginAxis": 2, "endAxis": 2}, "[4 x 1 x *]"),
        ("[3 x 4]", {"shape": (12,)}, "[12]"),
    ],
)
def test_reshape(operand, attributes, result):
    assert shape_of("Reshape", operand, **attributes) == result


@pytest.mark.parametrize(
    ("operand", "attributes", "result"),
    [
        ("[12 x *]", {"numRows": 12}, "[1 x 12 x 1 x *]"),
        ("[12 x *]", {"numRows": 24}, "[1 x 24 x 1 x self]"),
        ("[12 x *]", {"numRows": 4}, "[1 x 4 x 1 x self]"),
        ("[12 x *]", {"numRows": 12, "imageWidth": 2, "imageChannels": 3}, "[2 x 2 x 3 x *]"),
        ("[12 x *]", {"numRows": 12, "imageWidth": 1, "imageHeight": 4, "imageLayout": "HWC"}, "[3 x 1 x 4 x *]"),
        ("[12 x *]", {"numRows": 12, "imageShape": (3, 2, 2)}, "[3 x 2 x 2 x *]"),
    ],
)
def test_legacy_reshape(operand, attributes, result):
    assert shape_of("LegacyReshape", operand, **attributes) == result


@pytest.mark.parametrize(
    ("operand", "begin", "end", "axis", "result"),
    [
        ("[8 x *]", 1, 4, 1, "[3 x *]"),
        ("[8 x *]", -3, 0, 1, "[3 x *]"),
        ("[8 x *]", 2, -1, 1, "[5 x *]"),
        ("[8 x *]", 0, 0, 1, "[8 x *]"),
        ("[2 x 4 x *]", 1, 3, 2, "[2 x 2 x *]"),
        ("[2 x 4 x *]", 1, 2, 1, "[1 x 4 x *]"),
        ("[4000]", -400, 0, 1, "[400]"),
    ],
)
def test_slice(operand, begin, end, axis, result):
    assert shape_of("Slice", operand, beginIndex=begin, endIndex=end, axis=axis) == result


def test_several_slices_with_strides():
    several = {"beginIndex": (0, 1), "endIndex": (0, 4), "axis": (1, 2), "stride": (3, -1)}
    assert shape_of("Slice", "[8 x 5 x *]", **several) == "[3 x 3 x *]"


@pytest.mark.parametrize(
    ("operands", "axis", "result"),
    [
        ("[3 x *], [2 x *]", 1, "[5 x *]"),
        ("[2 x 4 x *], [2 x 2 x *]", 2, "[2 x 6 x *]"),
        ("[3 x *], [3 x *]", 2, "[3 x 2 x *]"),
        ("[2 x 4 x *], [2 x 4 x *]", 3, "[2 x 4 x 2 x *]"),
        ("[2 x *], [3], [2 x *]", 1, "[7 x *]"),
        ("[2 x 1 x *], [3 x 4 x *]", 1, "[5 x 4 x *]"),
        ("[5 x *]", 1, "[5 x *]"),
    ],
)
def test_row_stack(operands, axis, result):
    assert shape_of("RowStack", operands, axis=axis) == result


@pytest.mark.parametrize(
    ("operation", "operand", "attributes", "result"),
    [
        ("RowRepeat", "[2 x *]", {"numRepeats": 3}, "[6 x *]"),
        ("RowRepeat", "[2 x 3 x *]", {"numRepeats": 2}, "[2 x 6 x *]"),
        ("TransposeDimensions", "[3 x 4 x *]", {"axis1": 1, "axis2": 2}, "[4 x 3 x *]"),
        ("TransposeDimensions", "[2 x 2 x 3 x *]", {"axis1": 1, "axis2": 3}, "[3 x 2 x 2 x *]"),
        ("TransposeDimensions", "[3 x 4 x *]", {"axis1": 2, "axis2": 3}, "[3 x 1 x 4 x *]"),
        ("TransposeDimensions", "[5 x *]", {"axis1": 1, "axis2": 2}, "[1 x 5 x *]"),
        ("TransposeDimensions", "[4 x 6 x 2 x *]", {"axis1": 1, "axis2": 5}, "[1 x 6 x 2 x 1 x 4 x *]"),
        ("TransposeDimensions", "[2 x 3 x 4]", {"axis1": 0, "axis2": 0, "permutation": (2, 0, 1)}, "[4 x 2 x 3]"),
        ("Diagonal", "W[3 x 3]", {}, "[1 x 3]"),
        ("Diagonal", "W[4 x 2 x 2]", {}, "[1 x 4]"),
    ],
)
def test_others(operation, operand, attributes, result):
    assert shape_of(operation, operand, **attributes) == result


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "words"),
    [
        ("Reshape", "[12 x *]", {"shape": (5, 2)}, "[12] of 'a' [12 x *] cannot become [5 x 2]: they hold 12 elements"),
        ("Reshape", "[12 x *]", {"shape": (5, 0)}, "not a multiple of 5"),
        ("LegacyReshape", "[12 x *]", {"numRows": 5}, "5 rows cannot be made of 'a' [12 x *]; the number must be"),
        (
            "LegacyReshape",
            "[12 x *]",
            {"numRows": 12, "imageWidth": 5, "imageHeight": 1},
            "are not an image [5 x 1 x 0]",
        ),
        ("LegacyReshape", "[12 x *]", {"numRows": 12, "imageWidth": 3}, "give two of width, height and channels"),
        ("Reshape", "[12 x *]", {"shape": (0, 0)}, "only one dimension of [0 x 0] may be 0"),
        ("Reshape", "[12 x *]", {"shape": (12,), "beginAxis": 3, "endAxis": 4}, "has no axes 3 to 4"),
        ("Slice", "[8 x *]", {"beginIndex": 0, "endIndex": 9}, "from 0 to 9 does not lie in axis 1 of 'a' [8 x *]"),
        ("Slice", "[8 x *]", {"beginIndex": 3, "endIndex": 3}, "empty or outside of 0 to 8"),
        ("Slice", "[8 x *]", {"beginIndex": -9, "endIndex": 0}, "does not lie in axis 1"),
        ("Slice", "[8 x *]", {"beginIndex": 0, "endIndex": 1, "axis": 2}, "'a' [8 x *] has no axis 2 to slice"),
        ("Slice", "[8 x *]", {"beginIndex": 0, "endIndex": 2, "stride": 3}, "a stride of 3 does not fit"),
        ("RowStack", "[5 x *], [4 x *]", {"axis": 2}, "dimension 1 is 4 and 5: all dimensions but the 2nd must agree"),
        ("RowStack", "[5 x *], [4 x *]", {"axis": -1}, "cannot be stacked along axis -1"),
        ("TransposeDimensions", "[3 x *]", {"axis1": 2, "axis2": 3}, "neither axis 2 nor axis 3 exists"),
        ("TransposeDimensions", "[3 x *]", {"axis1": 0, "axis2": 1}, "axes count from 1"),
        ("TransposeDimensions", "[3 x 2]", {"axis1": 0, "axis2": 0, "permutation": (0, 0)}, "is not a permutation"),
        ("Diagonal", "[3 x 3 x *]", {}, "frame by frame"),
        ("Diagonal", "W[3 x 2]", {}, "is not square"),
    ],
)
def test_wrong(operation, operands, attributes, words):
    assert words in error_of(operation, operands, **attributes)


@pytest.mark.parametrize(
    ("operation", "operand", "attributes", "result"),
    [
        ("Reshape", "[0]", {"shape": (3, 0)}, "[3 x 0]"),
        ("Reshape", "[]", {"shape": (3, 0), "beginAxis": 2, "endAxis": 3}, "[3 x 0]"),
        ("Slice", "[0]", {"beginIndex": 1, "endIndex": 3}, "[0]"),
        ("Slice", "[]", {"beginIndex": 1, "endIndex": 3}, "[]"),
        ("RowRepeat", "[]", {"numRepeats": 2}, "[]"),
        ("TransposeDimensions", "[]", {"axis1": 1, "axis2": 2}, "[]"),
    ],
)
def test_before_the_operand_is_known(operation, operand, attributes, result):
    assert str(OPS[operation].shape(context(operation, operand, attributes))) == result
