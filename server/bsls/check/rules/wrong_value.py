"""A value that is not one of those possible."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "wrong-value", "BS108", 'A value that is not one of those possible.',
    r"""    W = ParameterTensor {(3:2), init = 'gausian'}""",
)  # fmt: skip
