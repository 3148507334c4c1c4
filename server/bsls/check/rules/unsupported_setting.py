"""What is right, but beyond this version's engine."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.support import unsupported_parts
from bsls.finding import Finding, Severity


def check(context: Context) -> Iterator[Finding]:
    """Actions, readers and settings of these that `bsls run` would stop at; information, since the config is right."""
    for command in context.commands:
        for finding in unsupported_parts(command):
            finding.severity = Severity.INFORMATION
            yield finding


RULE = Rule(
    "unsupported-setting", "BS023", "A setting, action or reader that this version's engine does not have.",
    """The config is right, and CNTK runs it, but `bsls run` stops with a message before anything is trained.

    reader = { readerType = "UCIFastReader" ; ... }     # this version reads CNTK's text format""",
    check,
    quick=True,
)  # fmt: skip
