from __future__ import annotations

import pytest
from op_cases import error_of, shape_of

from bsls.schema.ops import OLD_NAMES, OPS, get


def test_old_names_find_the_operation():
    assert get("ErrorPrediction") is OPS["ClassificationError"]
    assert get("RowSlice") is OPS["Slice"]
    assert get("Scale") is OPS["ElementTimes"]
    assert get("plus") is None
    assert not OLD_NAMES.keys() & OPS.keys()


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_entry_is_complete(op):
    assert op.doc.endswith(".")
    assert all(a.doc.endswith(".") for a in op.attributes)
    assert all(a.default in a.values for a in op.attributes if a.values and a.default and a.name != "format")
    names = [a.name for a in op.attributes]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_an_attribute_is_stored_once_in_a_version(op):
    for version in range(1, 32):
        present = [f.attribute for f in op.fields if f.since <= version <= f.until and f.when is None]
        assert len(present) == len(set(present)), version


@pytest.mark.parametrize(
    ("operation", "attributes", "shape"),
    [
        ("LearnableParameter", {"dims": (3, 4)}, "[3 x 4]"),
        ("LearnableParameter", {"dims": (3, 0)}, "[3 x 0]"),
        ("InputValue", {"dims": (3, 2)}, "[3 x 2 x *]"),
        ("InputValue", {"dims": (3,), "dynamicAxis": "t"}, "[3 x t]"),
        ("InputValue", {"isImage": True, "imageWidth": 5, "imageHeight": 4, "imageChannels": 3}, "[5 x 4 x 3 x *]"),
        (
            "SparseInputValue",
            {"isImage": True, "imageWidth": 5, "imageHeight": 4, "imageChannels": 3, "imageLayout": "HWC"},
            "[3 x 5 x 4 x *]",
        ),
        ("DynamicAxis", {}, "[1 x 1 x self]"),
        ("EnvironmentInput", {"propertyName": "isTraining"}, "[1]"),
    ],
)
def test_leaves(operation, attributes, shape):
    assert shape_of(operation, "", **attributes) == shape


def test_wrong_leaves():
    assert "no DynamicAxis node 'missing'" in error_of("InputValue", "", dims=(3,), dynamicAxis="missing")
    assert "no image layout 'chw'" in error_of("InputValue", "", isImage=True, imageLayout="chw")
    assert "no environment property 'x'" in error_of("EnvironmentInput", "", propertyName="x")
