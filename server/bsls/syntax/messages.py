"""What to say about a member that does not parse, and where."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from bsls.finding import Edit, Finding, Fix
from bsls.syntax.tree import Home

KEYWORDS = frozenset({"include", "new", "with", "true", "false", "if", "then", "else", "array"})
NO_INCLUDE = ("'include' must be followed by a quoted string", 'write include "path"')
_EXPECTED = {
    "RPAR": ")", "RBRACE": "}", "RBRACKET": "]", "RSQB": "]", "RARRAY": "|]", "_THEN": "then", "_ELSE": "else",
    "EQUAL": "=", "__ANON_0": "..", "COLON": ":",
}  # fmt: skip
"""Signs by the names of the grammar's terminals; of several that are expected the first is named."""

_OPERANDS = frozenset({"ID", "NUMBER", "STRING", "TRUE", "FALSE", "NEW", "IF", "ARRAY"})


_CHARACTERS = {
    "^": ("the power is written **", "**"),
    "&": ("both is written &&", "&&"),
    "|": ("either is written ||", "||"),
    "~": ("not is written !", "!"),
    "?": ("write if ... then ... else ...", ""),
    "\u201c": ("write straight quotation marks", '"'),
    "\u201d": ("write straight quotation marks", '"'),
    "\u2018": ("write straight quotation marks", "'"),
    "\u2019": ("write straight quotation marks", "'"),
    "\u2212": ("this is another sign than the minus", "-"),
}
"""Help for characters that mean nothing, and what to write."""


class _Said(NamedTuple):
    """What is wrong, what to do, and the edit that does it: start and end in the member, and the new text."""

    message: str
    help: str = ""
    edit: tuple[int, int, str] | None = None


def syntax_finding(error: Any, piece: str, home: Home) -> Finding:
    """The finding for the error that the parser raised on `piece`, the text of a member."""
    from lark import UnexpectedCharacters, UnexpectedToken

    at, length = len(piece), 0
    if isinstance(error, UnexpectedCharacters):
        at, length = error.pos_in_stream or 0, 1
        said = _character(piece, at)
    elif isinstance(error, UnexpectedToken):
        found = error.token
        if found.type != "$END":
            at, length = found.start_pos or 0, len(found)
        said = _token(found, set(error.accepts or error.expected), piece, at)
        comment = piece.rfind("/*", 0, at + 2)
        if comment >= at - 1 and comment >= 0:
            at, length = comment, 2
            said = _Said("comment without closing */", "close it with */")
    else:
        said = _Said("operand expected", "the expression breaks off here")
    if piece.startswith("include", at):
        length = len("include")
    start = home.offset + min(at, max(len(piece) - 1, 0))
    finding = Finding("syntax", said.message, home.text.span(start, start + max(length, 1)), help=said.help)
    if said.edit is not None:
        first, last, new = said.edit
        place = home.text.span(home.offset + first, home.offset + last)
        old = piece[first:last]
        title = f"change to {new}" if old and new else f"insert {new.strip()}" if new else f"remove {old}"
        finding.fixes.append(Fix(title, (Edit(place, new),)))
    return finding


def _character(piece: str, at: int) -> _Said:
    """What to say about a character that begins no word or sign of the language."""
    sign = piece[at : at + 1]
    if sign in ("'", '"'):
        return _Said("string without closing quotation mark", f"close it with {sign}")
    if re.match(r"include\b", piece[at:]):
        return _Said(*NO_INCLUDE)
    help, text = _CHARACTERS.get(sign, ("", ""))
    if not help and not sign.isascii():
        help = "outside of comments only letters and signs of ASCII can be used"
    return _Said(f"unexpected character: {sign}", help, (at, at + 1, text) if text else None)


def _token(found: Any, expected: set[str], piece: str, at: int) -> _Said:
    """What to say about a word or sign that cannot stand where it does."""
    ends = found.type == "$END"
    shown = "the end" if ends else f"'{found}'"
    end = at + (0 if ends else len(found))
    reserved = f"'{found}' is a reserved word and cannot be a name" if found in KEYWORDS and "ID" in expected else ""
    if "NUMBER" in expected:
        if ends:
            return _Said("operand expected", "the expression breaks off here")
        if found == ">" and piece[at - 1 : at] == "-":
            return _Said("operand expected before '>'", "a function is written x => ...", (at - 1, end, "=>"))
        return _Said(
            f"operand expected before {shown}", reserved or "a value, a name or a bracket must stand here",
            (at, end, "") if found in (",", ";") and "RPAR" not in expected else None,
        )  # fmt: skip
    if expected == {"ID"}:
        return _Said(f"identifier expected before {shown}", reserved)
    wanted = next((sign for terminal, sign in _EXPECTED.items() if terminal in expected), None)
    if wanted is None or "$END" in expected:
        return _Said(f"{shown} cannot stand here", *_instead(found, expected, piece, at, end, ""))
    message = f"'{wanted}' expected before {shown}"
    if reserved:
        return _Said(message, reserved)
    return _Said(message, *_instead(found, expected, piece, at, end, wanted))


def _instead(
    found: Any, expected: set[str], piece: str, at: int, end: int, wanted: str
) -> tuple[str, tuple[int, int, str] | None]:
    """Help for a word or sign that was probably meant in another way, and the edit that makes it that."""
    between = len(piece[:at].rstrip())  # where the word before it ends
    operand = found.type in _OPERANDS
    if found == "=" and "COMPARE" in expected and "COMMA" not in expected:
        return "whether two values are equal is asked by ==", (at, end, "==")
    if "COMMA" in expected:
        if operand:
            return "a comma is missing before it", (between, between, ",")
        return ("arguments are separated by commas", (at, end, ",")) if found == ";" else ("", None)
    if "RPAR" in expected:  # perhaps the elements of an array
        if found == "," and re.match(r"[^()]*\)\s*=>", piece[at:]):
            return "a function x => ... has one parameter; one with two is defined by f (x, y) = ...", None
        if found in (",", ";"):
            return "the elements of an array are separated by ':'", (at, end, ":")
        if operand:
            return "an operator is missing before it, or the ':' between elements", (between, between, " :")
    if found in (",", ";") and ("$END" in expected or ("ID" in expected and expected & {"RBRACE", "RBRACKET"})):
        help = "members are separated by the end of the line or one ';'"
        return help, (at, end, "" if piece[:at].rstrip().endswith(";") else ";")
    if found == "," and "SEMICOLON" in expected:
        return "members, and elements in [| |], are separated by ';'", (at, end, ";")
    if wanted == "else":
        return "an if has a then and an else", None
    if wanted == "..":
        return "the first and the last index are written array[0..n]", None
    if wanted == "=" and found in (":", ","):
        return "in [ ] and { } stand members `name = value`; an array is written (a : b)", None
    if operand and re.search(r"\w$", piece[:between]):
        return "arguments stand in ( ) or { }; else an operator or a line break is missing before it", None
    return ("an operator or a line break is missing before it" if operand else ""), None
