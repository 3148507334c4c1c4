"""A setting that this version does not carry out."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unsupported-setting", "BS023", 'A setting that this version does not carry out.',
    r"""The setting is known and valid, but a run would stop at it.""",
)  # fmt: skip
