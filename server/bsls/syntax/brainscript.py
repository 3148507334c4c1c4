"""BrainScript text to trees, a member at a time: a cheap scan cuts the text, the grammar parses what is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from bsls.finding import BsError, Finding
from bsls.source import ExpandedText
from bsls.syntax import tree
from bsls.syntax.tree import Expr, Home

if TYPE_CHECKING:
    from lark import Lark

KEYWORDS = frozenset({"include", "new", "with", "true", "false", "if", "then", "else", "array"})
_OPERAND_END = frozenset({"id", "literal", "close"})
_SCAN = re.compile(
    r"(?P<skip>[ \t\r\n\f]+|(?:#|//)[^\n]*|/\*(?:[^*]|\*[^/])*\*/)"
    r"|(?P<id>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<literal>'[^']*'|\"[^\"]*\"|0[xX][0-9a-fA-F]+|(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<open>\[\||[\[({])|(?P<close>\|\]|[\])}])|(?P<semicolon>;)|(?P<other>.)",
    re.DOTALL,
)
_DEFINITION = re.compile(r"\s*(\([^()\n]*\)|\{[^{}\n]*\}|\[[^\[\]\n]*\])?\s*=(?![=>])")
_ASSIGNED = re.compile(r"\s*=(?![=>])")
_CLOSERS = {"(": ")", "[": "]", "{": "}", "[|": "|]"}


def _tokens(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The words, brackets and signs of a text, without blanks and comments."""
    while start < end:
        m = _SCAN.match(text, start, end)
        assert m is not None
        start = m.end()
        if m.lastgroup != "skip":
            yield m


def _bracket_pairs(tokens: Iterable[re.Match[str]]) -> dict[int, int]:
    """For each closing bracket the offset of the one that it closes; those in between that do not fit are left out."""
    stack: list[tuple[str, int]] = []
    pairs: dict[int, int] = {}
    for m in tokens:
        if m.lastgroup == "open":
            stack.append((m.group(), m.start()))
        elif m.lastgroup == "close":
            fitting = [i for i, (mark, _) in enumerate(stack) if _CLOSERS[mark] == m.group()]
            if fitting:
                pairs[m.start()] = stack[fitting[-1]][1]
                del stack[fitting[-1] :]
    return pairs


class Members:
    """The members of a record, found by the scan; each is parsed when it is asked for.

    `names` maps each name to the offsets of its text. `problems` are findings of the scan: text between members, names
    that occur twice.
    """

    def __init__(self, text: ExpandedText, start: int, end: int) -> None:
        self.text = text
        self.problems: list[Finding] = []
        self.names: dict[str, tuple[int, int]] = {}
        self._docs: dict[str, tuple[int, int]] = {}
        self._parsed: dict[str, tree.Member] = {}
        self._cut(start, end)

    def _cut(self, start: int, end: int) -> None:
        text = self.text.text
        cuts: list[tuple[str, int, int, int]] = []  # name, where the text before it begins, start, end
        open_brackets: list[int] = []
        tokens = list(_tokens(text, start, end))
        pairs = _bracket_pairs(tokens)
        closed = set(pairs.values())
        previous, last_end, last_word, stuck = "semicolon", start, "", False
        for m in tokens:
            kind, word = m.lastgroup or "other", m.group()
            if kind == "id" and last_word == "new":
                kind = "other"  # a type; its argument follows
            elif kind == "id" and word in KEYWORDS and not _ASSIGNED.match(text, m.end(), end):
                kind = "literal" if word in ("true", "false") else "other"
            begins = False
            if kind == "id" and not open_brackets and previous != "other":
                begins = True
            elif kind == "id" and (not open_brackets or open_brackets[0] not in closed):
                # a bracket that is never closed or a dangling operator, and a line that looks like the next member
                begins = self._dedented(m, cuts, end)
            if begins:
                open_brackets = []
                cuts.append((word, last_end, m.start(), m.end()))
                stuck = False
            elif previous == "semicolon" and not open_brackets and not stuck:
                stuck = True
                what, help = (
                    ("'include' inside of a network description is not supported", "put the text here")
                    if word == "include"
                    else (
                        f"a name is expected before '{word}'",
                        "members have the form `name = value`, with at most one `;` between them",
                    )
                )
                self._problem(what, m.start(), m.end(), help)
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

    def _dedented(self, m: re.Match[str], cuts: list[tuple[str, int, int, int]], end: int) -> bool:
        """Whether a word begins a line that is indented no deeper than the last member and reads `name =`."""
        text = self.text.text
        line = text.rfind("\n", 0, m.start()) + 1
        if not cuts or text[line : m.start()].strip() or not _DEFINITION.match(text, m.end(), end):
            return False
        first = text[text.rfind("\n", 0, cuts[-1][2]) + 1 :]
        return m.start() - line <= len(first) - len(first.lstrip(" \t"))

    def _problem(self, message: str, start: int, end: int, help: str) -> None:
        self.problems.append(Finding("syntax", message, self.text.span(start, end), help=help))

    def doc(self, name: str) -> str:
        """The comment lines directly above a member, without their marks."""
        start, end = self._docs[name]
        lines: list[str] = []
        for line in reversed(self.text.text[start:end].split("\n")[:-1]):
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


