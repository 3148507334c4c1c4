from __future__ import annotations

import pytest
from op_cases import context, error_of, run, shape_of

from bsls.schema.ops import OPS


@pytest.mark.parametrize(
    ("operands", "attributes", "result"),
    [
        ("[5 x *], W[5], W[5], W[5], W[5], W[1]", {}, "[5 x *]"),
        ("[5 x *], W[5 x 1], W[5 x 1], W[5 x 1], W[5 x 1]", {}, "[5 x *]"),
        ("[3 x 3 x 2 x *], W[2], W[2], W[2], W[2], W[1]", {"spatial": True}, "[3 x 3 x 2 x *]"),
        (
            "[5 x *], W[0 x 1], W[0 x 1], W[0 x 1], W[0 x 1], W[1]",
            {},
            "[5 x *] | [5 x *], [5 x 1], [5 x 1], [5 x 1], [5 x 1], [1]",
        ),
        (
            "[6 x 6 x 4 x *], W[0 x 1], W[0 x 1], W[0 x 1], W[0 x 1], W[1]",
            {"spatial": True},
            "[6 x 6 x 4 x *] | [6 x 6 x 4 x *], [4 x 1], [4 x 1], [4 x 1], [4 x 1], [1]",
        ),
        (
            "[2 x 3 x *], W[0 x 1], W[0 x 1], W[0 x 1], W[0 x 1], W[1]",
            {},
            "[2 x 3 x *] | [2 x 3 x *], [6 x 1], [6 x 1], [6 x 1], [6 x 1], [1]",
        ),
    ],
)
def test_batch_normalization(operands, attributes, result):
    assert shape_of("BatchNormalization", operands, **attributes) == result


@pytest.mark.parametrize(
    ("operands", "attributes", "words"),
    [
        ("[5 x *], W[5], W[5 x 1], W[5], W[5], W[1]", {}, "'c' [5 x 1] and 'b' [5] must have the same shape; scale"),
        ("[5 x *], [5 x *], W[5], W[5], W[5], W[1]", {}, "'b' [5 x *] depends on the data"),
        ("[5 x *], W[5], W[5], W[5], W[5], W[1 x 1]", {}, "the run count 'f' [1 x 1] must be a parameter [1]"),
        ("[5 x *], W[0], W[5], W[5], W[5], W[1]", {}, "'b' [0] has no elements"),
        ("[2 x *], W[2], W[2], W[2], W[2], W[1]", {"spatial": True, "imageLayout": "legacy"}, "the image layout CHW"),
        ("[2 x *], W[2], W[2], W[2], W[2], W[1]", {"blendTimeConstant": -1.0}, "blendTimeConstant is -1"),
    ],
)
def test_wrong_batch_normalization(operands, attributes, words):
    assert words in error_of("BatchNormalization", operands, **attributes)


@pytest.mark.parametrize(
    ("operation", "operands", "result"),
    [
        ("Mean", "[2 x 3 x *]", "[2 x 3]"),
        ("InvStdDev", "[2 x *]", "[2]"),
        ("PerDimMeanVarNormalization", "[3 x *], [3], [3]", "[3 x *]"),
        ("PerDimMeanVarNormalization", "[3 x *], W[0], [1]", "[3 x *] | [3 x *], [3], [1]"),
        (
            "PerDimMeanVarNormalization",
            "[1 x 1 x 7 x *], W[7 x 1], W[7 x 1]",
            "[1 x 1 x 7 x *] | [1 x 1 x 7 x *], [1 x 1 x 7], [1 x 1 x 7]",
        ),
        ("PerDimMeanVarDeNormalization", "[3 x *], [3], [3 x 1]", "[3 x *]"),
        ("PerDimMeanVarDeNormalization", "[1 x 1 x 7 x *], W[7 x 1], W[7 x 1]", "[1 x 1 x 7 x *]"),
    ],
)
def test_statistics(operation, operands, result):
    assert shape_of(operation, operands) == result


def test_wrong_statistics():
    assert "does not depend on the data" in error_of("Mean", "W[3]")
    assert "'c' [4] does not fit 'a' [3 x *]" in error_of("PerDimMeanVarNormalization", "[3 x *], [3], [4]")


def test_parameters_wait_for_the_operand():
    ctx = context("BatchNormalization", "[0], W[0 x 1], W[0 x 1], W[0 x 1], W[0 x 1], W[1]", {})
    assert str(OPS["BatchNormalization"].shape(ctx)) == "[0]"
    ctx.inputs[0] = context("Abs", "[4 x *]", {}).inputs[0]
    assert run(ctx, "BatchNormalization") == "[4 x *]"
    assert ctx.inputs[1].dims == (4, 1)


def test_older_files_counted_minibatches():
    op = OPS["BatchNormalization"]
    assert op.upgrade
    attributes: dict[str, object] = {"minibatchCount": 10, "epsilon": 1e-5}
    op.upgrade(attributes, 12)
    assert attributes == {"runCount": 160, "epsilon": 1e-5, "varianceIsInverseStdDev": True}
    attributes = {"runCountIsZero": True}
    op.upgrade(attributes, 19)
    assert attributes == {"runCount": 0}


def test_header_before_version_6_has_versions_of_its_own():
    fields = OPS["BatchNormalization"].fields
    read = {"versionWritten": 0x00010003}
    assert [f.attribute for f in fields if f.present(5, read)] == [
        "versionWritten", "versionReadable", "evaluation", "spatial", "averagingFactor", "imageLayout",
        "minibatchCount", "epsilon", "useCntkEngine",
    ]  # fmt: skip
    assert [f.attribute for f in fields if f.present(31, {})] == [
        "spatial", "normalizationTimeConstant", "blendTimeConstant", "imageLayout", "runCount", "epsilon",
        "useCntkEngine",
    ]  # fmt: skip
