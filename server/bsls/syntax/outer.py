"""The outer configuration language: blocks and `key = value` items, as raw text.

The language has no tokens: a value is the text up to a separator or to the bracket that closes it, and what it means is
decided by whoever asks for it. So this scanner is all of its syntax. It works on the document (for the raw tree) and on
expanded text (for evaluation) alike, and never fails: what is wrong is reported beside the items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from bsls.finding import Edit, Finding, Fix, Severity
from bsls.source import ExpandedText

OPENERS = '[{("'
CLOSERS = {"[": "]", "{": "}", "(": ")", '"': '"'}
VARIABLE = re.compile(r"\$([A-Za-z_][^,/<>?;':\"\[\]{}\\|!@#%^&*()+=~`\s$]*)\$")
"""`$x$`, which stands for the value of the key x."""
_BLANK = " \t"
_SIGNS = tuple("`~!@$%^&*_-+|:;,?.")
_PATHS = ("..", ".\\", "./")
_MAX_PROBLEMS = 100
"""After so many the rest of a block is not read."""
_COMMENT = re.compile(r"^[ \t]*#[^\n]*|^[^#\n]*[ \t](#[^\n]*)", re.MULTILINE)
QUOTED_OR_BRACKET = re.compile(r"\"[^\"]*\"|[\[\](){}\"]")
_INNER = re.compile(r"([^\[{(\"=]*?[^\s\[{(\"=])[ \t]+([A-Za-z_]\w*)[ \t]*=(?!=)")
"""A value with what looks like the next item in it."""
_ITEM = re.compile(r"^([ \t]*)[A-Za-z_]\w*[ \t]*=(?!=)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Item:
    """`key = value`, with offsets into the scanned text. A bare word has an empty value and means `true`.

    `value_start` to `value_end` includes brackets and quotes.
    """

    key_start: int
    key_end: int
    value_start: int
    value_end: int
    bare: bool = False


@dataclass(frozen=True, slots=True)
class OuterProblem:
    """Something that does not scan: a message and where. `edits` (start, end, text) together mend it.

    What the reference accepts without a word is a warning.
    """

    message: str
    start: int
    end: int
    help: str = ""
    severity: Severity = Severity.ERROR
    title: str = ""
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def finding(self, text: ExpandedText) -> Finding:
        """The finding about `text`, which was scanned."""
        edits = tuple(Edit(text.span(start, end), new) for start, end, new in self.edits)
        fixes = [Fix(self.title, edits)] if edits else []
        return Finding("syntax", self.message, text.span(self.start, self.end), self.severity, self.help, fixes=fixes)


def blank_comments(text: str) -> str:
    """`text` with its `#` comments replaced by blanks, so that offsets stay.

    A `#` counts only as the first character of a line or after a blank, and only the first `#` of a line is looked at;
    quotes are not.
    """
    if "#" not in text:
        return text

    def blank(m: re.Match[str]) -> str:
        if m.start(1) < 0:
            return " " * (m.end() - m.start())
        return m.group()[: m.start(1) - m.start()] + " " * (m.end() - m.start(1))

    return _COMMENT.sub(blank, text)


def closing(text: str, at: int, end: int | None = None) -> int:
    """Offset of the bracket or quote that closes the one at `at`, or -1.

    Quotes protect brackets; brackets nest, whatever their kind.
    """
    end = len(text) if end is None else end
    if text[at] == '"':
        return text.find('"', at + 1, end)
    expected: list[str] = []
    for m in QUOTED_OR_BRACKET.finditer(text, at, end):
        found = m.group()
        if found in "[{(":
            expected.append(CLOSERS[found])
        elif len(found) == 1:
            if found == '"' or found != expected.pop():
                return -1
            if not expected:
                return m.start()
    return -1


def list_separator(text: str, start: int, default: str) -> tuple[str, int]:
    """What separates the elements of a list, beside commas and line ends, and where the first of them begins.

    `start` is behind the opening bracket. A sign that stands there separates in the place of `default`: `(;a;b)`. So it
    is in every list in brackets, the arguments of a call included: `(-1)` is the list of `1`.
    """
    unset = VARIABLE.match(text, start)  # `$x$` without value stands for itself
    if text[start : start + 1] in _SIGNS and text[start : start + 2] not in _PATHS and unset is None:
        return text[start], start + 1
    return default, start


def scan_list(text: str, start: int, end: int, separator: str) -> list[tuple[int, int]]:
    """The elements between two offsets, without blanks around them; one that has a bracket ends behind that."""
    ends = re.compile(rf"[,\n\r\[{{(\"{re.escape(separator)}]")
    found: list[tuple[int, int]] = []
    at = start
    while at < end:
        if text[at] in _BLANK or text[at] in ",\n\r" or text[at] == separator:
            at += 1
            continue
        m = ends.search(text, at, end)
        stop = m.start() if m else end
        if m and m.group() in OPENERS:
            close = closing(text, stop, end)
            stop = close + 1 if close >= 0 else end
        found.append((at, at + len(text[at:stop].rstrip())))
        at = stop
    return found


@cache
def _ends(separator: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for the end of a name and of a value."""
    ends = ",\n\r" + re.escape(separator) + r"\[{(\""
    return re.compile(f"[={ends}]"), re.compile(f"[{ends}]")


