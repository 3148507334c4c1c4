"""The pieces of a text between which white space may change, and what may change there.

White space is content in many places of the outer language, and everywhere in what cannot be read. There a piece is
`fixed`, or reaches over all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members, parse_expression, tokens
from bsls.syntax.format_spacing import Blanks, blanks_in_network
from bsls.syntax.outer import CLOSERS, VARIABLE, blank_comments, closing, list_separator, scan_items
from bsls.syntax.raw import LANGUAGES, Language

_INCLUDE_LINE = re.compile(r"^include=[^\n]*", re.MULTILINE)
_INCLUDE = re.compile(r"\binclude[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*')")
_KEY = re.compile(r"[\w.$-]+")
_RUN_END = re.compile(r"[\n\[\](){}\"]")
_NDL_PIECE = re.compile(r"[,=]|[^\s,=]+")


class Kind(Enum):
    """What a piece is to the layout."""

    OPEN = auto()
    CLOSE = auto()
    ASSIGN = auto()
    COMMENT = auto()
    OTHER = auto()


@dataclass(slots=True)
class Piece:
    """Text from `start` to `end`. `before`: the blanks before it, where it does not begin a line.

    `fixed`: where it begins a line, it stays in its column. `item`: a member, key, argument or element begins with it.
    """

    start: int
    end: int
    kind: Kind
    before: Blanks
    fixed: bool = False
    item: bool = False


def pieces(text: str, language: Language) -> list[Piece]:
    """All pieces of a text in order: all that is between them is white space.

    `language`: `config`, `brainscript`, or `ndl` for the older description languages. Brackets match in the text.
    """
    return _Cut(text, language).found


def bracket_text(text: str, language: Language) -> str:
    """The text in which brackets are to match, as long as `text`."""
    if language == "brainscript":
        return text
    return _INCLUDE_LINE.sub(lambda m: _as_long(m, " "), blank_comments(text))


def _as_long(m: re.Match[str], by: str) -> str:
    return re.sub(r"[^\n]", by, m.group())


class _Cut:
    def __init__(self, text: str, language: Language) -> None:
        self.found: list[Piece] = []
        self._text = text
        self._ndl = language == "ndl"
        if language == "brainscript":
            self._scanned = text
            start, end = len(text) - len(text.lstrip()), len(text.rstrip())
            whole = text[start : start + 1] not in ("{", "[")
            self._network(start, end, whole)
            return
        blanked = blank_comments(text)
        self._scanned = bracket_text(text, language)
        self._block(0, len(text))
        lines = [(m.start(), m.end(), Kind.OTHER) for m in _INCLUDE_LINE.finditer(blanked)]
        self._add_between([*lines, *_comments(text, blanked)])

    def _add_between(self, others: list[tuple[int, int, Kind]]) -> None:
        """Adds comments and lines that include a file, but for those inside of a piece."""
        ends: dict[int, int] = {p.start: p.end for p in self.found}
        at = 0
        added: list[Piece] = []
        starts = sorted(ends)
        reached = index = 0
        for start, end, kind in sorted(others):
            while index < len(starts) and starts[index] <= start:
                reached = max(reached, ends[starts[index]])
                index += 1
            if start >= max(reached, at):
                added.append(Piece(start, end, kind, Blanks.AS_WRITTEN, fixed=kind is Kind.OTHER, item=True))
                at = end
        self.found = sorted([*self.found, *added], key=lambda p: p.start)

    def _add(
        self, start: int, end: int, before: Blanks = Blanks.AS_WRITTEN, kind: Kind = Kind.OTHER, fixed: bool = False
    ) -> None:
        if start < end:
            if self._text[start] == "#":  # with a blank before it, it would begin a comment
                before = Blanks.AS_WRITTEN
            self.found.append(Piece(start, end, kind, before, fixed, item=True))

    # --- the outer language ------------------------------------------------------------------------------------------

    def _block(self, start: int, end: int) -> None:
        text = self._scanned
        at = start
        for item in scan_items(text, start, end)[0]:
            if item.key_start < at:  # it stands in what was taken for the value of a macro
                continue
            at = max(self._between(at, item.key_start, end), item.key_start)
            if item.key_start < at:
                continue
            key = text[item.key_start : item.key_end]
            sign = text.find("=", item.key_end, item.value_start)
            before = self._after_separator()
            if not item.bare and item.value_start == item.value_end:  # a value is missing
                self._add(item.key_start, (sign + 1) or item.key_end, fixed=True)
                at = (sign + 1) or item.key_end
                continue
            free = _KEY.fullmatch(key) is not None
            include = key == "include" and sign == item.key_end
            self._add(item.key_start, item.key_end, before if free else Blanks.AS_WRITTEN, fixed=include)
            at = item.key_end
            if item.bare:
                continue
            blanks = Blanks.ONE if free and sign >= 0 and not include else Blanks.AS_WRITTEN
            if sign >= 0:
                self._add(sign, sign + 1, blanks, Kind.ASSIGN)
            if LANGUAGES.get(key.lower()) == "brainscript" and text[item.value_start] in "[{(":
                self._network(item.value_start, item.value_end)
            else:
                self._value(item.value_start, item.value_end, blanks)
            if self.found[-1].end < item.value_end:
                self._add(self.found[-1].end, item.value_end)
            at = item.value_end
        self._between(at, end, end)

    def _after_separator(self) -> Blanks:
        last = self.found[-1] if self.found else None
        if last is None or last.kind is not Kind.OTHER:
            return Blanks.ONE if last is not None and last.kind is Kind.ASSIGN else Blanks.AS_WRITTEN
        return Blanks.ONE if self._text[last.start : last.end] in (",", ";") else Blanks.AS_WRITTEN

    def _between(self, at: int, stop: int, end: int) -> int:
        """What stands between items: separators, `= [ ... ]` after the parameters of a macro, and what cannot be read."""
        text = self._scanned
        while at < stop:
            if text[at].isspace():
                at += 1
            elif text[at] in ",;":
                self._add(at, at + 1, Blanks.NONE if text[at] == "," else Blanks.ANY)
                at += 1
            elif text[at] == "=" and self.found and self._text[self.found[-1].end - 1] == ")":
                self._add(at, at + 1, Blanks.ONE, Kind.ASSIGN)
                at += 1
            elif text[at] in "[{" and self._follows_macro(at):
                close = closing(text, at, end)
                self._value(at, close + 1, Blanks.ONE)
                at = close + 1
            else:
                close = closing(text, at, end) if text[at] in '[{("' else -1
                line_end = text.find("\n", at, stop)
                until = close + 1 if close >= 0 else stop if line_end < 0 else line_end
                self._add(at, at + len(text[at:until].rstrip()), fixed=True)
                at = until
        return at

    def _follows_macro(self, at: int) -> bool:
        """Whether a block is the body of a macro: `M (x) = [ ... ]`, also without the sign."""
        last = self.found[-1] if self.found else None
        return last is not None and self._text[last.end - 1] in "=)" and not self._scanned[last.end : at].strip()

    def _value(self, start: int, end: int, before: Blanks) -> None:
        """A value: a block, an array, or words, which stay as they are but for calls in NDL."""
        if self._scanned[start] not in "[{(" and not self._ndl:
            self._add(start, end, before)
        else:
            self._elements(start, end, before)

    def _elements(self, start: int, end: int, before: Blanks) -> None:
        """Blocks, arrays and words one after another."""
        text = self._scanned
        at = start
        while at < end:
            if text[at].isspace():
                at += 1
                continue
            mark = text[at]
            close = closing(text, at, end) if mark in CLOSERS else -1
            if close < 0:
                m = _RUN_END.search(text, at + 1, end)
                stop = m.start() if m else end
                self._words(at, at + len(text[at:stop].rstrip()), before)
                at = stop
            elif mark == '"' or (mark == "(" and self._ndl and list_separator(text, at + 1, "")[0]):
                self._add(at, close + 1, before)  # a sign after the bracket makes blanks count
                at = close + 1
            else:
                self._add(at, at + 1, before, Kind.OPEN)
                count = len(self.found)
                if mark == "(":
                    self._elements(at + 1, close, Blanks.NONE if self._ndl else Blanks.AS_WRITTEN)
                else:
                    self._block(at + 1, close)
                inside = mark != "(" and len(self.found) > count
                if inside:
                    self.found[count].before = Blanks.ANY
                after = Blanks.ANY if mark != "(" else Blanks.NONE if self._ndl else Blanks.AS_WRITTEN
                self._add(close, close + 1, after, Kind.CLOSE)
                at = close + 1
            before = Blanks.AS_WRITTEN

    def _words(self, start: int, end: int, before: Blanks) -> None:
        if not self._ndl:
            self._add(start, end, before)
            return
        for m in _NDL_PIECE.finditer(self._scanned, start, end):
            if m.group() == ",":
                before = Blanks.NONE
            elif self.found and self._text[self.found[-1].start : self.found[-1].end] == "," and m.start() > start:
                before = Blanks.ONE
            self._add(m.start(), m.end(), before)
            before = Blanks.AS_WRITTEN

    # --- BrainScript -------------------------------------------------------------------------------------------------

    def _network(self, start: int, end: int, whole: bool = False) -> None:
        """A network description in brackets, or a whole file of members."""
        masked = VARIABLE.sub(lambda m: _as_long(m, "_"), self._scanned[:end])
        words = list(tokens(masked, start, end, comments=True))
        if not _balanced(words):
            self._add(start, end, fixed=True)
            return
        broken, items = _read(masked, start, end, whole)
        blanks = blanks_in_network(words)
        for i, m in enumerate(words):
            kind = Kind.OTHER
            if m.lastgroup == "comment":
                kind = Kind.COMMENT
            elif m.lastgroup == "open":
                kind = Kind.OPEN
            elif m.lastgroup == "close":
                kind = Kind.CLOSE
            elif m.group() == "=":
                kind = Kind.ASSIGN
            fixed = broken(m.start(), m.end(), kind is Kind.COMMENT or m.group() == ";")
            before, item = blanks[i]
            last = len(self._text[m.start() : m.end()].rstrip()) if kind is Kind.COMMENT else m.end() - m.start()
            self.found.append(
                Piece(
                    m.start(),
                    m.start() + last,
                    kind,
                    Blanks.AS_WRITTEN if fixed else before,
                    fixed,
                    item or m.start() in items,
                )
            )


def _comments(text: str, blanked: str) -> Iterator[tuple[int, int, Kind]]:
    at = 0
    for line, shown in zip(text.split("\n"), blanked.split("\n"), strict=True):
        if line != shown:
            start = next(i for i, (a, b) in enumerate(zip(line, shown, strict=True)) if a != b and not a.isspace())
            yield at + start, at + len(line.rstrip()), Kind.COMMENT
        at += len(line) + 1


def _balanced(words: list[re.Match[str]]) -> bool:
    from bsls.syntax.brainscript import CLOSERS as PAIRS

    stack: list[str] = []
    for m in words:
        if m.lastgroup == "open":
            stack.append(PAIRS[m.group()])
        elif m.lastgroup == "close" and (not stack or stack.pop() != m.group()):
            return False
    return not stack


def _read(masked: str, start: int, end: int, whole: bool) -> tuple[Callable[[int, int, bool], bool], set[int]]:
    """Whether what stands between two offsets is broken, and where members begin."""
    text = _INCLUDE.sub(lambda m: _as_long(m, " "), masked)
    expanded = ExpandedText.of(Source("", text))
    items: set[int] = set()
    good: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    if text[start:end][:1] == "(" and not whole:
        value = parse_expression(expanded, start, end)
        if not isinstance(value, tree.Broken):
            good.append((start, end))
            items |= {start - 4 + at for at in _member_starts(value)}
    else:
        inner = (start, end) if whole else (start + 1, end - 1)
        if not whole:
            good += [(start, start + 1), (end - 1, end)]
        members = Members(expanded, *inner)
        for name, (first, last) in members.names.items():
            member = members.member(name)
            if isinstance(member.value, tree.Broken):
                bad.append((first, last))
            else:
                good.append((first, last))
                items |= {first + at for at in _member_starts(member)}
    good.sort()
    bad.sort()

    def within(ranges: list[tuple[int, int]], first: int, last: int) -> bool:
        at = bisect_right(ranges, first, key=lambda r: r[0]) - 1
        return at >= 0 and last <= ranges[at][1]

    includes = [(m.start(), m.end()) for m in _INCLUDE.finditer(masked, start, end)]
    good = sorted([*good, *(i for i in includes if not within(good, *i))])

    def broken(first: int, last: int, between: bool) -> bool:
        return within(bad, first, last) if between else not within(good, first, last)

    return broken, items


def _member_starts(expr: tree.Expr) -> Iterator[int]:
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, tree.Member):
            yield part.start
        stack += tree.children(part)
