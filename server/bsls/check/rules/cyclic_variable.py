"""A $variable$ that is defined by itself."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "cyclic-variable", "BS013", 'A $variable$ that is defined by itself.',
    r"""    out = "$out$/models"

So is a variable at the end of more than 100 others, each in the value of the one before.""",
)  # fmt: skip
