"""Something that is defined by itself."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "cyclic-definition", "BS109", 'Something that is defined by itself.',
    r"""    h = Sigmoid (W * h)     # only PastValue and FutureValue may close a circle, and just one of them""",
)  # fmt: skip
