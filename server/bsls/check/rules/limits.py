"""An evaluation without end."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "nesting-limit", "BS117", 'An evaluation without end.',
    r"""    f (n) = f (n - 1)
    z = f (3)     # never ends

Evaluation stops after a number of steps, nested calls, nodes or elements that no real network needs; and more than 500
brackets, or 10000 parts of an expression, inside one another are not read.""",
)  # fmt: skip
