"""The outer configuration language: blocks and `key = value` items, as raw text.

The language has no tokens: a value is the text up to a separator or to the bracket that closes it, and what it means is
decided by whoever asks for it. So this scanner is all of its syntax. It works on the document (for the raw tree) and on
expanded text (for evaluation) alike, and never fails: what is wrong is reported beside the items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

OPENERS = '[{("'
CLOSERS = {"[": "]", "{": "}", "(": ")", '"': '"'}
VARIABLE = re.compile(r"\$([A-Za-z_][^,/<>?;':\"\[\]{}\\|!@#%^&*()+=~\s$]*)\$")
"""`$x$`, which stands for the value of the key x."""
_SEPARATORS = ",;\n\r"
_BLANK = " \t"
_COMMENT = re.compile(r"^[ \t]*#[^\n]*|^[^#\n]*[ \t](#[^\n]*)", re.MULTILINE)
_BRACKET = re.compile(r"[\[\](){}\"]")
_SIGNS = tuple("`~!@$%^&*_-+|:;,?.")
_PATHS = ("..", ".\\", "./")
_NAME_END = re.compile(r"[=,;\n\r\[{(\"]")
_VALUE_END = re.compile(r"[,;\n\r\[{(\"\])}]")


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
    """Something that does not scan: a message and where."""

    message: str
    start: int
    end: int
    help: str = ""


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
    while m := _BRACKET.search(text, at, end):
        found = m.group()
        at = m.end()
        if found == '"':
            at = text.find('"', at, end) + 1
            if at == 0:
                return -1
        elif found in "[{(":
            expected.append(CLOSERS[found])
        elif found == expected[-1]:
            expected.pop()
            if not expected:
                return m.start()
        else:
            return -1
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


def scan_items(text: str, start: int = 0, end: int | None = None) -> tuple[list[Item], list[OuterProblem]]:
    """The items between two offsets (comments blanked before), and what is wrong with them.

    Where a bracket is never closed, its value ends before the next line that is indented no deeper than the key and
    begins with `name =`, so that the items after it are still found.
    """
    end = len(text) if end is None else end
    items: list[Item] = []
    problems: list[OuterProblem] = []
    at = start
    while at < end:
        if text[at] in _SEPARATORS or text[at] in _BLANK:
            at += 1
            continue
        m = _NAME_END.search(text, at, end)
        stop = m.start() if m else end
        key_end = at + len(text[at:stop].rstrip())
        if key_end == at:  # a bracket or `=` without a key
            if m and m.group() in OPENERS and (close := closing(text, at, end)) >= 0:
                problems.append(OuterProblem("a block without a name", at, at + 1, "write `name = ` before it"))
                at = close + 1
            else:
                what = "'='" if m and m.group() == "=" else "bracket"
                problems.append(
                    OuterProblem(
                        f"unexpected {what}", at, at + 1, "a name is missing before it, or a bracket is left over"
                    )
                )
                at += 1
            continue
        if text[at] in "])}":
            problems.append(
                OuterProblem(f"unmatched '{text[at]}'", at, at + 1, "remove it, or open the bracket that it closes")
            )
            at += 1
            continue
        if m is None or m.group() in _SEPARATORS:
            items.append(Item(at, key_end, key_end, key_end, bare=True))
            at = stop
            continue
        value = stop + 1 if m.group() == "=" else stop
        while value < end and text[value] in _BLANK:
            value += 1
        value_end = _value_end(text, value, end, at, problems)
        if value_end == value and text[value:end][:1] not in tuple("])}"):
            problems.append(
                OuterProblem(
                    f"no value given for '{text[at:key_end]}'",
                    at,
                    stop + 1,
                    "write a value after '=', or remove the key",
                )
            )
        items.append(Item(at, key_end, value, value_end))
        at = max(value_end, stop + (m.group() == "="))
    return items, problems


def _value_end(text: str, value: int, end: int, key: int, problems: list[OuterProblem]) -> int:
    at = value
    while m := _VALUE_END.search(text, at, end):
        if m.group() not in OPENERS:
            return value + len(text[value : m.start()].rstrip())
        close = closing(text, m.start(), end)
        if close >= 0:
            return close + 1
        opened = m.group()
        problems.append(
            OuterProblem(
                f"no closing {CLOSERS[opened]} found for this {opened}",
                m.start(),
                m.end(),
                f"close it with {CLOSERS[opened]}",
            )
        )
        return _recover(text, m.end(), end, key)
    return value + len(text[value:end].rstrip())


def _recover(text: str, at: int, end: int, key: int) -> int:
    """Where the next item begins after a bracket that is never closed: a line no deeper than the key of the broken one."""
    line_start = text.rfind("\n", 0, key) + 1
    indent = len(text[line_start:key].expandtabs())
    for m in re.compile(r"^([ \t]*)[A-Za-z_]\w*[ \t]*=(?!=)", re.MULTILINE).finditer(text, at, end):
        if len(m.group(1).expandtabs()) <= indent:
            return m.start()
    return end
