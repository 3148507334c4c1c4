"""What to say about a member that does not parse, and where."""

from __future__ import annotations

import re
from typing import Any

from bsls.finding import Finding
from bsls.syntax.tree import Home

KEYWORDS = frozenset({"include", "new", "with", "true", "false", "if", "then", "else", "array"})
NO_INCLUDE = ("'include' inside of a network description is not supported", "put the text here")
_EXPECTED = {
    "RPAR": ")", "RBRACE": "}", "RBRACKET": "]", "RSQB": "]", "RARRAY": "|]", "_THEN": "then", "_ELSE": "else",
    "EQUAL": "=", "__ANON_0": "..", "COLON": ":",
}  # fmt: skip
"""Signs by the names of the grammar's terminals; of several that are expected the first is named."""

_OPERANDS = frozenset({"ID", "NUMBER", "STRING", "TRUE", "FALSE", "NEW", "IF", "ARRAY"})


def syntax_finding(error: Any, piece: str, home: Home) -> Finding:
    """The finding for the error that the parser raised on `piece`, the text of a member."""
    from lark import UnexpectedCharacters, UnexpectedToken

    at, length = len(piece), 0
    if isinstance(error, UnexpectedCharacters):
        at, length = error.pos_in_stream or 0, 1
        message, help = _character(piece[at:])
    elif isinstance(error, UnexpectedToken):
        found = error.token
        if found.type != "$END":
            at, length = found.start_pos or 0, len(found)
        message, help = _token(found, set(error.accepts or error.expected))
        comment = piece.rfind("/*", 0, at + 2)
        if comment >= at - 1 and comment >= 0:
            at, length = comment, 2
            message, help = "comment without closing */", "close it with */"
    else:
        message, help = "operand expected", "the expression breaks off here"
    if piece.startswith("include", at):
        length = len("include")
    start = home.offset + min(at, max(len(piece) - 1, 0))
    return Finding("syntax", message, home.text.span(start, start + max(length, 1)), help=help)


def _character(rest: str) -> tuple[str, str]:
    """Message and help for a character that begins no word or sign of the language."""
    if rest[:1] in ("'", '"'):
        return "string without closing quotation mark", f"close it with {rest[0]}"
    if re.match(r"include\b", rest):
        return NO_INCLUDE
    return f"unexpected character: {rest[:1]}", ""


def _token(found: Any, expected: set[str]) -> tuple[str, str]:
    """Message and help for a word or sign that cannot stand where it does."""
    ends = found.type == "$END"
    shown = "the end" if ends else f"'{found}'"
    reserved = f"'{found}' is a reserved word and cannot be a name" if found in KEYWORDS and "ID" in expected else ""
    if "NUMBER" in expected:
        if not ends:
            return f"operand expected before {shown}", reserved or "a value, a name or a bracket must stand here"
        return "operand expected", "the expression breaks off here"
    if expected == {"ID"}:
        return f"identifier expected before {shown}", reserved
    wanted = next((sign for terminal, sign in _EXPECTED.items() if terminal in expected), None)
    if wanted is None or "$END" in expected:
        missing = "an operator or a line break is missing before it" if found.type in _OPERANDS else ""
        return f"{shown} cannot stand here", missing
    return f"'{wanted}' expected before {shown}", reserved
