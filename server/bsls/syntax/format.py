"""One way to lay out a text: indentation, blanks and empty lines; nothing but white space changes, and no line is
joined with another one or split.

A level of brackets is indented by four columns. A line that goes on from another one, or stands in brackets with
something after the opening one in its line, keeps its place beside that line: under the word under which it stands, else
as far in as it was. Signs, values and comments that stand under one another in neighbouring lines stay so; other blanks
in a row become one. What the blanks between two words are to be is told by `format_spacing`.

Where white space means something, or a text cannot be read, it stays: values of the outer language, strings, members
that do not parse. At most two empty lines follow one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bsls.finding import BsError, Edit
from bsls.source import ExpandedText, Source
from bsls.syntax.brackets import check_depth, repairs
from bsls.syntax.format_spacing import Blanks
from bsls.syntax.format_tokens import Kind, Piece, bracket_text, pieces
from bsls.syntax.raw import Language

_EMPTY_LINES = 2
_ROUNDS = 10
_PLAIN = frozenset(" \t\n")


@dataclass(frozen=True, slots=True)
class Style:
    """`width`: columns of a level of brackets, and of a tab; `tabs`: indentation is written with tabs."""

    width: int = 4
    tabs: bool = False


def format_edits(source: Source, language: Language, style: Style | None = None) -> list[Edit]:
    """What to change, in order; each edit replaces white space by white space.

    Raises BsError where brackets or quotes do not match: then nobody can tell what belongs where.
    """
    text = bracket_text(source.text, language)
    check_depth(ExpandedText.of(source).with_text(text))
    if language != "brainscript":
        _, problems = repairs(text)
        if problems:
            problem = problems[0]
            raise BsError("syntax", problem.message, source.span(problem.start, problem.end), help=problem.help)
    return list(_Layout(source, pieces(source.text, language), style or Style()).edits())


@dataclass(slots=True)
class _Line:
    """Pieces from index `first` up to, not with, `stop`. `opener` is the bracket around the line, or the one that its
    first piece closes; `item` the line in which the item began to which it belongs."""

    first: int
    stop: int
    opener: int = -1
    closes: bool = False
    item: int = -1
    fixed: bool = False


@dataclass(slots=True)
class _Layout:
    source: Source
    pieces: list[Piece]
    style: Style
    lines: list[_Line] = field(default_factory=list)
    line_of: list[int] = field(default_factory=list)
    old: list[int] = field(default_factory=list)
    new: list[int] = field(default_factory=list)

    def edits(self) -> Iterator[Edit]:
        if self.pieces:
            self._measure()
            self._cut_lines()
            self._place()
        text = self.source.text
        at = 0
        for i, piece in enumerate(self.pieces):
            gap = text[at : piece.start]
            wanted = self._gap(i, gap)
            if wanted != gap:
                yield Edit(self.source.span(at, piece.start), wanted)
            at = piece.end
        rest, end = text[at:], "\n" if self.pieces else ""
        if rest != end and _PLAIN.issuperset(rest):
            yield Edit(self.source.span(at, len(text)), end)

    def _gap(self, i: int, gap: str) -> str:
        """The white space before a piece."""
        piece = self.pieces[i]
        first = self.lines[self.line_of[i]].first == i
        if not _PLAIN.issuperset(gap) or (i and piece.fixed and self.pieces[i - 1].fixed):
            return gap
        if not first:
            if piece.before is Blanks.AS_WRITTEN and piece.kind is not Kind.COMMENT:
                return gap
            return " " * (self.new[i] - self._end(i - 1, self.new[i - 1])) if gap or self._wide(i) else ""
        ends = "\n" * min(gap.count("\n"), _EMPTY_LINES + 1) if i else ""
        if self.lines[self.line_of[i]].fixed:
            return ends + gap.rpartition("\n")[2]
        tabs, blanks = divmod(self.new[i], self.style.width) if self.style.tabs else (0, self.new[i])
        return ends + "\t" * tabs + " " * blanks

    # --- what there is -----------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """The columns of all pieces; tabs reach to the next multiple of their width."""
        text, starts = self.source.text, self.source.line_starts
        line = 0
        for piece in self.pieces:
            while line + 1 < len(starts) and starts[line + 1] <= piece.start:
                line += 1
            self.old.append(len(text[starts[line] : piece.start].expandtabs(self.style.width)))
        self.new = list(self.old)

    def _cut_lines(self) -> None:
        text = self.source.text
        open_brackets: list[tuple[int, int]] = [(-1, -1)]  # the piece, and the line of the item in it
        at = 0
        for i, piece in enumerate(self.pieces):
            gap = text[at : piece.start]
            if i == 0 or "\n" in gap:
                line = _Line(i, i, open_brackets[-1][0])
                line.closes = piece.kind is Kind.CLOSE
                line.fixed = piece.fixed or not _PLAIN.issuperset(gap)
                self.lines.append(line)
            line = self.lines[-1]
            line.stop = i + 1
            self.line_of.append(len(self.lines) - 1)
            if piece.item and piece.kind is not Kind.COMMENT:
                open_brackets[-1] = (open_brackets[-1][0], len(self.lines) - 1)
            if line.first == i:
                line.item = open_brackets[-1][1]
            if piece.kind is Kind.OPEN:
                open_brackets.append((i, len(self.lines) - 1))
            elif piece.kind is Kind.CLOSE and len(open_brackets) > 1:
                open_brackets.pop()
            at = piece.end

    def _wide(self, i: int) -> bool:
        """Whether there is to be something before a piece that follows the one before without a blank."""
        return self.pieces[i].before is Blanks.ONE

    # --- where it goes -----------------------------------------------------------------------------------------------

    def _place(self) -> None:
        self._place_lines({}, {})
        shifts = [self.new[line.first] - self.old[line.first] for line in self.lines]
        groups = self._groups()
        columns: dict[int, int] = {}
        for i, group in groups.items():
            columns[group] = max(columns.get(group, 0), self.old[i] + shifts[self.line_of[i]])
        for _ in range(_ROUNDS):
            if not self._place_lines(groups, columns):
                break

    def _place_lines(self, groups: dict[int, int], columns: dict[int, int]) -> bool:
        """Gives each piece its column; a group gets that of its piece which needs the most. Whether that changed any."""
        before = list(self.new)
        for number, line in enumerate(self.lines):
            self.new[line.first] = self.old[line.first] if line.fixed else max(0, self._indent(number))
            for i in range(line.first + 1, line.stop):
                end = self._end(i - 1, self.new[i - 1])
                if i in groups:
                    least = 1 if self._gap_before(i) or self._wide(i) else 0
                    columns[groups[i]] = max(columns[groups[i]], end + least)
                    self.new[i] = columns[groups[i]]
                else:
                    self.new[i] = end + self._blanks(i, groups)
        return before != self.new

    def _blanks(self, i: int, groups: dict[int, int]) -> int:
        """Blanks before a piece that is in no group. Wide ones are kept where they put something else in its column."""
        last, piece = self.pieces[i - 1], self.pieces[i]
        gap = self.old[i] - self._end(i - 1, self.old[i - 1]) if piece.start > last.end else 0
        if piece.before is Blanks.NONE:
            return 0
        if piece.before is Blanks.AS_WRITTEN or (gap > 1 and self._aligns(i, groups)):
            return gap
        return 1 if piece.before is Blanks.ONE else min(gap, 1)

    def _indent(self, number: int) -> int:
        line = self.lines[number]
        old = self.old[line.first]
        kind = self.pieces[line.first].kind
        around = self.lines[self.line_of[line.opener]] if line.opener >= 0 else None
        if kind is Kind.COMMENT and (column := self._of_comment(number)) is not None:
            return column
        if around is not None and line.closes:
            if self._hangs(line.opener) or old == self.old[around.first]:
                return self.new[around.first]
            return self._placed(number, range(line.opener, line.opener + 1), around)
        if around is not None and not self._hangs(line.opener):
            return self._placed(number, [line.opener + 1, *self._line_before(number, line.opener)], around)
        level = self.new[around.first] + self.style.width if around is not None else 0
        if kind is Kind.COMMENT or line.item == number:
            return level
        item = self.lines[line.item]
        return self._placed(number, self._line_before(number, item.first), item)

    def _hangs(self, opener: int) -> bool:
        """Whether a bracket is the last in its line, so that what is in it is indented by one level."""
        at = opener + 1
        while at < len(self.pieces) and self.pieces[at].kind is Kind.COMMENT and self._same_line(at, opener):
            at += 1
        return at == len(self.pieces) or not self._same_line(at, opener)

    def _same_line(self, a: int, b: int) -> bool:
        return self.line_of[a] == self.line_of[b]

    def _placed(self, number: int, above: Iterable[int], beside: _Line) -> int:
        """The column of the piece among those `above` under which a line begins; else as far in as it was `beside` a line."""
        old = self.old[self.lines[number].first]
        under = (self.new[i] for i in above if self.old[i] == old)
        return next(under, old + self.new[beside.first] - self.old[beside.first])

    def _line_before(self, number: int, earliest: int) -> Iterable[int]:
        """The pieces of the line before, from piece `earliest` on."""
        before = number - 1
        while before > 0 and self._is_comment(before):
            before -= 1
        line = self.lines[before]
        return range(max(line.first, earliest), line.stop)

    def _is_comment(self, number: int) -> bool:
        return self.pieces[self.lines[number].first].kind is Kind.COMMENT

    def _of_comment(self, number: int) -> int | None:
        """The column of a comment that goes on from one after the line before, or stands over a line like it."""
        old = self.old[self.lines[number].first]
        last = self.lines[number].first - 1
        if number and self.old[last] == old and self.pieces[last].kind is Kind.COMMENT and self._follows(number):
            return self.new[last]
        after = number + 1
        while after < len(self.lines) and self._is_comment(after):
            after += 1
        if after < len(self.lines) and not self.lines[after].closes and self.old[self.lines[after].first] == old:
            return self.old[self.lines[after].first] if self.lines[after].fixed else self._indent(after)
        return None

    def _follows(self, number: int) -> bool:
        """Whether no empty line is before a line."""
        first = self.lines[number].first
        return self.source.text.count("\n", self.pieces[first - 1].end, self.pieces[first].start) == 1

    # --- columns -----------------------------------------------------------------------------------------------------

    def _neighbours(self) -> Iterator[tuple[_Line, _Line]]:
        """Lines that are one above the other for the eye: with only comments between, or as items of one bracket."""
        above: _Line | None = None
        items: dict[int, _Line] = {}
        for number, line in enumerate(self.lines):
            if self._is_comment(number):
                continue
            if above is not None:
                yield above, line
            if line.item == number and not line.closes:
                if line.opener in items and items[line.opener] is not above:
                    yield items[line.opener], line
                items[line.opener] = line
            above = line

    def _groups(self) -> dict[int, int]:
        """Pieces that stand under one another, by the number of their group; one of them has blanks to that end."""
        parent: dict[int, int] = {}

        def root(i: int) -> int:
            while parent.setdefault(i, i) != i:
                i = parent[i]
            return i

        for above, below in self._neighbours():
            columns = {self.old[i]: i for i in self._movable(above)}
            for i in self._movable(below):
                other = columns.get(self.old[i])
                if other is not None and self._sort(other) is self._sort(i):
                    parent[root(i)] = root(other)
        aligned = {root(i) for i in parent if self._gap_before(i) > 1}
        return {i: root(i) for i in parent if root(i) in aligned}

    def _movable(self, line: _Line) -> Iterator[int]:
        for i in range(line.first + 1, line.stop):
            piece = self.pieces[i]
            changes = piece.kind is Kind.COMMENT or piece.before in (Blanks.ONE, Blanks.ANY)
            if changes and (self._gap_before(i) or piece.kind in (Kind.ASSIGN, Kind.OPEN)):
                yield i

    def _sort(self, i: int) -> Kind:
        kind = self.pieces[i].kind
        return kind if kind in (Kind.COMMENT, Kind.ASSIGN) else Kind.OTHER

    def _gap_before(self, i: int) -> int:
        return self.pieces[i].start - self.pieces[i - 1].end

    def _aligns(self, i: int, groups: dict[int, int]) -> bool:
        """Whether a number ends where one of a neighbouring line does, or a piece puts one after it under others."""
        number = self.line_of[i]
        line = self.lines[number]
        if any(j in groups and self.pieces[j].kind is not Kind.COMMENT for j in range(i + 1, line.stop)):
            return True
        return self._is_number(i) and any(
            self._is_number(j) and self._end(j, self.old[j]) == self._end(i, self.old[i])
            for near in (number - 1, number + 1)
            if 0 <= near < len(self.lines)
            for j in range(self.lines[near].first + 1, self.lines[near].stop)
        )

    def _end(self, i: int, column: int) -> int:
        """The column after a piece that begins in `column`."""
        text = self.source.text[self.pieces[i].start : self.pieces[i].end]
        if "\n" in text:
            return len(text.rpartition("\n")[2].expandtabs(self.style.width))
        return len((" " * column + text).expandtabs(self.style.width)) if "\t" in text else column + len(text)

    def _is_number(self, i: int) -> bool:
        return self.source.text[self.pieces[i].start].isdigit()
