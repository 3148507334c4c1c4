"""Text with its name and revision, places in it, and text that was pieced together from several sources.

Offsets count code points; only the language server knows other encodings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Position(NamedTuple):
    """A place in a text; line and character count from 0, characters in code points."""

    line: int
    character: int


class Source:
    """An immutable text: a file, an unsaved document, or the command line.

    `path` is what messages show; `revision` tells versions of an edited document apart.
    """

    __slots__ = ("_line_starts", "path", "revision", "text")

    def __init__(self, path: str, text: str, revision: int = 0) -> None:
        self.path = path
        self.text = text
        self.revision = revision
        self._line_starts: list[int] | None = None

    @property
    def line_starts(self) -> list[int]:
        """Offset at which each line begins."""
        if self._line_starts is None:
            starts = [0]
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._line_starts = starts
        return self._line_starts

    def position(self, offset: int) -> Position:
        line = bisect_right(self.line_starts, offset) - 1
        return Position(line, offset - self.line_starts[line])

    def line(self, number: int) -> str:
        """The text of line `number` (from 0) without its line end."""
        starts = self.line_starts
        end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
        return self.text[starts[number] : end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)

    def __repr__(self) -> str:
        return f"Source({self.path!r})"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of offsets in one source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def start_position(self) -> Position:
        return self.source.position(self.start)

    @property
    def end_position(self) -> Position:
        return self.source.position(self.end)

    def __str__(self) -> str:
        line, character = self.start_position
        return f"{self.source.path}:{line + 1}:{character + 1}"


@dataclass(frozen=True, slots=True)
class _Piece:
    at: int  # offset in the expanded text
    span: Span  # where it comes from
    exact: bool  # each character maps to one of the span; else the whole piece maps to the whole span


class ExpandedText:
    """Text as it is evaluated (after substitution, joining and cutting), with a map back to what the user wrote.

    A piece is either copied (`exact`: character for character) or stands for a whole span, as the value of `$x$` does.
    """

    __slots__ = ("_pieces", "_starts", "text")

    def __init__(self, text: str, pieces: list[_Piece]) -> None:
        self.text = text
        self._pieces = pieces
        self._starts = [p.at for p in pieces]

    @classmethod
    def of(cls, source: Source, start: int = 0, end: int | None = None) -> ExpandedText:
        """The text of `source` from `start` to `end`, unchanged."""
        end = len(source.text) if end is None else end
        return cls(source.text[start:end], [_Piece(0, Span(source, start, end), True)])

    @classmethod
    def standing_for(cls, text: str, span: Span) -> ExpandedText:
        """`text` put in the place of all of `span`."""
        return cls(text, [_Piece(0, span, False)])

    @classmethod
    def join(cls, parts: Iterable[ExpandedText | str]) -> ExpandedText:
        """The parts one after another; a plain string belongs to no source and maps to its neighbour."""
        texts: list[str] = []
        pieces: list[_Piece] = []
        at = 0
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                at += len(part)
                continue
            pieces += [_Piece(at + p.at, p.span, p.exact) for p in part._pieces]
            texts.append(part.text)
            at += len(part.text)
        return cls("".join(texts), pieces)

    def __len__(self) -> int:
        return len(self.text)

    def slice(self, start: int, end: int) -> ExpandedText:
        pieces: list[_Piece] = []
        first = max(bisect_right(self._starts, start) - 1, 0)
        for i in range(first, len(self._pieces)):
            piece = self._pieces[i]
            if piece.at >= end and pieces:
                break
            piece_end = self._pieces[i + 1].at if i + 1 < len(self._pieces) else len(self.text)
            lo, hi = max(start, piece.at), min(end, piece_end)
            if lo > hi or (lo == hi and pieces):
                continue
            span = piece.span
            if piece.exact:
                begin = min(span.start + lo - piece.at, span.end)
                span = Span(span.source, begin, min(span.start + hi - piece.at, span.end))
            pieces.append(_Piece(max(lo - start, 0), span, piece.exact))
        return ExpandedText(self.text[start:end], pieces)

    def with_text(self, text: str) -> ExpandedText:
        """The same map over another text of the same length (comments blanked out)."""
        assert len(text) == len(self.text)
        return ExpandedText(text, self._pieces)

    def strip(self, characters: str | None = None) -> ExpandedText:
        text = self.text
        start = len(text) - len(text.lstrip(characters))
        end = max(len(text.rstrip(characters)), start)
        return self if start == 0 and end == len(text) else self.slice(start, end)

    def place(self, offset: int) -> tuple[Source, int, int]:
        """Source, start and end offset there of the character at `offset`."""
        i = max(bisect_right(self._starts, offset) - 1, 0)
        piece = self._pieces[i]
        span = piece.span
        if not piece.exact:
            return span.source, span.start, span.end
        at = min(span.start + max(offset - piece.at, 0), span.end)
        return span.source, at, min(at + 1, span.end)

    def offset_of(self, source: Source, at: int) -> int | None:
        """The offset here of what stands at `at` in `source`; None where that is not part of this text."""
        for piece in self._pieces:
            span = piece.span
            if span.source is source and span.start <= at <= span.end:
                return piece.at + (at - span.start if piece.exact else 0)
        return None

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """Where the text from `start` to `end` was written; if that is several places, the one where it begins."""
        end = len(self.text) if end is None else end
        source, first, first_end = self.place(start)
        if end <= start:
            return Span(source, first, first)
        last_source, last_start, last = self.place(end - 1)
        if last_source is source and last_start >= first:
            return Span(source, first, last)
        return Span(source, first, first_end)
