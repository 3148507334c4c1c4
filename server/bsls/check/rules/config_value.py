"""A value of the wrong kind."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "config-value", "BS021", 'A value of the wrong kind.',
    r"""    maxEpochs = ten     # a whole number is expected""",
)  # fmt: skip
