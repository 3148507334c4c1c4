from __future__ import annotations

import pytest
from op_cases import error_of, shape_of

from bsls.schema.ops.recurrent import weight_count


@pytest.mark.parametrize(
    ("operands", "attributes", "result"),
    [
        # 4 gates of 6 x (5 + 6) weights and 2 x 6 biases: 312 = 6 * 52
        ("W[0 x 0], [5 x *]", {"hiddenDims": 6}, "[6 x *] | [6 x 52], [5 x *]"),
        ("W[6 x 52], [5 x *]", {"hiddenDims": 6}, "[6 x *]"),
        # a second layer in both directions sees 12 inputs: 2 * 3 * 6 * (5 + 8) + 2 * 3 * 6 * (12 + 8) = 1188 = 6 * 198
        (
            "W[0 x 0], [5 x *]",
            {"hiddenDims": 6, "numLayers": 2, "bidirectional": True, "recurrentOp": "gru"},
            "[12 x *] | [6 x 198], [5 x *]",
        ),
        ("W[6 x 13], [5 x 7 x *]", {"hiddenDims": 6, "recurrentOp": "rnnTanh", "axis": 2}, "[6 x 7 x *]"),
    ],
)
def test_shape(operands: str, attributes: dict[str, object], result: str) -> None:
    assert shape_of("OptimizedRNNStack", operands, **attributes) == result


@pytest.mark.parametrize(
    ("operands", "attributes", "words"),
    [
        ("W[6 x 51], [5 x *]", {}, "'a' [6 x 51] do not have 312 elements; give them the shape [6 x 52]"),
        ("W[0 x 0], [5]", {}, "'b' [5] must have a dynamic axis"),
        ("W[0 x 0], [5 x 2 x *]", {}, "must have rank 1 for axis = -1"),
        ("W[0 x 0], [5 x *]", {"axis": 1}, "the axis 1 is not possible"),
        ("W[0 x 0], [5 x *]", {"recurrentOp": "LSTM"}, "no kind of cell 'LSTM'"),
    ],
)
def test_errors(operands: str, attributes: dict[str, object], words: str) -> None:
    assert words in error_of("OptimizedRNNStack", operands, **{"hiddenDims": 6, **attributes})


def test_weights_of_a_plain_network() -> None:
    assert weight_count("rnnReLU", 2, 3, 1, 1) == 2 * 3 + 3 * 3 + 2 * 3
