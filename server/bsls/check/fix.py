"""Applies fixes to texts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bsls.config.assemble import COMMAND_LINE
from bsls.finding import Edit, Finding
from bsls.source import Source


@dataclass(slots=True)
class Mended:
    """The edits of one text, in order and apart from one another, and how many findings they mend."""

    edits: list[Edit] = field(default_factory=list)
    findings: int = 0


def mended(findings: Iterable[Finding]) -> dict[Source, Mended]:
    """What to change in each file: the first safe fix of each finding, as far as they do not overlap.

    A file that was read several times, for several configs, is changed once.
    """
    found: dict[Source, Mended] = {}
    sources: dict[str, Source] = {}
    for finding in findings:
        fix = next((f for f in finding.fixes if f.safe), None)
        if fix is None or any(e.span.source.path == COMMAND_LINE for e in fix.edits):
            continue
        if any(sources.setdefault(real_path(e.span.source), e.span.source) is not e.span.source for e in fix.edits):
            continue
        taken = [(a, b) for a in fix.edits for b in found.get(a.span.source, Mended()).edits]
        if any(a.span.start < b.span.end and b.span.start < a.span.end for a, b in taken):
            continue
        for edit in fix.edits:
            found.setdefault(edit.span.source, Mended()).edits.append(edit)
        found[fix.edits[0].span.source].findings += 1
    for changes in found.values():
        changes.edits.sort(key=lambda e: e.span.start)
    return found


def real_path(source: Source) -> str:
    """The file of a source, whatever the ways that lead to it."""
    return os.path.realpath(source.path)


def edited(text: str, edits: Iterable[Edit], windows: bool = False) -> str:
    """`text` with the edits, which count its line ends as one character each; `windows`: they are two."""
    parts: list[str] = []
    at = 0
    offsets = _windows_offsets(text) if windows else None
    for edit in edits:
        start, end = edit.span.start, edit.span.end
        if offsets is not None:
            start, end = offsets[start], offsets[end]
        parts += [text[at:start], edit.text.replace("\n", "\r\n") if windows else edit.text]
        at = end
    return "".join([*parts, text[at:]])


def _windows_offsets(text: str) -> list[int]:
    """Offset in `text` of each character that counts where a line end is one character."""
    return [i for i, c in enumerate(text) if c != "\n" or text[i - 1 : i] != "\r"] + [len(text)]


def show_fixes(findings: Iterable[Finding]) -> Iterator[str]:
    """What the fixes change, as a unified diff."""
    for source, changes in mended(findings).items():
        yield from unified_diff(source, changes.edits)


def unified_diff(source: Source, edits: Iterable[Edit]) -> Iterator[str]:
    """The lines of a diff between a text and what edits make of it."""
    before, after = (text.splitlines() for text in (source.text, edited(source.text, edits)))
    yield from difflib.unified_diff(before, after, source.path, source.path, lineterm="")
