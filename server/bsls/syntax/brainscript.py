"""BrainScript text to trees, a member at a time: a cheap scan cuts the text, the grammar parses what is needed."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
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
        starts: list[tuple[str, int, int]] = []  # name, start, end of the text before it
        depth, previous, last_end = 0, "semicolon", start
        at = start
        while at < end:
            m = _SCAN.match(text, at, end)
            assert m is not None
            kind = m.lastgroup or "other"
            at = m.end()
            if kind == "skip":
                continue
            if kind == "id" and m.group() in KEYWORDS:
                kind = "literal" if m.group() in ("true", "false") else "other"
            if kind == "id" and (depth > 0 or previous == "other") and self._dedented(text, m, starts):
                # an open bracket or a dangling operator, and a line that looks like the next member: the one before ends here
                depth = 0
                starts.append((m.group(), m.start(), last_end))
            elif depth == 0:
                if kind == "id" and (previous in _OPERAND_END or previous == "semicolon"):
                    starts.append((m.group(), m.start(), last_end))
                elif not starts or (kind == "semicolon" and previous == "semicolon"):
                    self._problem(
                        f"a name is expected before '{m.group()}'",
                        m.start(),
                        m.end(),
                        "members have the form `name = value`, with at most one `;` between them",
                    )
            if kind == "open":
                depth += 1
            elif kind == "close":
                depth = max(depth - 1, 0)
            previous, last_end = kind, m.end()
        for i, (name, begin, gap) in enumerate(starts):
            stop = starts[i + 1][2] if i + 1 < len(starts) else last_end
            stop = begin + len(text[begin:stop].rstrip(" \t\r\n;"))
            if name in self.names:
                self._problem(
                    f"duplicate member definition '{name}'", begin, begin + len(name), "give one of them another name"
                )
            self.names[name] = (begin, stop)
            self._docs[name] = (gap, begin)

    @staticmethod
    def _dedented(text: str, m: re.Match[str], starts: list[tuple[str, int, int]]) -> bool:
        line = text.rfind("\n", 0, m.start()) + 1
        if (
            not starts
            or text[line : m.start()].strip()
            or not re.match(r"\s*(\([^()\n]*\)|\{[^{}\n]*\})?\s*=(?![=>])", text[m.end() : m.end() + 200])
        ):
            return False
        first = text.rfind("\n", 0, starts[-1][1]) + 1
        return bool(not text[first : starts[-1][1]].strip()) and m.start() - line <= starts[-1][1] - first

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
    "THEN": "then", "ELSE": "else", "LPAR": "(", "LSQB": "[",
}  # fmt: skip


def _syntax_finding(error: Any, piece: str, home: Home) -> Finding:
    from lark import UnexpectedCharacters, UnexpectedToken

    at, length = len(piece), 0
    if isinstance(error, UnexpectedCharacters):
        at, length = error.pos_in_stream or 0, 1
        rest = piece[at:]
        if rest[:1] in "'\"":
            message, help = "string without closing quotation mark", f"close it with {rest[0]}"
        elif rest.startswith("/*"):
            message, help = "comment without closing */", "close it with */"
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
            for e in ("RPAR", "RBRACE", "RBRACKET", "RSQB", "RARRAY", "THEN", "ELSE", "EQUAL", "__ANON_0", "COLON")
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
        if found in KEYWORDS:
            help = f"'{found}' is a reserved word and cannot be a name"
    else:
        message, help = "the expression breaks off here", ""
    start = home.offset + min(at, max(len(piece) - 1, 0))
    return Finding("syntax", message, home.text.span(start, start + max(length, 1)), help=help)


@cache
def _parser() -> Lark:
    from lark import Lark

    grammar = files("bsls.syntax").joinpath("brainscript.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False, transformer=_builder())


@cache
def _builder() -> Any:
    from bsls.syntax.builder import TreeBuilder

    return TreeBuilder()
