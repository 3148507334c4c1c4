"""Softmax and its kin: over all elements of a sample, whatever its shape."""

from __future__ import annotations

from bsls.schema.ops.base import Op
from bsls.schema.ops.rules import unary

OPS: tuple[Op, ...] = (
    Op(
        "Softmax",
        ("x",),
        unary,
        "e^x_i / sum_j e^x_j over all elements of a sample; they sum to 1.",
    ),
    Op(
        "LogSoftmax",
        ("x",),
        unary,
        "x_i - log(sum_j e^x_j) over all elements of a sample: the logarithm of Softmax.",
    ),
    Op(
        "Hardmax",
        ("x",),
        unary,
        "1 for the first of the largest elements of a sample, 0 for all others. It passes no gradient.",
    ),
)
