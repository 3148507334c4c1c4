"""What is right, but beyond this version's engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bsls.check.rule import Context, Rule
from bsls.config.sgd import read_sgd
from bsls.config.support import unsupported_parts, unsupported_settings
from bsls.finding import BsError, Finding, Severity


def check(context: Context) -> Iterator[Finding]:
    """Actions, readers and training settings that `bsls run` would stop at; information, since the config is right."""
    for command in context.commands:
        found = list(unsupported_parts(command))
        sgd = command.sgd()
        if sgd is not None and command.kind.supported:
            with suppress(BsError):  # said elsewhere
                found += unsupported_settings(read_sgd(sgd, command.precision))
        for finding in found:
            finding.severity = Severity.INFORMATION
            yield finding


RULE = Rule(
    "unsupported-setting", "BS023", "A setting, action or reader that this version's engine does not have.",
    """The config is right, and CNTK runs it, but `bsls run` stops with a message before anything is trained.

    SGD = { gradUpdateType = "adam" }     # this version has plain and momentum steps""",
    check,
    quick=True,
)  # fmt: skip
