"""Findings for people: a line with place and message, the source line with carets, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bsls.finding import Finding, Severity
from bsls.source import Span

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFORMATION: "36", Severity.HINT: "36"}
_WIDTH = 160


def printable(text: str) -> str:
    """`text` as one line without what would steer a terminal: damaged files end up in messages, too."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\t" else " " if c in "\r\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def excerpt(span: Span) -> Iterator[str]:
    """The line of the span and a line with carets below it; nothing of an empty file."""
    if not span.source.text:
        return
    (line, start), (last, end) = span.start_position, span.end_position
    text = span.source.line(line)
    length = (end if last == line else len(text)) - start
    offset = 0
    if len(text) > _WIDTH:
        offset = max(start - 60, 0)
        text = text[offset : offset + _WIDTH]
    before = "".join("\t" if c == "\t" else " " for c in text[: start - offset])
    number = str(line + 1)
    yield f"  {number} | {printable(text)}"
    yield f"  {' ' * len(number)} | {before}{'^' * max(min(length, len(text) - (start - offset)), 1)}"


def render(findings: Sequence[Finding], files: int, colour: bool = False) -> Iterator[str]:
    """All findings and a closing line."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    for finding in findings:
        severity = paint(finding.severity.word, _COLOURS[finding.severity] + ";1")
        where = f"{finding.span}: " if finding.span is not None else ""
        yield f"{where}{severity}: {printable(finding.message)} [{finding.rule}]"
        if finding.span is not None:
            yield from excerpt(finding.span)
        if finding.help:
            yield f"  help: {printable(finding.help)}"
        for related in finding.related:
            yield f"  {related.span}: {printable(related.message)}"
        yield ""
    errors = sum(f.severity == Severity.ERROR for f in findings)
    warnings = sum(f.severity == Severity.WARNING for f in findings)
    fixable = sum(any(x.safe for x in f.fixes) for f in findings)
    what = (
        f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
        if findings
        else "no problems found"
    )
    closing = f"{what} in {files} file{'s' * (files != 1)}"
    if fixable:
        closing += f"; {fixable} can be mended with --fix"
    yield closing
