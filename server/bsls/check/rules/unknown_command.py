"""`command` names a section that does not exist."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-command", "BS010", '`command` names a section that does not exist.',
    r"""    command = trian     # the section is called train""",
)  # fmt: skip
