"""A value of the wrong kind, or settings that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.actions import check_action_settings
from bsls.finding import BsError, Finding


def check(context: Context) -> Iterator[Finding]:
    """Settings of actions; keys that are missing in their sections are said elsewhere."""
    for command in context.commands:
        try:
            check_action_settings(command)
        except BsError as error:
            finding = error.finding
            if finding.rule != "missing-key" or finding.span != command.section.span:
                yield finding


RULE = Rule(
    "config-value", "BS021", "A value of the wrong kind, or settings that contradict each other.",
    r"""    maxEpochs = ten     # a whole number is expected
    printValues = false ; printMetadata = false     # nothing would be left to dump""",
    check,
    quick=True,
)  # fmt: skip
