"""A named argument that the function does not have."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-parameter", "BS106", 'A named argument that the function does not have.',
    r"""    W = ParameterTensor {(3:2), initvalue = 0}     # initValue""",
)  # fmt: skip
