"""A function call with too many arguments."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "too-many-arguments", "BS105", 'A function call with too many arguments.',
    r"""    h = Sigmoid (x, y)""",
)  # fmt: skip
