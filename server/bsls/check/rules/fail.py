"""A `Fail (...)` that is reached."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "fail", "BS114", 'A `Fail (...)` that is reached.',
    r"""The message is that of the library or the config itself.""",
)  # fmt: skip
