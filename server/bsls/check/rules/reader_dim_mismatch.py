"""A stream with another number of values than the input wants."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "reader-dim-mismatch", "BS041", 'A stream with another number of values than the input wants.',
    r"""    x = Input {3}
    reader = { ... input = { x = { dim = 4 ; format = "dense" } } }""",
)  # fmt: skip
