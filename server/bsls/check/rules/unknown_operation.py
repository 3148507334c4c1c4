"""An operation that does not exist."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-operation", "BS112", 'An operation that does not exist.',
    r"""    h = new ComputationNode [ operation = 'Sigmod' ; inputs = x ]""",
)  # fmt: skip