def parse_member(text: ExpandedText, start: int, end: int, library: bool = False) -> tree.Member:
    """The tree of the member between two offsets; never raises."""
    from lark import UnexpectedInput

    piece = text.text[start:end]
    home = Home(text, start, library)
    try:
        _builder().home = home
        return _parser().parse(piece)  # type: ignore[return-value]
    except UnexpectedInput as error:
        finding = _syntax_finding(error, piece, home)
    except BsError as error:
        finding = error.finding
    m = re.match(r"[A-Za-z_]\w*", piece)
    name_end = m.end() if m else 0
    broken = tree.Broken(home, name_end, len(piece), finding)
    return tree.Member(home, 0, len(piece), piece[:name_end], broken, name_end)


def parse_expression(text: ExpandedText, start: int = 0, end: int | None = None) -> Expr:
    """The tree of an expression (the network description in parentheses, an argument of the command line)."""
    end = len(text) if end is None else end
    member = parse_member(ExpandedText.join(["_ = ", text.slice(start, end)]), 0, 4 + end - start)
    return member.value


_EXPECTED = {
    "EQUAL": "=", "RPAR": ")", "RBRACE": "}", "RSQB": "]", "RBRACKET": "]", "RARRAY": "|]", "COLON": ":", "__ANON_0": "..",
    "_THEN": "then", "_ELSE": "else", "LPAR": "(", "LSQB": "[",
}  # fmt: skip


def _syntax_finding(error: Any, piece: str, home: Home) -> Finding:
    from lark import UnexpectedCharacters, UnexpectedToken

    at, length = len(piece), 0
    if isinstance(error, UnexpectedCharacters):
        at, length = error.pos_in_stream or 0, 1
        rest = piece[at:]
        if rest[:1] in "'\"":
            message, help = "string without closing quotation mark", f"close it with {rest[0]}"
        else:
            message, help = f"unexpected character: {rest[:1]}", ""
    elif isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        found = error.token
        if found.type != "$END":
            at, length = found.start_pos or 0, len(found)
        shown = "the end" if found.type == "$END" else f"'{found}'"
        closers = [
            _EXPECTED[e]
            for e in ("RPAR", "RBRACE", "RBRACKET", "RSQB", "RARRAY", "_THEN", "_ELSE", "EQUAL", "__ANON_0", "COLON")
            if e in expected
        ]
        if "NUMBER" in expected and found.type == "$END":
            message, help = "operand expected", "the expression breaks off here"
        elif "NUMBER" in expected and not (closers and found.type == "$END"):
            message, help = f"operand expected before {shown}", "a value, a name or a bracket must stand here"
        elif expected == {"ID"}:
            message, help = f"identifier expected before {shown}", ""
        elif closers:
            message, help = f"'{closers[0]}' expected before {shown}", ""
        else:
            message, help = f"{shown} cannot stand here", ""
        if found in KEYWORDS and (expected == {"ID"} or _ASSIGNED.match(piece, at + length)):
            help = f"'{found}' is a reserved word and cannot be a name"
        if found.type == "INCLUDE":
            message, help = "'include' inside of a network description is not supported", "put the text here"
        comment = piece.rfind("/*", 0, at + 2)
        if comment >= 0 and comment >= at - 1:
            at, length = comment, 2
            message, help = "comment without closing */", "close it with */"
    else:
        message, help = "the expression breaks off here", ""
    start = home.offset + min(at, max(len(piece) - 1, 0))
    return Finding("syntax", message, home.text.span(start, start + max(length, 1)), help=help)


@cache
def _parser() -> Lark:
    from bsls.syntax.tables import parser

    return parser("brainscript", _builder())


@cache
def _builder() -> Any:
    from bsls.syntax.builder import TreeBuilder

    return TreeBuilder()
