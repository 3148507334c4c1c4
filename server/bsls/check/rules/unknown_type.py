"""`new` of a type that does not exist."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-type", "BS115", '`new` of a type that does not exist.',
    r"""    n = new ComputationNod [ ]""",
)  # fmt: skip
