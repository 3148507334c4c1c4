"""Element-wise kernels against numpy, and the gradients that are not derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import FRAMES, check, gradients, p, x

UNARY = [
    ("Abs", np.abs, (-2, 2)),
    ("Acos", np.arccos, (-0.9, 0.9)),
    ("Asin", np.arcsin, (-0.9, 0.9)),
    ("Asinh", np.arcsinh, (-2, 2)),
    ("Atan", np.arctan, (-2, 2)),
    ("Atanh", np.arctanh, (-0.9, 0.9)),
    ("Cosh", np.cosh, (-2, 2)),
    ("Cosine", np.cos, (-2, 2)),
    ("Exp", np.exp, (-2, 2)),
    ("ExponentialLinearUnit", lambda a: np.where(a < 0, np.expm1(a), a), (-2, 2)),
    ("LabelsToGraph", lambda a: a, (-2, 2)),
    ("Log", np.log, (0.1, 2)),
    ("Negate", np.negative, (-2, 2)),
    ("Pass", lambda a: a, (-2, 2)),
    ("Reciprocal", lambda a: 1 / a, (0.5, 2)),
    ("RectifiedLinear", lambda a: np.maximum(a, 0), (-2, 2)),
    ("Sigmoid", lambda a: 1 / (1 + np.exp(-a)), (-2, 2)),
    ("StableSigmoid", lambda a: 1 / (1 + np.exp(-a)), (-2, 2)),
    ("Sin", np.sin, (-2, 2)),
    ("Sinh", np.sinh, (-2, 2)),
    ("Sqrt", np.sqrt, (0.1, 2)),
    ("Tanh", np.tanh, (-2, 2)),
]


@pytest.mark.parametrize(("op", "formula", "limits"), UNARY, ids=[case[0] for case in UNARY])
def test_unary(op, formula, limits):
    check(op, [x(3, 2, low=limits[0], high=limits[1])], formula)


@pytest.mark.parametrize(
    ("op", "formula"),
    [
        ("Plus", np.add),
        ("Minus", np.subtract),
        ("ElementTimes", np.multiply),
        ("LogPlus", np.logaddexp),
    ],
)
def test_arithmetic(op, formula):
    check(op, [x(3), x(3)], formula)
    check(op, [x(3), p(3)], formula)
    check(op, [p(3), p(3)], formula)


def test_broadcasting_pads_with_ones_behind_the_last_axis():
    """[3 x *] + [3 x 2] is [3 x 2 x *]: the shorter shape gets 1s at its end, that is in front of reversed dims."""
    check("Plus", [x(3), p(3, 2)], lambda a, b: a[:, None, :] + b)
    check("Plus", [x(3), x(3, 2)], lambda a, b: a[:, None, :] + b)
    check("Plus", [x(3, 2), p(3)], lambda a, b: a + b)
    check("ElementTimes", [p(1, 1), x(4)], lambda a, b: (a.item() * b)[:, None, :])
    check("DiagTimes", [p(3, 1), x(3)], lambda a, b: a * b)


COMPARISONS = [
    ("Less", np.less),
    ("Equal", np.equal),
    ("Greater", np.greater),
    ("GreaterEqual", np.greater_equal),
    ("NotEqual", np.not_equal),
    ("LessEqual", np.less_equal),
]


@pytest.mark.parametrize(("op", "formula"), COMPARISONS, ids=[case[0] for case in COMPARISONS])
def test_comparisons(op, formula):
    values = [[1, 2, 3]]
    check(op, [x(3, values=values), x(3, values=[[1, 3, 2]])], formula, gradient=())


def test_if_chooses_and_never_differentiates_the_condition():
    operands = [x(3, values=[[1, 0, 2]]), x(3), x(3)]
    check("If", operands, lambda c, a, b: np.where(c != 0, a, b), gradient=False)
    condition, then, other = gradients("If", operands)
    assert condition is None or not condition.any()
    np.testing.assert_array_equal(then[0], [1, 0, 1])
    np.testing.assert_array_equal(other[0], [0, 1, 0])


def test_clip_gives_its_bounds_no_gradient():
    operands = [p(1, values=-1), p(1, values=1), x(4, values=[[-2, -1, 0.5, 3]])]
    check("Clip", operands, lambda low, high, a: np.clip(a, low, high), gradient=False)
    low, high, inner = gradients("Clip", operands)
    assert low is None
    assert high is None
    np.testing.assert_array_equal(inner[0], [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("op", "inputs", "values", "gradient"),
    [
        ("Log", [0.0, -3.0, 1e-38], [-85.1] * 3, [np.exp(85.1)] * 3),
        ("Reciprocal", [0.0, 2.0, -4.0], [0, 0.5, -0.25], [0, -0.25, -0.0625]),
        ("Sqrt", [-1.0, 4.0, 0.25], [0, 2, 0.5], [np.inf, 0.25, 1]),
        ("Floor", [0.5, -0.5, 2.0], [0, -1, 2], [0, 0, 0]),
        ("StraightThrough", [0.0, 0.3, -1.5], [-1, 1, -1], [1, 1, 0]),
        ("Abs", [0.0, -1.0, 2.0], [0, 1, 2], [0, -1, 1]),
        ("RectifiedLinear", [0.0, -1.0, 2.0], [0, 0, 2], [0, 0, 1]),
    ],
)
def test_at_the_limits(op, inputs, values, gradient):
    check(op, [x(3, values=[inputs])], lambda a: np.broadcast_to(values, a.shape), gradient=False)
    (found,) = gradients(op, [x(3, values=[inputs])])
    np.testing.assert_allclose(found[0], gradient, rtol=1e-12)


def test_the_tangent_has_the_gradient_of_its_value():
    operand = x(3, low=-1, high=1)
    check("Tan", [operand], np.tan, gradient=False)
    (found,) = gradients("Tan", [operand], outer=2.0)
    value = np.tan(operand.array(np.random.default_rng(1)))
    np.testing.assert_allclose(found, 2 * (1 + np.tan(value) ** 2), rtol=1e-12)


def test_stop_gradient():
    check("StopGradient", [x(3)], lambda a: a, gradient=())


def test_power() -> None:
    check("Pow", [x(3, low=0.2), x(3)], lambda a, b: a**b)
    check("Pow", [x(3, low=0.2), p(1)], lambda a, b: a**b)
    check(
        "Pow",
        [x(3, values=[0.0, -2.0, 2.0]), p(3, values=[0.0, 3.0, 0.0])],
        lambda a, b: [[1, -8, 1]] * len(a),
        gradient=False,
    )
    found = gradients("Pow", [x(2, values=[0.0, -2.0]), x(2, values=[2.0, 3.0])])
    np.testing.assert_array_equal(found[0], [[0, 12]] * FRAMES)
    np.testing.assert_array_equal(found[1], [[0, 0]] * FRAMES)
