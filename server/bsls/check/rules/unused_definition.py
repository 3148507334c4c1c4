"""Definitions that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.finding import Edit, Finding, Fix, Severity
from bsls.resolve.unused import unused
from bsls.source import Span
from bsls.syntax.tree import Member


def check(context: Context) -> Iterator[Finding]:
    """Functions, numbers, records and members of records without use. They do no harm, but may be a slip."""
    for text in context.descriptions:
        for member in unused(text):
            yield Finding(
                "unused-definition",
                f"'{member.name}' is not used",
                member.name_span,
                Severity.HINT,
                fixes=_fixes(member),
            )


def _fixes(member: Member) -> list[Fix]:
    """Removes a definition that has its lines for itself."""
    span = member.span
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end) + 1 or len(text)
    if text[start : span.start].strip() or text[span.end : end].strip(" \t\r\n;"):
        return []
    return [Fix(f"remove '{member.name}'", (Edit(Span(span.source, start, end), ""),))]


RULE = Rule(
    "unused-definition", "BS131", "A definition that nothing uses.",
    """Functions, numbers, texts and records serve only those who name them, and the members of a record become nodes
only when they are used.

    hiddenDim = 512                    # nothing uses it: is 128 below what was meant?
    h = DenseLayer {128} (x)""",
    check,
)  # fmt: skip
