"""What an editor can fold: brackets over several lines, runs of comment lines, long arrays without brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bsls.features.document import Document
from bsls.source import ExpandedText
from bsls.syntax.brackets import with_matching_brackets
from bsls.syntax.brainscript import tokens
from bsls.syntax.outer import blank_comments

_MARK = re.compile(r"//[^\n]*|\"[^\"]*\"|\[\||\|\]|[\[\](){}]")
"""In a config, once strings and comments of its network descriptions are blank."""
_OPENER = {"]": "[", "}": "{", ")": "(", "|]": "[|"}
_COMMENT = re.compile(r"[ \t]*(#|//)")
_LONG = 3
"""Lines from which a member without brackets can be folded."""


@dataclass(frozen=True, slots=True)
class FoldingRange:
    """Lines from 0; the first one stays visible, the last one is hidden with those in between."""

    start_line: int
    end_line: int
    kind: Literal["region", "comment"] = "region"


def folding(document: Document) -> list[FoldingRange]:
    """All ranges, at most one of each kind that begins in a line, in the order of the text."""
    found: dict[tuple[int, str], int] = {}

    def add(start: int, end: int, kind: str = "region") -> None:
        if end > start:
            found[start, kind] = max(end, found.get((start, kind), 0))

    for start, end in _members(document):
        add(start, end)
    for start, end in _brackets(document):
        found.pop((start, "region"), None)  # the bracket's own end is what one wants to see
        add(start, end)
    for start, end in _comments(document):
        add(start, end, "comment")
    return [FoldingRange(start, end, kind) for (start, kind), end in sorted(found.items())]  # type: ignore[arg-type]


def _brackets(document: Document) -> list[tuple[int, int]]:
    """Lines of brackets, inner ones first; the line in which one closes stays visible if it begins with that."""
    source = document.source
    blanked = ExpandedText.of(source).with_text(_without_literals(document))
    matching = with_matching_brackets(blanked)[0]
    stack: list[tuple[str, int]] = []
    found: list[tuple[int, int]] = []
    for m in _MARK.finditer(matching.text):
        mark = m.group()
        line, at = source.position(matching.place(m.start())[1])
        if mark in _OPENER.values():
            stack.append((mark, line))
        elif mark in _OPENER:
            fitting = [i for i, (opener, _) in enumerate(stack) if opener == _OPENER[mark]]
            if fitting:
                first = not blanked.text[source.line_starts[line] : source.line_starts[line] + at].strip()
                found.append((stack[fitting[-1]][1], line - first))
                del stack[fitting[-1] :]
    return found


def _without_literals(document: Document) -> str:
    """The text with blanks for comments, and for strings in network descriptions; lines stay."""
    source = document.source
    parts = list(blank_comments(source.text))
    for network in document.networks:
        text = network.members.text
        for m in tokens(text.text, comments=True):
            if m.lastgroup == "comment" or m.group()[0] in "'\"":
                span = text.span(m.start(), m.end())
                if span.source is source and span.text == m.group():
                    parts[span.start : span.end] = re.sub(r"[^\n]", " ", m.group())
    return "".join(parts)


def _members(document: Document) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for network in document.networks:
        for start, end in network.members.names.values():
            span = network.members.text.span(start, end)
            lines = span.start_position.line, span.end_position.line
            if lines[1] - lines[0] + 1 >= _LONG:
                found.append(lines)
    return found


def _comments(document: Document) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    lines = document.source.text.split("\n")
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and _COMMENT.match(lines[end]):
            end += 1
        if end - start > 1:
            found.append((start, end - 1))
        start = max(end, start + 1)
    return found