def scan_items(
    text: str,
    start: int = 0,
    end: int | None = None,
    *,
    separator: str = ";",
    top: bool = False,
    pairs: Mapping[int, int] | None = None,
) -> tuple[list[Item], list[OuterProblem]]:
    """The items between two offsets (comments blanked before), and what is wrong with them.

    A block without a name is skipped, but at the `top` of a config its items count as if they stood there. A closing
    bracket is a sign like any other here. Where a bracket is never closed, its value ends before the next line that is
    indented no deeper than the key and begins with `name =`, so that the items after it are still found. `pairs` tell for
    every bracket and quote of the text what `closing` says, where that is known.
    """
    end = len(text) if end is None else end
    items: list[Item] = []
    problems: list[OuterProblem] = []
    between = ",\n\r \t" + separator
    name_end, value_end = _ends(separator)
    at = start
    while at < end and len(problems) < _MAX_PROBLEMS:
        if text[at] in between:
            at += 1
            continue
        m = name_end.search(text, at, end)
        stop = m.start() if m else end
        key_end = at + len(text[at:stop].rstrip(_BLANK))
        sign = m.group() if m else ""
        if key_end == at and sign != "=":  # a bracket without a key
            close = closing(text, at, end)
            if close < 0:
                problems.append(_unclosed(text, at))
                at = _recover(text, at + 1, end, at)
                continue
            where = "its items count as if they stood outside of it" if top else "it is ignored"
            what = "a quoted text" if sign == '"' else "a block"
            problems.append(
                OuterProblem(
                    f"{what} without a name", at, at + 1, f"write `name = ` before it; {where}", Severity.WARNING
                )
            )
            if top:
                inner = list_separator(text, at + 1, separator)[0]
                more, wrong = scan_items(text, at + 1, close, separator=inner)
                items += more
                problems += wrong
            at = close + 1
            continue
        if m is None or sign not in "=" + OPENERS:
            if text[at:key_end].strip(" \t])}"):
                items.append(Item(at, key_end, key_end, key_end, bare=True))
            at = stop
            continue
        value = stop + (sign == "=")
        while value < end and text[value] in _BLANK:
            value += 1
        to = _value_end(text, value, end, at, value_end, problems, pairs or {})
        if key_end == at:
            problems.append(
                OuterProblem(
                    "there is no name before this '='", at, at + 1, "write one; the value is ignored", Severity.WARNING
                )
            )
            at = max(to, stop + 1)
            continue
        if to == value:
            name = text[at:key_end]
            below = value + len(text[value:end]) - len(text[value:end].lstrip())
            if text[below:end][:1] in ("[", "{", "(") and (close := closing(text, below, end)) >= 0:
                problems.append(
                    OuterProblem(
                        f"no value given for '{name}': the bracket that opens it stands in another line", at, stop + 1,
                        "put the bracket into the line of the '='", title="move the bracket up",
                        edits=[(stop + 1, below, " ")],
                    )
                )  # fmt: skip
                value, to = below, close + 1
            else:
                problems.append(
                    OuterProblem(
                        f"no value given for '{name}'", at, stop + 1, "write a value after '=', or remove the key"
                    )
                )
        if text[value:to][:1] not in tuple(OPENERS) and (inner := _INNER.match(text, value, to)):
            name = inner.group(2)
            problems.append(
                OuterProblem(
                    f"no separator before '{name}': it belongs to the value of '{text[at:key_end]}'",
                    inner.start(2), inner.end(2), "write ';' or ',' or a line end before it", Severity.WARNING,
                    "insert ;", [(inner.end(1), inner.end(1), " ;")],
                )
            )  # fmt: skip
        items.append(Item(at, key_end, value, to))
        at = max(to, stop + (sign == "="))
    return items, problems


