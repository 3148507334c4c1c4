"""Blanks between two words of BrainScript that stand on one line.

Binary operators and the `=` of a member have one on both sides, commas and semicolons one after them, the inside of
parentheses none. Where both ways are common (`f (x)` and `f(x)`, `axis = 1` and `axis=1`, `a : b` and `a:b`,
`x[n - 1]` and `x[n-1]`), the user's is kept, but it must be the same on both sides of a sign.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, auto
from itertools import pairwise

_KEYWORDS = frozenset(("if", "then", "else", "new", "with", "include"))
_ARITHMETIC = frozenset("+-*/%")
_VALUES = frozenset(("id", "literal", "close"))


class Blanks(Enum):
    """How many blanks are to stand somewhere. `ANY`: none stays none, more become one; `AS_WRITTEN`: as many as there are."""

    NONE = auto()
    ONE = auto()
    ANY = auto()
    AS_WRITTEN = auto()


def blanks_in_network(words: Sequence[re.Match[str]]) -> list[tuple[Blanks, bool]]:
    """For each word (comments are words) the blanks before it, and whether it begins an element of brackets."""
    found: list[tuple[Blanks, bool]] = []
    stack = ["record"]
    significant = [i for i, m in enumerate(words) if m.lastgroup != "comment"]
    following = dict(pairwise(significant))
    last: int | None = None  # the significant word before
    unary = False  # that one is a sign before its operand
    for i, m in enumerate(words):
        mark, kind = m.group(), m.lastgroup
        before = words[last] if last is not None else None
        if kind == "comment":
            found.append((Blanks.AS_WRITTEN, True))
            continue
        follows = words[following[i]] if i in following else None
        if words[i - 1].lastgroup == "comment" and i:
            blanks = Blanks.ANY
        elif before is None:
            blanks = Blanks.AS_WRITTEN
        else:
            blanks = _blanks(words, last or 0, i, follows, stack[-1], unary)
        separators = (",", ";", ":") if stack[-1] in ("arguments", "array") else (";",)
        begins = before is None or before.lastgroup == "open" or before.group() in separators
        found.append((blanks, begins and kind != "close"))
        unary = mark in ("-", "+", "!") and not _is_value(before)
        if kind == "open":
            stack.append(_bracket(words, last, mark))
        elif kind == "close" and len(stack) > 1:
            stack.pop()
        last = i
    return found


def _is_value(word: re.Match[str] | None) -> bool:
    """Whether an operand ends with a word, so that a minus after it is binary."""
    return word is not None and word.lastgroup in _VALUES and word.group() not in _KEYWORDS


def _bracket(words: Sequence[re.Match[str]], last: int | None, mark: str) -> str:
    """What a bracket holds."""
    before = words[last] if last is not None else None
    of_type = last is not None and last > 0 and words[last - 1].group() == "new"
    if mark == "(":
        return "arguments"
    if mark == "[|":
        return "array"
    if _is_value(before) and not of_type:
        return "arguments" if mark == "{" else "index"
    return "record"


def _blanks(
    words: Sequence[re.Match[str]], last: int, i: int, follows: re.Match[str] | None, bracket: str, unary: bool
) -> Blanks:
    a, b = words[last], words[i]
    before, mark = a.group(), b.group()
    if mark in (",", ")") or before == "(":
        return Blanks.NONE
    if before == "," or (before == ";" and mark != ";"):
        return Blanks.ONE
    if mark == ";" or a.lastgroup == "open" or b.lastgroup == "close":
        return Blanks.ANY
    if mark in ("..", ".") or before in ("..", "."):
        return Blanks.ANY
    if unary:
        return Blanks.NONE if b.lastgroup in ("id", "literal", "open") else Blanks.ANY
    for at in (last, i):
        sign = words[at].group()
        if sign == ":" or (sign == "=" and bracket != "record") or (sign in _ARITHMETIC and bracket == "index"):
            return _both_sides(words, at)
    if a.lastgroup == "other" or (b.lastgroup == "other" and mark != "!") or before in _KEYWORDS or mark in _KEYWORDS:
        return Blanks.ONE
    return Blanks.ANY


def _both_sides(words: Sequence[re.Match[str]], at: int) -> Blanks:
    """The same on both sides of a sign, as the user has it; where that differs, one blank but between numbers."""
    if not 0 < at < len(words) - 1:
        return Blanks.ANY
    a, sign, b = words[at - 1], words[at], words[at + 1]
    text = sign.string
    gaps = text[a.end() : sign.start()], text[sign.end() : b.start()]
    if any("\n" in gap for gap in gaps) or "comment" in (a.lastgroup, b.lastgroup):
        return Blanks.ANY
    if not any(gaps):
        return Blanks.NONE
    numbers = a.group()[0].isdigit() and b.group()[0].isdigit()
    return Blanks.NONE if numbers and not all(gaps) else Blanks.ONE
