"""A value of the wrong kind."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "wrong-type", "BS107", 'A value of the wrong kind.',
    r"""    r = { z = Sigmoid (x) }
    y = Tanh (r)     # a record; write r.z""",
)  # fmt: skip
