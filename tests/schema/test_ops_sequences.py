from __future__ import annotations

import pytest
from op_cases import context, error_of, run, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "result"),
    [
        ("PastValue", "[3 x *]", {"shape": (0,)}, "[3 x *]"),
        ("PastValue", "[3 x 2 x *]", {"shape": (5,)}, "[3 x 2 x *]"),
        ("FutureValue", "[3 x *], [3]", {"shape": (0,)}, "[3 x *]"),
        ("PastValue", "[3 x *], W[0]", {"shape": (0,)}, "[3 x *] | [3 x *], [3]"),
        ("PastValue", "[3 x *], [1]", {"shape": (0,)}, "[3 x *]"),
        ("PastValue", "[3 x *], [3 x t]", {"shape": (0,), "defaultHiddenActivation": 0.0}, "[3 x *]"),
        ("Where", "[1 x *]", {}, "[1 x WhereNodeAxis]"),
        ("Where", "[1 x *]", {"dynamicAxisName": "words"}, "[1 x words]"),
        ("PackedIndex", "[6 x *], [1 x w]", {}, "[1 x w]"),
        ("GatherPacked", "[1 x w], [6 x *]", {}, "[6 x w]"),
        ("GatherPacked", "[1 x w], [6 x 10]", {}, "[6 x w]"),
        ("GatherPacked", "[1 x w], [6]", {}, "[1 x w]"),
        ("ScatterPacked", "[1 x *], [1 x w], [2 x w]", {}, "[2 x *]"),
        ("ReconcileDynamicAxis", "[2 x w], [5 x *]", {}, "[2 x *]"),
        ("ReconcileDynamicAxis", "[2 x 3], [5 x *]", {}, "[2 x 3 x *]"),
    ],
)
def test_frames(operation, operands, attributes, result):
    assert shape_of(operation, operands, **attributes) == result


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "words"),
    [
        ("PastValue", "[3]", {"shape": (0,)}, "'a' [3] has no frames to look back or ahead to"),
        ("FutureValue", "[3 x *], [3 x t]", {"shape": (0,)}, "defaultHiddenActivation is 0.1; set"),
        ("PastValue", "[3 x *], [2]", {"shape": (0,)}, "do not fit element by element"),
        ("Where", "[2 x *]", {}, "operand 'a' [2 x *] must be a single number per frame"),
        ("Where", "[1]", {}, "operand 'a' [1] must have a dynamic axis"),
        ("PackedIndex", "[6], [1 x w]", {}, "operand 'a' [6] must have a dynamic axis"),
        ("GatherPacked", "[2 x w], [6 x *]", {}, "must be a single number per frame"),
        ("ScatterPacked", "[1 x *], [1 x w], [2]", {}, "operand 'c' [2] must have a dynamic axis"),
        ("ReconcileDynamicAxis", "[2 x w], [5]", {}, "operand 'b' [5] must have a dynamic axis"),
    ],
)
def test_wrong_frames(operation, operands, attributes, words):
    assert words in error_of(operation, operands, **attributes)


@pytest.mark.parametrize(
    ("operands", "shape", "result"),
    [("[]", (0,), "[0]"), ("[]", (4, 2), "[4 x 2]"), ("[], [3]", (0,), "[3]"), ("[0]", (4,), "[0]")],
)
def test_a_delay_whose_operand_was_not_visited(operands, shape, result):
    assert str(OPS["PastValue"].shape(context("PastValue", operands, {"shape": shape}))) == result


def test_initial_state_of_an_unvisited_operand_gets_rank_0():
    ctx = context("PastValue", "[], W[0]", {"shape": (0,)})
    assert str(OPS["PastValue"].shape(ctx)) == "[]"
    assert ctx.inputs[1].dims == ()


def test_rows_of_old_delays():
    op = OPS["PastValue"]
    assert op.upgrade
    attributes: dict[str, object] = {"timeStep": 1, "rows": 7, "cols": 1}
    op.upgrade(attributes, 3)
    assert attributes == {"timeStep": 1, "shape": (7,)}


@pytest.mark.parametrize(
    ("operation", "operands", "attributes", "result"),
    [
        ("Dropout", "[3 x 2 x *]", {}, "[3 x 2 x *]"),
        ("RandomSample", "W[100]", {"sizeOfSampledSet": 10, "allowDuplicates": True}, "[100 x 10]"),
        ("RandomSampleInclusionFrequency", "W[9]", {"sizeOfSampledSet": 3, "allowDuplicates": False}, "[9 x 1]"),
        ("CosDistance", "[4 x *], [4 x *]", {}, "[1 x *]"),
        ("CosDistance", "[4 x *], W[0]", {}, "[1 x *] | [4 x *], [4]"),
        ("Cast", "[4 x *]", {"precision": "double"}, "[4 x *]"),
        ("Trace", "[4 x *]", {"say": "x"}, "[4 x *]"),
        ("EpochAccumulator", "[4 x *]", {}, "[4]"),
    ],
)
def test_random_similar_and_special(operation, operands, attributes, result):
    assert shape_of(operation, operands, **attributes) == result


def test_negative_samples_are_counted_by_a_constant():
    ctx = context("CosDistanceWithNegativeSamples", "[4 x *], [4 x *], [1], W[1]", {}, c3=5)
    assert run(ctx, "CosDistanceWithNegativeSamples") == "[6 x *]"
    assert "must be a constant number" in error_of("CosDistanceWithNegativeSamples", "[4 x *], [4 x *], [1], [1 x *]")


def test_other_errors():
    drawn = {"sizeOfSampledSet": 9, "allowDuplicates": False}
    assert "9 different classes cannot be drawn from 'a' [9]" in error_of("RandomSample", "W[9]", **drawn)
    assert "sizeOfSampledSet is 0" in error_of("RandomSample", "W[9]", sizeOfSampledSet=0, allowDuplicates=True)
    assert "no output format 'bold'" in error_of("Trace", "[3 x *]", format={"type": "bold"})


def test_format_of_a_trace_in_files():
    stored = OPS["Trace"].stored
    assert stored
    x = context("Abs", "[3 x *]", {}).inputs
    assert stored({"format": {"type": "category", "elementSeparator": ";"}}, x, x[0]) == {
        "elementSeparator": ";",
        "isCategoryLabel": True,
        "isSparse": False,
    }
    assert stored({}, x, x[0]) == {}
