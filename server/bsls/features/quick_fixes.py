"""The fixes of findings, for the places where an editor asks for them."""

from __future__ import annotations

from dataclasses import dataclass

from bsls.features.document import Document
from bsls.finding import Edit, Finding
from bsls.source import Span


@dataclass(frozen=True, slots=True)
class QuickFix:
    """A way to mend `finding` (None: several findings); `preferred` if it can be applied without looking."""

    title: str
    edits: tuple[Edit, ...]
    finding: Finding | None
    preferred: bool = False


def quick_fixes(document: Document, span: Span) -> list[QuickFix]:
    """The fixes of the findings that touch a range, and one for all safe ones of the document if there are several."""
    found: list[QuickFix] = []
    for finding in document.findings:
        place = finding.span
        if place is None or place.source is not document.source or place.start > span.end or place.end < span.start:
            continue
        for fix in finding.fixes:
            if all(e.span.source is document.source for e in fix.edits):
                found.append(QuickFix(fix.title, fix.edits, finding, fix.safe))
    everything = fix_all(document)
    if found and everything is not None:
        found.append(everything)
    return found


def fix_all(document: Document) -> QuickFix | None:
    """The first safe fix of each finding, as far as they do not overlap; None for fewer than two findings."""
    edits: list[Edit] = []
    count = 0
    for finding in document.findings:
        fix = next((f for f in finding.fixes if f.safe), None)
        if fix is None or any(e.span.source is not document.source for e in fix.edits):
            continue
        if not any(_overlap(a.span, b.span) for a in fix.edits for b in edits):
            edits += fix.edits
            count += 1
    edits.sort(key=lambda e: e.span.start)
    return QuickFix(f"fix all {count} problems that can be fixed safely", tuple(edits), None) if count > 1 else None


def _overlap(a: Span, b: Span) -> bool:
    return (a.start < b.end and b.start < a.end) or (a.start == b.start and a.end == b.end)
