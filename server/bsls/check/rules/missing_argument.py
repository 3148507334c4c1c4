"""A function call with too few arguments."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "missing-argument", "BS104", 'A function call with too few arguments.',
    r"""    ce = CrossEntropyWithSoftmax (z)     # labels first: CrossEntropyWithSoftmax (labels, z)""",
)  # fmt: skip
