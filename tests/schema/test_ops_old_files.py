from __future__ import annotations

from bsls.schema.ops import OPS


def upgraded(op: str, version: int, **attributes: object) -> dict[str, object]:
    upgrade = OPS[op].upgrade
    assert upgrade is not None
    upgrade(attributes, version)
    return attributes


def test_parameters_before_version_3():
    assert upgraded("LearnableParameter", 2, updateRequired=True, rows=3, cols=4) == {
        "learningRateMultiplier": 1.0,
        "dims": (3, 4),
    }
    assert upgraded("LearnableParameter", 1, updateRequired=False, rows=0, cols=5, dims=(2, 3)) == {
        "learningRateMultiplier": 0.0,
        "dims": (2, 3, 5),
    }
    assert upgraded("LearnableParameter", 1, updateRequired=False, rows=0, cols=1, dims=(6,))["dims"] == (6,)


def test_rows_of_an_input_win_over_its_shape():
    assert upgraded("InputValue", 9, rows=7, cols=0, dims=(2, 3))["dims"] == (7,)
    assert upgraded("InputValue", 9, rows=6, cols=0, dims=(2, 3))["dims"] == (2, 3)
    assert upgraded("SparseInputValue", 31, rows=0, cols=0, dims=(2, 3))["dims"] == (2, 3)


def test_slices_of_scripts_have_no_stride():
    assert "stride" not in upgraded("Slice", 27, beginIndex=0, endIndex=1, axis=1, stride=1)
    assert upgraded("Slice", 27, beginIndex=0, endIndex=1, axis=1, stride=2)["stride"] == 2


def test_fields_of_some_versions():
    def names(op: str, version: int, **read: object) -> list[str]:
        return [f.attribute for f in OPS[op].fields if f.present(version, read)]

    assert names("LearnableParameter", 2, rows=0) == ["updateRequired", "rows", "cols", "dims", "value"]
    assert names("LearnableParameter", 2, rows=3) == ["updateRequired", "rows", "cols", "value"]
    assert names("LearnableParameter", 3) == ["learningRateMultiplier", "dims", "value"]
    assert names("InputValue", 7) == ["rows", "cols", "dims"]
    assert names("TransposeDimensions", 25, axis1=1, axis2=2) == ["axis1", "axis2"]
    assert names("TransposeDimensions", 25, axis1=0, axis2=0) == ["axis1", "axis2", "permutation"]
    assert names("Times", 2) == []
    assert names("PastValue", 3) == ["timeStep", "rows", "cols", "defaultHiddenActivation"]
