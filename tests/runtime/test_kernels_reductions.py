"""Reductions along axes of a sample, over all of it, over frames."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_cases import check, gradients, p, x


def along(axis: int, op: str = "Sum") -> dict[str, object]:
    return {"axis": axis, "reductionOp": op}


@pytest.mark.parametrize(
    ("op", "formula"),
    [
        ("Sum", np.sum),
        ("Mean", np.mean),
        ("Max", np.max),
        ("Min", np.min),
        ("Prod", np.prod),
        ("LogSum", lambda a, **how: np.log(np.sum(np.exp(a), **how))),
    ],
)
def test_one_axis_or_all(op, formula):
    check("ReduceElements", [x(3, 2)], lambda a: formula(a, axis=2), along(1, op))
    check("ReduceElements", [x(3, 2)], lambda a: formula(a, axis=1), along(2, op))
    check("ReduceElements", [x(3, 2)], lambda a: formula(a, axis=(1, 2)), along(0, op))


def test_over_frames():
    check("ReduceElements", [x(3)], np.sum, along(-1))
    check("ReduceElements", [x(3)], np.mean, along(-1, "Mean"))
    check("ReduceElements", [x(3)], lambda a: a.sum(0), along(-3))


def test_positions_are_the_first_of_equal_ones():
    ties = x(4, values=[[1, 5, 5, 0]])
    check("ReduceElements", [ties], lambda a: np.full((len(a), 1), 1), along(1, "Argmax"), gradient=False)
    check("ReduceElements", [ties], lambda a: np.full((len(a), 1), 3), along(0, "Argmin"), gradient=False)
    assert gradients("ReduceElements", [ties], along(1, "Argmax")) == [None]


def test_each_of_equal_extremes_gets_the_whole_gradient():
    (found,) = gradients("ReduceElements", [x(4, values=[[1, 5, 5, 0]])], along(1, "Max"))
    np.testing.assert_array_equal(found[0], [0, 1, 1, 0])


def test_a_factor_of_zero_gets_no_gradient():
    (found,) = gradients("ReduceElements", [x(3, values=[[2, 0, 4]])], along(1, "Prod"))
    np.testing.assert_array_equal(found[0], [0, 0, 0])


def test_older_sums():
    check("SumElements", [x(3, 2)], np.sum)
    check("SumColumnElements", [x(3, 2)], lambda a: a.sum((1, 2)))


def test_norms():
    check("MatrixL1Reg", [p(3, 2)], lambda a: np.abs(a).sum())
    check("MatrixL2Reg", [p(3, 2)], lambda a: np.sqrt((a * a).sum()))
    (found,) = gradients("MatrixL2Reg", [p(2, values=0.0)])
    np.testing.assert_array_equal(found, [0, 0])
