"""BrainScript text to trees, a member at a time: a cheap scan cuts the text, the grammar parses what is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.source import ExpandedText
from bsls.syntax import tree
from bsls.syntax.messages import KEYWORDS, NO_INCLUDE, syntax_finding
from bsls.syntax.tree import Expr, Home

if TYPE_CHECKING:
    from lark import Lark

_OPERAND_END = frozenset({"id", "literal", "close"})
COMMENT_BODY = r"/\*(?:[^*]|\*[^/])*"
"""A pattern for `/* ... */` without its end. As in the reference, `**/` is no end."""
COMMENT = rf"(?:#|//)[^\n]*|{COMMENT_BODY}\*/"
STRING = r"'[^']*'|\"[^\"]*\""
NUMBER = r"0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SCAN = re.compile(
    rf"(?P<blank>[ \t\r\n\f]+)|(?P<comment>{COMMENT})"
    r"|(?P<id>[A-Za-z_][A-Za-z0-9_]*)"
    rf"|(?P<literal>{STRING}|{NUMBER})"
    r"|(?P<open>\[\||[\[({])|(?P<close>\|\]|[\])}])|(?P<semicolon>;)"
    r"|(?P<other>=>|\.\.|\.\*|\*\*|&&|\|\||<<|>>|[=!<>]=|.)",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"\s*=(?![=>])")
_FORM = "members have the form `name = value`, with at most one `;` between them"
CLOSERS = {"(": ")", "[": "]", "{": "}", "[|": "|]"}
MAX_NESTED = 10_000
"""Parts of an expression inside one another; each operator of `a + b + c` counts."""
_parsing = Lock()  # there is one parser, with one builder


def tokens(text: str, start: int = 0, end: int | None = None, *, comments: bool = False) -> Iterator[re.Match[str]]:
    """The words (`lastgroup` is `id`), strings and numbers (`literal`), brackets (`open`, `close`), `semicolon`, operators
    and other signs (`other`) of a text, without blanks and, if they are not asked for, each `comment`."""
    end = len(text) if end is None else end
    while start < end:
        m = _SCAN.match(text, start, end)
        assert m is not None
        start = m.end()
        if m.lastgroup != "blank" and (comments or m.lastgroup != "comment"):
            yield m


def _bracket_pairs(tokens: Iterable[re.Match[str]]) -> dict[int, int]:
    """For each closing bracket the offset of the one that it closes; those in between that do not fit are left out."""
    stack: list[tuple[str, int]] = []
    pairs: dict[int, int] = {}
    for m in tokens:
        if m.lastgroup == "open":
            stack.append((m.group(), m.start()))
        elif m.lastgroup == "close":
            fitting = [i for i, (mark, _) in enumerate(stack) if CLOSERS[mark] == m.group()]
            if fitting:
                pairs[m.start()] = stack[fitting[-1]][1]
                del stack[fitting[-1] :]
    return pairs


def _without_includes(words: list[re.Match[str]]) -> list[re.Match[str]]:
    """Leaves out `include "path"`, which stands for other members where it is not replaced."""
    found: list[re.Match[str]] = []
    for word in words:
        if found and found[-1].group() == "include" and word.group()[0] in "'\"" and len(word.group()) > 1:
            found.pop()
        else:
            found.append(word)
    return found


def _defines(tokens: Sequence[re.Match[str]], i: int, closers: Mapping[int, int]) -> bool:
    """Whether token `i` begins a definition: `=` follows, perhaps after brackets with parameters or an index."""
    i += 1
    for _ in range(2):
        if i < len(tokens) and (close := closers.get(tokens[i].start())) is not None:
            while tokens[i].start() < close:
                i += 1
            i += 1
    return i < len(tokens) and _ASSIGNED.match(tokens[i].string, tokens[i].start()) is not None


class Members:
    """The members of a record, found by the scan; each is parsed when it is asked for.

    `names` maps each name to the offsets of its text. `problems` are findings of the scan: text between members, names
    that occur twice. A member that has the same text in `previous` takes its tree over, which then stands here.
    """

    def __init__(self, text: ExpandedText, start: int, end: int, previous: Members | None = None) -> None:
        self.text = text
        self.problems: list[Finding] = []
        self.names: dict[str, tuple[int, int]] = {}
        self._docs: dict[str, tuple[int, int]] = {}
        self._parsed: dict[str, tree.Member] = {}
        self._findings: dict[str, list[Finding]] = {}
        self._doubtful: dict[str, Finding] = {}
        self._bounds = start, end
        if previous is not None and self._is_same(previous):
            self.names, self._docs = previous.names, previous._docs
        else:
            self._cut(start, end)
        if previous is not None:
            self._take_over(previous)

    def _is_same(self, previous: Members) -> bool:
        """Whether the text was cut before; its problems have places of their own."""
        return self._bounds == previous._bounds and self.text.text == previous.text.text and not previous.problems

    def _cut(self, start: int, end: int) -> None:
        text = self.text.text
        cuts: list[tuple[str, int, int, int]] = []  # name, where the text before it begins, start, end
        open_brackets: list[int] = []
        words = _without_includes(list(tokens(text, start, end)))
        pairs = _bracket_pairs(words)
        closers = {opener: closer for closer, opener in pairs.items()}
        previous, last_end, last_word, stuck = "semicolon", start, "", False
        for i, m in enumerate(words):
            kind, word = m.lastgroup or "other", m.group()
            if kind == "id" and last_word == "new":
                kind = "other"  # a type; its argument follows
            elif kind == "id" and word in KEYWORDS and not _ASSIGNED.match(text, m.end(), end):
                kind = "literal" if word in ("true", "false") else "other"
            elif word == "," and not open_brackets:
                kind = "literal"  # it does not separate members; the next one is found nevertheless
            begins = False
            if kind == "id" and not open_brackets and previous != "other":
                begins = previous == "semicolon" or self._first_on_line(m) or _defines(words, i, closers)
            elif kind == "id" and (not open_brackets or open_brackets[0] not in closers):
                # a bracket that is never closed or a dangling operator, and a line that looks like the next member
                begins = self._dedented(m, cuts) and _defines(words, i, closers)
            if begins:
                open_brackets = []
                cuts.append((word, last_end, m.start(), m.end()))
                stuck = False
            elif previous == "semicolon" and not open_brackets and not stuck:
                stuck = True
                what, help = f"a name is expected before '{word}'", _FORM
                if word == "include":
                    what, help = NO_INCLUDE
                self._problem(what, m.start(), m.end(), help)
                if word in (",", ";"):
                    place = self.text.span(m.start(), m.end())
                    self.problems[-1].fixes.append(Fix(f"remove {word}", (Edit(place, ""),)))
            if kind == "open":
                open_brackets.append(m.start())
            elif pairs.get(m.start()) in open_brackets:
                del open_brackets[open_brackets.index(pairs[m.start()]) :]
            previous, last_end, last_word = kind, m.end(), word
            if cuts and not stuck and kind != "semicolon":
                cuts[-1] = (*cuts[-1][:3], m.end())
        for name, gap, begin, stop in cuts:
            if name in self.names:
                self._problem(
                    f"duplicate member definition '{name}'", begin, begin + len(name), "give one of them another name"
                )
            self.names[name] = (begin, stop)
            self._docs[name] = (gap, begin)

    def _take_over(self, previous: Members) -> None:
        for name, (start, end) in self.names.items():
            if previous._findings.get(name) != []:  # findings have places of their own
                continue
            old_start, old_end = previous.names[name]
            if self.text.text[start:end] == previous.text.text[old_start:old_end]:
                member = self._parsed[name] = previous._parsed[name]
                member.home.text, member.home.offset = self.text, start
                self._findings[name] = []

    def _first_on_line(self, m: re.Match[str]) -> bool:
        text = self.text.text
        return not text[text.rfind("\n", 0, m.start()) + 1 : m.start()].strip()

    def _dedented(self, m: re.Match[str], cuts: list[tuple[str, int, int, int]]) -> bool:
        """Whether a word begins a line that is indented no deeper than the last member."""
        if not cuts or not self._first_on_line(m):
            return False
        text = self.text.text
        line = text[text.rfind("\n", 0, cuts[-1][2]) + 1 :]
        return m.start() - text.rfind("\n", 0, m.start()) - 1 <= len(line) - len(line.lstrip(" \t"))

    def _problem(self, message: str, start: int, end: int, help: str) -> None:
        self.problems.append(Finding("syntax", message, self.text.span(start, end), help=help))

    def doc(self, name: str) -> str:
        """The comment lines directly above a member, without their marks."""
        start, end = self._docs[name]
        text = self.text.text
        if start > 0 and text[start - 1] != "\n":  # what is left of a line belongs to what stands before
            start = text.find("\n", start, end) + 1 or end
        lines: list[str] = []
        for line in reversed(text[start:end].split("\n")[:-1]):
            line = line.strip()
            if not line.startswith(("#", "//")):
                break
            lines.insert(0, line.lstrip("#/").strip())
        return "\n".join(lines)

    def member(self, name: str) -> tree.Member:
        """The parsed member; its value is `Broken` if it does not parse."""
        found = self._parsed.get(name)
        if found is None:
            start, end = self.names[name]
            found = self._parsed[name] = parse_member(self.text, start, end)
        return found

    def doubt(self, findings: Iterable[Finding]) -> None:
        """Errors about brackets: a member in which one was put right may not say what was meant."""
        for finding in findings:
            if finding.span is None or finding.severity < Severity.ERROR:
                continue
            at = self.text.offset_of(finding.span.source, finding.span.start)
            for name, (start, end) in self.names.items():
                if at is not None and start <= at <= end:
                    self._doubtful[name] = finding

    def meant(self, name: str) -> tree.Member:
        """As `member`, for those who draw conclusions from it: its value is `Broken` also where the member is in doubt."""
        member, finding = self.member(name), self._doubtful.get(name)
        if finding is None:
            return member
        value = tree.Broken(member.home, member.value.start, member.value.end, finding)
        return tree.Member(member.home, member.start, member.end, name, value, member.name_end)

    def findings(self, name: str) -> list[Finding]:
        """What is wrong with the text of a member."""
        found = self._findings.get(name)
        if found is None:
            found = self._findings[name] = list(tree.problems(self.member(name)))
        return found


def parse_member(text: ExpandedText, start: int, end: int, library: bool = False) -> tree.Member:
    """The tree of the member between two offsets; never raises."""
    from lark import UnexpectedInput

    piece = text.text[start:end]
    home = Home(text, start, library)
    try:
        with _parsing:
            _builder().home = home
            member: tree.Member = _parser().parse(piece)  # type: ignore[assignment]
        if len(piece) <= MAX_NESTED or not tree.deeper_than(member, MAX_NESTED):
            return member
        finding = Finding(
            "nesting-limit", f"the parts of this expression are more than {MAX_NESTED} inside one another",
            text.span(start, end), help="give parts of it names of their own",
        )  # fmt: skip
    except UnexpectedInput as error:
        finding = syntax_finding(error, piece, home)
    except BsError as error:
        finding = error.finding
    m = re.match(r"[A-Za-z_][A-Za-z0-9_]*", piece)
    name_end = m.end() if m else 0
    broken = tree.Broken(home, name_end, len(piece), finding)
    return tree.Member(home, 0, len(piece), piece[:name_end], broken, name_end)


def parse_expression(text: ExpandedText, start: int = 0, end: int | None = None) -> Expr:
    """The tree of an expression (the network description in parentheses, an argument of the command line)."""
    end = len(text) if end is None else end
    member = parse_member(ExpandedText.join(["_ = ", text.slice(start, end)]), 0, 4 + end - start)
    return member.value


@cache
def _parser() -> Lark:
    from bsls.syntax.tables import parser

    return parser("brainscript", _builder())


@cache
def _builder() -> Any:
    from bsls.syntax.builder import TreeBuilder

    return TreeBuilder()
