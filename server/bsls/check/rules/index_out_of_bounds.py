"""An index outside of its array."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "index-out-of-bounds", "BS110", 'An index outside of its array.',
    r"""    h = (a : b)
    z = h[2]     # 0 and 1""",
)  # fmt: skip
