"""The text of an open document as the client counts it: its line ends, and columns in its position encoding."""

from __future__ import annotations

import re

from lsprotocol import types

from bsls.source import Source

_LINE_END = re.compile(r"\r\n|\n|\r")
UTF8, UTF32 = types.PositionEncodingKind.Utf8, types.PositionEncodingKind.Utf32


def _units(text: str, encoding: str) -> int:
    """Length of a text in the units of an encoding."""
    if encoding == UTF32 or text.isascii():
        return len(text)
    if encoding == UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(c > "\uffff" for c in text)


def to_column(line: str, character: int, encoding: str) -> int:
    """The column, in units of the encoding, of the code point `character` of a line."""
    return _units(line[:character], encoding)


def from_column(line: str, column: int, encoding: str) -> int:
    """The code point of a line at a column; at most its end."""
    if encoding == UTF32 or line.isascii():
        return min(column, len(line))
    units = 0
    for i, c in enumerate(line):
        if units >= column:
            return i
        units += _units(c, encoding)
    return len(line)


def position(source: Source, offset: int, encoding: str) -> types.Position:
    line, character = source.position(min(offset, len(source.text)))
    return types.Position(line, to_column(source.line(line), character, encoding))


def offset(source: Source, place: types.Position, encoding: str) -> int:
    """The offset of a position; one beyond the text or its line is taken back to the end of that."""
    starts = source.line_starts
    if place.line >= len(starts):
        return len(source.text)
    return starts[place.line] + from_column(source.line(place.line), place.character, encoding)


class Buffer:
    """The text with its own line ends, changed as the client says."""

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def line_end(self) -> str:
        """The line end of the first line."""
        m = _LINE_END.search(self.text)
        return m.group() if m else "\n"

    @property
    def normalised(self) -> str:
        """The text with single characters as line ends."""
        return _LINE_END.sub("\n", self.text) if "\r" in self.text else self.text

    def apply(self, change: types.TextDocumentContentChangeEvent, encoding: str) -> None:
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self.text = change.text
            return
        ends = [(m.start(), m.end()) for m in _LINE_END.finditer(self.text)]
        start = self._offset(change.range.start, ends, encoding)
        end = max(start, self._offset(change.range.end, ends, encoding))
        self.text = self.text[:start] + change.text + self.text[end:]

    def _offset(self, place: types.Position, ends: list[tuple[int, int]], encoding: str) -> int:
        if place.line > len(ends):
            return len(self.text)
        start = ends[place.line - 1][1] if place.line else 0
        end = ends[place.line][0] if place.line < len(ends) else len(self.text)
        return start + from_column(self.text[start:end], place.character, encoding)
