"""A $variable$ that is defined by itself."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "cyclic-variable", "BS013", 'A $variable$ that is defined by itself.',
    r"""    out = "$out$/models"
""",
)  # fmt: skip
