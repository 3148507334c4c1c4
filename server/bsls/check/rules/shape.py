"""Shapes that do not fit."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "shape", "BS113", 'Shapes that do not fit.',
    r"""W = ParameterTensor {(3:4)}
    z = W * x     # x has 5 values

The message gives the shapes of all operands; the lines below it say where each operand was made.""",
)  # fmt: skip