def _value_end(
    text: str,
    value: int,
    end: int,
    key: int,
    value_end: re.Pattern[str],
    problems: list[OuterProblem],
    pairs: Mapping[int, int],
) -> int:
    m = value_end.search(text, value, end)
    stop = m.start() if m else end
    if m is None or m.group() not in OPENERS:
        return value + len(text[value:stop].rstrip(_BLANK))
    close = pairs[stop] if stop in pairs else closing(text, stop, end)
    if close >= 0:
        return close + 1
    problems.append(_unclosed(text, stop))
    return _recover(text, stop + 1, end, key)


def _unclosed(text: str, at: int) -> OuterProblem:
    closer = CLOSERS[text[at]]
    return OuterProblem(f"no closing {closer} found for this {text[at]}", at, at + 1, f"close it with {closer}")


def _recover(text: str, at: int, end: int, key: int) -> int:
    """Where the next item begins after a bracket that is never closed: a line no deeper than the key of the broken one."""
    line_start = text.rfind("\n", 0, key) + 1
    indent = len(text[line_start:key].expandtabs())
    for m in _ITEM.finditer(text, at, end):
        if len(m.group(1).expandtabs()) <= indent:
            return m.start()
    return end


def scan_elements(text: str, separator: str = ":") -> Iterator[tuple[int, int]]:
    """Where the elements of an array begin and end: `a:b`, in brackets or not; a bracket inside is one element.

    Outside of all brackets, an element in brackets or quotes counts as the elements inside of it.
    """
    between = ",\n\r \t" + separator
    end = _ends(separator)[1]
    at, inside = 0, -1
    while at < len(text):
        if 0 <= inside <= at:
            at, inside = inside + 1, -1
            between, end = ",\n\r \t" + separator, _ends(separator)[1]
        elif text[at] in between:
            at += 1
        elif text[at] in OPENERS:
            close = closing(text, at)
            close = len(text) if close < 0 else close
            if inside < 0:
                own = list_separator(text, at + 1, separator)[0]
                between, end = ",\n\r \t" + own, _ends(own)[1]
                at, inside = at + 1, close
                continue
            close = min(close, inside - 1)  # a quoted text may end before a bracket in it does
            yield (at + 1, max(close, at + 1)) if text[at] == '"' else (at, close + 1)
            at = close + 1
        else:
            m = end.search(text, at)
            stop = m.start() if m else len(text)
            if m and m.group() in OPENERS:
                close = closing(text, stop)
                stop = len(text) if close < 0 else close + 1
            if 0 <= inside < stop:
                stop = inside
            yield at, stop
            at = stop
