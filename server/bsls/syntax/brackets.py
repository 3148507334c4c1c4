"""Brackets and quotes of a config that do not match: which one is to blame, and what would make them match.

Nothing in the outer language but its brackets tells where a block ends, so that one bracket too few or too many would
shift the meaning of everything after it. Here it is put right first. There are several ways to read a text whose
brackets do not match; the one with the fewest mistakes is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

from bsls.finding import BsError, Finding, Severity
from bsls.source import ExpandedText
from bsls.syntax.outer import CLOSERS, QUOTED_OR_BRACKET, OuterProblem

MAX_DEPTH = 500
"""Brackets inside one another."""
MAX_PROBLEMS = 100
"""Brackets that do not match; a text with more of them is not read."""

_MARK = re.compile(r"[\[\](){}\"]")
_ITEM = re.compile(r"[ \t]*[A-Za-z_]\w*[ \t]*(?:\([^()\n]*\)|\{[^{}\n]*\}|\[[^\[\]\n]*\])?[ \t]*=(?![=>])")


@dataclass(frozen=True, slots=True)
class Repair:
    """Put `insert` before offset `at` and leave out the `remove` characters there."""

    at: int
    insert: str
    remove: int = 0


@dataclass(frozen=True, slots=True)
class _Opener:
    mark: str
    at: int
    line: int
    indent: int


class _Reading:
    """One way to read the brackets of a text.

    `indent`: a line that begins an item ends the brackets of lines that are indented as deep or deeper, and a bracket
    that begins a line closes the block that is indented like it. `local`: a wrong bracket is blamed on its own line.
    `lines`: a quote ends on its line. It stops after `MAX_PROBLEMS`. `harmless`: nothing is wrong but brackets that close
    nothing, outside of all others.
    """

    def __init__(self, text: str, indent: bool, local: bool, lines: bool) -> None:
        self.repairs: list[Repair] = []
        self.problems: list[OuterProblem] = []
        self.harmless = True
        self._text = text
        self._stack: list[_Opener] = []
        self._indent, self._local = indent, local
        at = number = 0
        while at <= len(text) and len(self.problems) <= MAX_PROBLEMS:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            m = _MARK.search(text, at, end)
            if m is None and not (indent and self._stack):
                at = end + 1
                number += 1
                continue
            blanks = len(text[at:end]) - len(text[at:end].lstrip())
            depth = len(text[at : at + blanks].expandtabs())
            if indent and self._stack and _ITEM.match(text, at, end):
                keep = len(self._stack)
                while keep and depth <= self._stack[keep - 1].indent:
                    keep -= 1
                self._unclosed(keep, at)
            first = at + blanks
            while m is not None and len(self.problems) <= MAX_PROBLEMS:
                at = m.end()
                mark = m.group()
                if mark == '"':
                    close = text.find('"', at, end if lines else len(text))
                    if close < 0:
                        at = self._before_blanks(end if lines else len(text), at)
                        self.repairs.append(Repair(at, mark))
                        self._problem(
                            f"no closing {mark} found for this {mark}", m.start(), f"close it with {mark}",
                            f"insert {mark}", (at, at, mark),
                        )  # fmt: skip
                        self.harmless = False
                    else:
                        at = close + 1
                    if at > end:  # the text goes on where the quote ends, in another line
                        number += text.count("\n", end, at)
                        end = text.find("\n", at)
                        end = len(text) if end < 0 else end
                elif mark in CLOSERS:
                    self._stack.append(_Opener(mark, m.start(), number, depth))
                else:
                    self._close(mark, m.start(), number, depth, m.start() == first)
                m = _MARK.search(text, at, end)
            at = end + 1
            number += 1
        self._unclosed(0, len(text))

    def _problem(self, message: str, at: int, help: str, title: str, *edits: tuple[int, int, str]) -> None:
        self.problems.append(OuterProblem(message, at, at + 1, help, title=title, edits=list(edits)))

    def _before_blanks(self, at: int, low: int) -> int:
        while at > low and self._text[at - 1].isspace():
            at -= 1
        return at

    def _unclosed(self, keep: int, at: int) -> None:
        """Closes all but `keep` brackets before `at`; those of one line are one mistake."""
        line = -1
        while len(self._stack) > keep:
            self.harmless = False
            opener = self._stack.pop()
            closer = CLOSERS[opener.mark]
            message, help = f"no closing {closer} found for this {opener.mark}", f"close it with {closer}"
            if self._text.find("//", self._text.rfind("\n", 0, opener.at) + 1, opener.at) >= 0:
                self.repairs.append(Repair(opener.at, " ", 1))
                help += "; brackets in // comments count, those in # comments do not"
                title, edit = f"remove {opener.mark}", (opener.at, opener.at + 1, "")
            else:
                self.repairs.append(Repair(at, closer))
                title, edit = f"insert {closer}", self._insertion(opener, at)
            if opener.line != line:
                self._problem(message, opener.at, help, title, edit)
            else:
                self._join(edit)
            line = opener.line

    def _insertion(self, opener: _Opener, at: int) -> tuple[int, int, str]:
        """Where a person would close a bracket that ends before `at`: behind its content, or in a line of its own."""
        text, closer = self._text, CLOSERS[opener.mark]
        end = self._before_blanks(at, opener.at)
        if text.find("\n", opener.at, end) < 0:
            return end, end, closer
        start = text.rfind("\n", 0, opener.at) + 1
        indent = text[start : start + len(text[start : opener.at]) - len(text[start : opener.at].lstrip())]
        end = text.find("\n", end)
        end = len(text) if end < 0 else end
        return end, end, "\n" + indent + closer

    def _join(self, edit: tuple[int, int, str]) -> None:
        """Adds an edit to those of the last problem; what is inserted at one place stands together."""
        edits = self.problems[-1].edits
        if edits and edits[-1][:2] == edit[:2] and edit[0] == edit[1]:
            edits[-1] = (*edit[:2], edits[-1][2] + edit[2].lstrip())
        else:
            edits.append(edit)

    def _close(self, mark: str, at: int, line: int, depth: int, first: bool) -> None:
        stack = self._stack
        fitting = [i for i, opener in enumerate(stack) if CLOSERS[opener.mark] == mark]
        aligned = [i for i in fitting if stack[i].indent == depth] if self._indent and first else []
        target = (aligned or fitting)[-1] if fitting else -1
        top = stack[-1] if stack else None
        if top is not None and CLOSERS[top.mark] != mark:
            self.harmless = False
            on_line = self._local and top.line == line and (target < 0 or stack[target].line != line)
            below = self._indent and first and top.indent == depth and not aligned
            if on_line or below:  # it stands where that bracket must be closed, but is of another kind
                closer = CLOSERS[top.mark]
                self._problem(
                    f"'{mark}' does not close '{top.mark}'", at, f"write '{closer}'",
                    f"change to {closer}", (at, at + 1, closer),
                )  # fmt: skip
                self.repairs.append(Repair(at, closer, 1))
                stack.pop()
                return
            if self._local and not first and all(stack[i].line != line for i in fitting):
                target = -1  # it is left over on its line
        elif self._local and top is not None and top.line != line and not first and mark != ")":
            target = -1
        if target < 0:
            help = "remove it, or open the bracket that it closes"
            self._problem(f"unmatched '{mark}'", at, help, f"remove {mark}", (at, at + 1, ""))
            self.repairs.append(Repair(at, " ", 1))
            return
        self._unclosed(target + 1, at)
        stack.pop()


def repairs(text: str) -> tuple[list[Repair], list[OuterProblem]]:
    """What makes the brackets and quotes of a text match (comments blanked before), in its order, and what is wrong.

    Nothing where they match. Brackets that close nothing, outside of all others, stay: the reference takes them for
    letters, and the blocks end where they end for it.
    """
    if bracket_pairs(text) is not None:
        return [], []
    plain = _Reading(text, False, False, False)
    if not plain.problems:
        return [], []
    readings = [_Reading(text, *flags) for flags in product((True, False), repeat=3)]
    best = min(readings, key=lambda r: len(r.problems))  # the first of them where several are equal
    if plain.harmless and len(plain.problems) <= MAX_PROBLEMS:
        removed = all(r.remove and r.insert == " " for r in best.repairs)
        help = "remove it; the block around it ends here, and what follows stands outside"
        shown = best.problems if removed else plain.problems
        return [], [replace(p, severity=Severity.WARNING, help=help) for p in shown]
    return sorted(best.repairs, key=lambda r: r.at), best.problems


def check_depth(text: ExpandedText) -> None:
    """Raises BsError where brackets are nested deeper than anybody can have meant."""
    depth = 0
    for m in _MARK.finditer(text.text):
        depth += 1 if m.group() in "[({" else -1 if m.group() in "])}" and depth else 0
        if depth > MAX_DEPTH:
            raise BsError(
                "nesting-limit", f"more than {MAX_DEPTH} brackets are open here", text.span(m.start(), m.end()),
                help="close those that belong to what stands before",
            )  # fmt: skip


@lru_cache(maxsize=4)
def bracket_pairs(text: str) -> Mapping[int, int] | None:
    """Where each bracket and quote is closed; None where they do not all match or are nested too deeply.

    It is known of the last texts that were asked for: several readers go over the same one, block by block.
    """
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for m in QUOTED_OR_BRACKET.finditer(text):
        at = m.start()
        mark = text[at]
        if mark == '"':
            if m.end() - 1 == at:
                return None
            pairs[at] = m.end() - 1
        elif mark in "[({":
            opened.append(at)
            if len(opened) > MAX_DEPTH:
                return None
        elif not opened or CLOSERS[text[opened[-1]]] != mark:
            return None
        else:
            pairs[opened.pop()] = at
    return None if opened else pairs


def with_matching_brackets(text: ExpandedText) -> tuple[ExpandedText, list[Finding]]:
    """The text with the brackets that were probably meant, and what is wrong with those that stand there.

    Raises BsError where they are nested too deeply, or hardly any of them match.
    """
    if bracket_pairs(text.text) is not None:
        return text, []
    check_depth(text)
    changes, problems = repairs(text.text)
    if len(problems) > MAX_PROBLEMS:
        first = problems[0]
        raise BsError(
            "syntax", f"more than {MAX_PROBLEMS} brackets or quotes do not match, the first one here",
            text.span(first.start, first.end), help="is this a config?",
        )  # fmt: skip
    parts: list[ExpandedText | str] = []
    at = 0
    for change in changes:
        parts += [text.slice(at, change.at), change.insert]
        at = change.at + change.remove
    found = [p.finding(text) for p in problems]
    return ExpandedText.join([*parts, text.slice(at, len(text))]) if changes else text, found
