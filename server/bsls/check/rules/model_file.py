"""A model file that cannot be read."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "model-file", "BS052", 'A model file that cannot be read.',
    r"""The file is damaged, broken off, or no model of CNTK.""",
)  # fmt: skip
