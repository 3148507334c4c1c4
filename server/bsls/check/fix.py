"""Applies fixes to texts."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from bsls.config.assemble import COMMAND_LINE
from bsls.finding import Edit, Finding
from bsls.source import Source


def mended(findings: Iterable[Finding]) -> dict[Source, tuple[str, int]]:
    """New text and number of fixes for each file: the first safe fix of each finding, as far as they do not overlap."""
    edits: dict[Source, list[Edit]] = {}
    count: dict[Source, int] = {}
    for finding in findings:
        fix = next((f for f in finding.fixes if f.safe), None)
        if fix is None or any(e.span.source.path == COMMAND_LINE for e in fix.edits):
            continue
        taken = [e for edit in fix.edits for e in edits.get(edit.span.source, ())]
        if any(
            a.span.start < b.span.end and b.span.start < a.span.end
            for a in fix.edits
            for b in taken
            if a.span.source is b.span.source
        ):
            continue
        for edit in fix.edits:
            edits.setdefault(edit.span.source, []).append(edit)
        count[fix.edits[0].span.source] = count.get(fix.edits[0].span.source, 0) + 1
    result: dict[Source, tuple[str, int]] = {}
    for source, changes in edits.items():
        text = source.text
        for edit in sorted(changes, key=lambda e: e.span.start, reverse=True):
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
        result[source] = (text, count.get(source, 0))
    return result


def show_fixes(findings: Iterable[Finding]) -> Iterator[str]:
    """What the fixes change, as a unified diff."""
    for source, (text, _) in mended(findings).items():
        yield from difflib.unified_diff(
            source.text.splitlines(), text.splitlines(), source.path, source.path, lineterm=""
        )
