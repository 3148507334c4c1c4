"""A line of CNTK text format, character by character: says what is wrong with it, and what of it counts all the same."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from bstorch.readers.base import Stream

_NUMBER = re.compile(rb"([+-]?)(\d+)(?:\.(\d*))?")
_EXPONENT = re.compile(rb"[eE]([+-]?)(\d+)")
_DIGITS = re.compile(rb"\d+")
_DELIMITERS = b" \t"


@dataclass(slots=True)
class Sample:
    """A sample of stream number `stream`; `indices` is None for a dense one, which may have fewer values than `dim`."""

    stream: int
    values: list[float]
    indices: list[int] | None = None


@dataclass(slots=True)
class LineIssue:
    """Something wrong in a line; `stream` is the number of the stream whose sample is dropped, or None."""

    message: str
    stream: int | None = None


@dataclass(slots=True)
class Line:
    """What a line holds."""

    samples: list[Sample] = field(default_factory=list)
    issues: list[LineIssue] = field(default_factory=list)


class _Bad(Exception):
    pass


def parse_line(text: bytes, streams: list[Stream]) -> Line:
    """Parses one line, without its line end, by the rules and with the tolerance of the reference.

    A sample that cannot be read is dropped, with an issue; so is a line without any sample.
    """
    line = Line()
    names = {s.alias.encode(): i for i, s in enumerate(streams)}
    found = _DIGITS.match(text)
    at = found.end() if found else 0
    while at < len(text):
        if text[at] in _DELIMITERS or _is_control(text[at]):
            at += 1
            continue
        if text[at : at + 1] != b"|":
            line.issues.append(LineIssue(f"'{_show(text, at)}' stands where '|NAME' is expected"))
            at = _next_bar(text, at)
            continue
        if text[at + 1 : at + 2] == b"#":
            at = _next_bar(text, at + 2)
            continue
        start = at = at + 1
        while at < len(text) and not _ends_word(text[at]):
            at += 1
        if at == start:
            line.issues.append(LineIssue("a '|' is not followed by a name"))
            at = _next_bar(text, at)
            continue
        number = names.get(text[start:at])
        if number is None:  # a stream nobody asked for
            at = _next_bar(text, at)
            continue
        try:
            sample, at = _sample(text, at, number, streams[number])
            line.samples.append(sample)
        except _Bad as e:
            line.issues.append(LineIssue(str(e), number))
            at = _next_bar(text, at)
    if not line.samples:
        line.issues.append(LineIssue("the line has no sample of any stream" if text.strip() else "the line is empty"))
    return line


def _sample(text: bytes, at: int, number: int, stream: Stream) -> tuple[Sample, int]:
    """The sample whose values begin at `at`, and where it ends."""
    values: list[float] = []
    indices: list[int] = []
    while at < len(text) and text[at : at + 1] != b"|" and not (_is_control(text[at]) and text[at] not in _DELIMITERS):
        if text[at] in _DELIMITERS:
            at += 1
            continue
        if stream.sparse:
            found = _DIGITS.match(text, at)
            if found is None:
                raise _Bad(f"'{_show(text, at)}' is no INDEX:VALUE of the sparse stream '{stream.name}'")
            index = int(found.group())
            if index >= stream.dim:
                raise _Bad(
                    f"index {index} is too large for '{stream.name}', whose dim is {stream.dim}: indices go from 0 to {stream.dim - 1}"
                )
            at = found.end()
            if text[at : at + 1] != b":":
                raise _Bad(f"index {index} of the sparse stream '{stream.name}' is not followed by ':' and a value")
            at += 1
            if index in indices:  # the last value of an index counts
                values.pop(indices.index(index))
                indices.remove(index)
            indices.append(index)
        value, at = _value(text, at, stream)
        values.append(value)
    if not stream.sparse and len(values) > stream.dim:
        raise _Bad(f"{len(values)} values for '{stream.name}', whose dim is {stream.dim}")
    return Sample(number, values, indices if stream.sparse else None), at


def _value(text: bytes, at: int, stream: Stream) -> tuple[float, int]:
    found = _NUMBER.match(text, at)
    if found is None:
        raise _Bad(f"'{_show(text, at)}' is not a number (stream '{stream.name}')")
    sign, whole, fraction = found.groups()
    value = digits_value(whole)
    if fraction:
        value += digits_value(fraction) / power_of_ten(len(fraction))
    if sign == b"-":
        value = -value
    at = found.end()
    if text[at : at + 1] in (b"e", b"E") and fraction != b"":
        exponent = _EXPONENT.match(text, at)
        if exponent is None:
            raise _Bad(f"'{_show(text, found.start())}' has no digits in its exponent (stream '{stream.name}')")
        value *= exponent_value(float(int(exponent.group(2))) * (-1.0 if exponent.group(1) == b"-" else 1.0))
        at = exponent.end()
    return value, at


def digits_value(digits: bytes) -> float:
    """A row of digits as the reference adds them up, in double precision from the left."""
    if len(digits) <= 15:
        return float(int(digits))
    value = 0.0
    for digit in digits:
        value = value * 10 + (digit - 48)
    return value


def power_of_ten(n: int) -> float:
    """What the reference divides `n` fractional digits by: 10 multiplied by 10 again and again."""
    value = 1.0
    for _ in range(n):
        value *= 10
    return value


def exponent_value(exponent: float) -> float:
    """10 to the power of `exponent`, infinite where that is too large."""
    try:
        return math.pow(10.0, exponent)
    except OverflowError:
        return math.inf


def _is_control(byte: int) -> bool:
    """Characters that only separate: control characters and, as in the reference, all beyond ASCII."""
    return byte < 32 or byte >= 128


def _ends_word(byte: int) -> bool:
    return byte in b" \t|" or _is_control(byte)


def _next_bar(text: bytes, at: int) -> int:
    found = text.find(b"|", at)
    return len(text) if found < 0 else found


def _show(text: bytes, at: int) -> str:
    """The word around `at`, shortened, for a message."""
    end = at + 1
    while end < len(text) and not _ends_word(text[end]):
        end += 1
    word = text[at:end].decode("utf-8", "replace")
    return word if len(word) <= 20 else word[:20] + "..."
