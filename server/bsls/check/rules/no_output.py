"""A `write` without nodes to write."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "no-output",
    "BS032",
    "A `write` without nodes to write.",
    r"""    write = { action = "write" ; outputPath = "out" }     # outputNodes of the network are empty
""",
)
