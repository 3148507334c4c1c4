"""The layout of a document, or of some of its lines, as `bsls format` makes it."""

from __future__ import annotations

from bsls.features.document import Document
from bsls.finding import BsError, Edit
from bsls.source import Span
from bsls.syntax.format import Style, format_edits
from bsls.syntax.raw import language_of


def formatting(document: Document, style: Style, within: Span | None = None) -> list[Edit]:
    """What to change, in the lines that `within` touches; nothing where brackets do not match, as the findings say."""
    source = document.source
    language = language_of(source.path)
    if document.kind == "other" and language != "ndl":  # it is too long
        return []
    try:
        edits = format_edits(source, language, style)
    except BsError:
        return []
    if within is None:
        return edits
    first = source.line_starts[within.start_position.line]
    last = within.end_position
    end = source.line_starts[last.line] + len(source.line(last.line))
    if last.character == 0 and within.end > first:  # a line of which nothing is selected
        end = within.end - 1
    return [e for e in edits if e.span.end >= first and e.span.start < max(end, first + 1)]
