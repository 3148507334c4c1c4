"""The values of a chunk of CNTK text format.

Whole blocks of lines are parsed at once with array operations. Lines that are in any way unusual (wrong, or just odd)
are left out there and parsed one by one by `text_line`, which knows all the rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bstorch.readers.base import Stream
from bstorch.readers.text_line import exponent_value, parse_line, power_of_ten

Indices = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_BLOCK = 512 << 10  # bytes parsed at once: its arrays fit in the cache
_MAX_DIGITS = 40  # longer numbers are left to `text_line`
_NEWLINE, _CR, _SPACE, _BAR, _HASH, _MINUS, _ZERO = 10, 13, 32, 124, 35, 45, np.uint8(48)

# Classes of the characters that are not digits; the first three end a word.
_BLANK, _END, _NAME, _DOT, _SIGN, _EXPONENT, _COLON, _OTHER, _RETURN, _CONTROL = range(10)


def _classes() -> Bytes:
    table = np.full(256, _OTHER, np.uint8)
    table[:32] = _CONTROL
    table[128:] = _CONTROL
    for characters, kind in (
        (b" \t", _BLANK),
        (b"\n", _END),
        (b"|", _NAME),
        (b".", _DOT),
        (b"+-", _SIGN),
        (b"eE", _EXPONENT),
        (b":", _COLON),
        (b"\r", _RETURN),
    ):
        table[list(characters)] = kind
    return table


_CLASS = _classes()
_POWER_OF_TEN = np.array([power_of_ten(n) for n in range(_MAX_DIGITS + 1)])


@dataclass(slots=True)
class DenseSamples:
    """Samples of one stream, a row each, and the line of each (from 0 in the chunk)."""

    values: NDArray  # (samples, dim)
    line: Indices

    def __len__(self) -> int:
        return len(self.line)


@dataclass(slots=True)
class SparseSamples:
    """Samples of one stream: sample i has `values[offsets[i]:offsets[i + 1]]` at `indices[...]`, no index twice."""

    values: NDArray
    indices: Indices
    offsets: Indices
    line: Indices

    def __len__(self) -> int:
        return len(self.line)


@dataclass(slots=True)
class Issue:
    """What is wrong: in the line `line` (from 0 in the chunk); `stream` (its number) is where a sample was dropped."""

    line: int
    message: str
    stream: int | None = None


@dataclass(slots=True)
class ParsedLines:
    """The samples of all lines of a chunk, by stream and in file order."""

    streams: list[DenseSamples | SparseSamples]
    starts: Indices  # offset of each line in the chunk
    issues: list[Issue] = field(default_factory=list)
    short: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By stream: how many dense samples were filled up with zeros, the first one's line and its number of values."""


def parse_lines(data: bytes, streams: list[Stream], dtype: np.dtype) -> ParsedLines:
    """Parses `data`, which is whole lines (the last line end may be missing). Values are rounded to `dtype` at the end."""
    blocks: list[list[DenseSamples | SparseSamples]] = []
    starts: list[Indices] = []
    result = ParsedLines([], np.empty(0, np.int64))
    lines = 0
    for at, end in _blocks(data):
        block = data[at:end] if data[end - 1] == _NEWLINE else data[at:end] + b"\n"
        parsed = _Block(np.frombuffer(block, np.uint8), streams, dtype)
        line_starts = parsed.line_starts
        for number in parsed.irregular.tolist():
            begin, following = int(line_starts[number]), int(line_starts[number + 1])
            line = parse_line(block[begin : following - 1], streams)
            result.issues += [Issue(lines + number, issue.message, issue.stream) for issue in line.issues]
            for sample in line.samples:
                parsed.add(sample.stream, number, sample.values, sample.indices)
        parsed.merge()
        for s, (count, line, values) in parsed.short.items():
            before = result.short.get(s)
            result.short[s] = (before[0] + count, *before[1:]) if before else (count, lines + line, values)
        for samples in parsed.samples:
            samples.line += lines
        blocks.append(parsed.samples)
        starts.append(line_starts[:-1] + at)
        lines += len(line_starts) - 1
    result.starts = np.concatenate(starts)
    result.streams = [join_samples([block[s] for block in blocks]) for s in range(len(streams))]
    return result


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(data):
        end = data.rfind(b"\n", at, at + _BLOCK) + 1 or data.find(b"\n", at) + 1 or len(data)
        yield at, end
        at = end


def join_samples(
    parts: list[DenseSamples] | list[SparseSamples] | list[DenseSamples | SparseSamples],
) -> DenseSamples | SparseSamples:
    if len(parts) == 1:
        return parts[0]
    line = np.concatenate([p.line for p in parts])
    values = np.concatenate([p.values for p in parts])
    sparse = [p for p in parts if isinstance(p, SparseSamples)]
    if not sparse:
        return DenseSamples(values, line)
    counts = np.concatenate([np.diff(p.offsets) for p in sparse])
    return SparseSamples(values, np.concatenate([p.indices for p in sparse]), np.r_[0, np.cumsum(counts)], line)


class _Block:
    """A block of lines.

    The characters that are not digits (`where`, `kind`) cut the text into words, which lie between two blanks, line
    ends or bars. A word behind a bar is a name, one at the beginning of a line its id, the others are values. The
    values behind a name, up to the next bar or line end, form a group, that is a sample.
    """

    def __init__(self, text: Bytes, streams: list[Stream], dtype: np.dtype) -> None:
        self.streams = streams
        self.dtype = dtype
        self.short: dict[int, tuple[int, int, int]] = {}
        self._added: dict[int, list[tuple[int, list[float], list[int] | None]]] = {}
        self.text = text = _without_comments(text)
        self.where = where = np.flatnonzero((text - _ZERO) > 9)
        kind = _CLASS.take(text.take(where))
        returns = np.flatnonzero(kind == _RETURN)
        if len(returns):
            kind[returns] = np.where(text[where[returns] + 1] == _NEWLINE, _BLANK, _CONTROL)
        self.kind = kind

        self.borders = borders = np.flatnonzero(kind <= _NAME)
        self.word_end = word_end = where.take(borders)
        before = np.empty(len(borders), np.uint8)  # the class of the border in front of each word
        before[0], before[1:] = _END, kind.take(borders[:-1])
        value = before == _BLANK
        value[1:] &= word_end[1:] - word_end[:-1] > 1
        heads = np.flatnonzero(before != _BLANK)  # the first word of each group: an id (or nothing), or a name
        counts = np.add.reduceat(value, heads, dtype=np.int64)
        is_id = before[heads] == _END
        line = np.cumsum(is_id) - 1
        self.line_starts = np.r_[self._starts(heads[is_id]), len(text)]
        wrong = np.zeros(len(self.line_starts) - 1, bool)  # lines that need `text_line`

        # What stands before the first bar must be one word of digits at the very beginning, or nothing.
        ids = heads[is_id]
        wrong |= (counts[is_id] > 0) | (where[self._firsts(ids)] != word_end[ids])
        controls = where[kind == _CONTROL]
        if len(controls):
            wrong[np.searchsorted(self.line_starts, controls, side="right") - 1] = True

        owner = self._owners(heads, is_id)
        wrong[line[owner == _NAMELESS]] = True
        filled = np.zeros(len(wrong), bool)
        filled[line[owner >= 0]] = True
        wrong |= ~filled

        words = np.flatnonzero(value)
        group_of_word = np.repeat(np.arange(len(heads)), counts)
        parts: list[tuple[Stream, Indices, Indices, NDArray, Indices | None]] = []
        for s, stream in enumerate(streams):
            groups = np.flatnonzero(owner == s)
            mine = words if len(groups) and counts[groups].sum() == len(words) else words[owner[group_of_word] == s]
            numbers, indices, bad = self._sparse(mine, stream.dim) if stream.sparse else self._dense(mine)
            if bad.any():
                wrong[line[group_of_word[np.searchsorted(words, mine[bad])]]] = True
            if not stream.sparse:
                wrong[line[groups[counts[groups] > stream.dim]]] = True
            parts.append((stream, line[groups], counts[groups], numbers, indices))
        self.irregular = np.flatnonzero(wrong)
        self.samples = [self._samples(s, *part, wrong) for s, part in enumerate(parts)]

    def _starts(self, words: Indices) -> Indices:
        """Where words begin."""
        return np.where(words > 0, self.word_end.take(words - 1) + 1, 0)

    def _firsts(self, words: Indices) -> Indices:
        """The places in `where` of the first non-digit of words, or of the border behind a word of digits."""
        return np.where(words > 0, self.borders.take(words - 1) + 1, 0)

    def _owners(self, heads: Indices, is_id: NDArray[np.bool_]) -> Indices:
        """The number of the stream of each group; for others one of the marks below."""
        owner = np.full(len(heads), _UNKNOWN)
        owner[is_id] = _LINE
        start = self._starts(heads)
        length = self.word_end[heads] - start
        owner[~is_id & (length == 0)] = _NAMELESS
        for s, stream in enumerate(self.streams):
            alias = stream.alias.encode()
            groups = np.flatnonzero((length == len(alias)) & (owner == _UNKNOWN))
            for k, byte in enumerate(alias):
                groups = groups[self.text[start[groups] + k] == byte]
            owner[groups] = s
        return owner

    def _dense(self, words: Indices) -> tuple[NDArray[np.float64], None, NDArray[np.bool_]]:
        # A value is never the first word of a block.
        numbers, bad = self._numbers(
            self.word_end.take(words - 1) + 1, self.word_end.take(words), self.borders.take(words - 1) + 1
        )
        return numbers, None, bad

    def _sparse(self, words: Indices, dim: int) -> tuple[NDArray[np.float64], Indices, NDArray[np.bool_]]:
        start, end, first = (
            self.word_end.take(words - 1) + 1,
            self.word_end.take(words),
            self.borders.take(words - 1) + 1,
        )
        colon = self.where[first]
        bad = (self.kind[first] != _COLON) | (colon == start) | (colon - start > 18)
        if bad.any():  # put something harmless in place
            colon = np.where(bad, end, colon)
            start = np.where(bad, end, start)
            first = np.where(bad, first - 1, first)
        indices = self._digits(colon, colon - start).astype(np.int64)
        numbers, no_number = self._numbers(np.minimum(colon + 1, end), end, first + 1)
        return numbers, indices, bad | no_number | (indices >= dim)

    def _numbers(self, start: Indices, end: Indices, first: Indices) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The numbers [start, end), whose first non-digit is `where[first]`; and which of them are not simply numbers."""
        if not len(start):
            return np.empty(0), np.empty(0, bool)
        where, kind = self.where, self.kind
        whole_end = where.take(first)
        if (whole_end == end).all():  # nothing but digits
            length = end - start
            bad = (length > _MAX_DIGITS) | (length < 1)
            return self._digits(end, np.minimum(length, _MAX_DIGITS) if bad.any() else length), bad
        negative = None
        signed = (kind.take(first) == _SIGN) & (whole_end == start) & (start < end)
        if signed.any():
            negative = signed & (self.text.take(start) == _MINUS)
            start = start + signed
            first = first + signed
            whole_end = where.take(first)
        length = whole_end - start
        bad = (length < 1) | (length > _MAX_DIGITS)
        numbers = self._digits(whole_end, np.minimum(length, _MAX_DIGITS) if bad.any() else length)
        has_dot = (kind.take(first) == _DOT) & (whole_end < end)
        digits_end = whole_end
        if has_dot.all():
            digits_end = where.take(first + 1)
            numbers += self._fraction(digits_end, digits_end - whole_end - 1, bad)
            first = first + 1
        elif has_dot.any():
            first = first + has_dot
            digits_end = where.take(first)
            dotted = np.flatnonzero(has_dot)
            too_long = np.zeros(len(dotted), bool)
            numbers[dotted] += self._fraction(digits_end[dotted], digits_end[dotted] - whole_end[dotted] - 1, too_long)
            bad[dotted[too_long]] = True
        if negative is not None:
            np.negative(numbers, out=numbers, where=negative)
        more = np.flatnonzero(digits_end != end)
        if len(more):
            self._exponents(more, numbers, bad, digits_end, end, first)
        return numbers, bad

    def _fraction(self, end: Indices, length: Indices, too_long: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What `length` digits that end before `end` are worth behind a decimal point; marks those it cannot do."""
        if length.max() > _MAX_DIGITS:
            too_long |= length > _MAX_DIGITS
            length = np.minimum(length, _MAX_DIGITS)
        return self._digits(end, length) / _POWER_OF_TEN.take(length)

    def _exponents(
        self,
        words: Indices,
        numbers: NDArray[np.float64],
        bad: NDArray[np.bool_],
        digits_end: Indices,
        end: Indices,
        first: Indices,
    ) -> None:
        """Applies the exponents of `words`, which go on behind their digits; changes `numbers` and `bad`."""
        where, kind, text = self.where, self.kind, self.text
        at = digits_end[words]
        wrong = (kind[first[words]] != _EXPONENT) | (text[at - 1] == ord("."))
        second = np.minimum(first[words] + 1, len(where) - 1)
        signed = (kind[second] == _SIGN) & (where[second] == at + 1)
        start = at + 1 + signed
        length = end[words] - start
        wrong |= (
            (where[np.minimum(second + signed, len(where) - 1)] != end[words]) | (length < 1) | (length > _MAX_DIGITS)
        )
        bad[words[wrong]] = True
        words, length = words[~wrong], length[~wrong]
        if len(words):
            exponent = self._digits(end[words], length)
            exponent = np.where(signed[~wrong] & (text[at[~wrong] + 1] == _MINUS), -exponent, exponent)
            each, place = np.unique(exponent, return_inverse=True)
            numbers[words] *= np.array([exponent_value(e) for e in each.tolist()])[place]

    def _digits(self, end: Indices, length: Indices) -> NDArray[np.float64]:
        """The values of rows of `length` digits that end before `end`, added up from the left in double precision."""
        if not len(end):
            return np.empty(0)
        longest, shortest = int(length.max()), int(length.min())
        if shortest < longest < 128:
            length = length.astype(np.int8)  # type: ignore[assignment]
        value = np.zeros(len(end))
        at = end - longest
        for k in range(longest, 0, -1):
            digit = self.text.take(at)
            digit -= _ZERO
            if k > shortest:
                digit *= length >= k
            if k < longest:
                value *= 10
            value += digit
            at += 1
        return value

    def _samples(
        self,
        s: int,
        stream: Stream,
        line: Indices,
        counts: Indices,
        numbers: NDArray[np.float64],
        indices: Indices | None,
        wrong: NDArray[np.bool_],
    ) -> DenseSamples | SparseSamples:
        """The samples of one stream in the lines that are not `wrong`."""
        if wrong[line].any():
            kept = ~wrong[line]
            values_kept = np.repeat(kept, counts)
            line, counts, numbers = line[kept], counts[kept], numbers[values_kept]
            indices = None if indices is None else indices[values_kept]
        with np.errstate(over="ignore"):
            values = numbers.astype(self.dtype)
        if indices is not None:
            return _last_of_equal(SparseSamples(values, indices, np.r_[0, np.cumsum(counts)], line))
        short = np.flatnonzero(counts < stream.dim)
        if len(short):
            self._note_short(s, len(short), int(line[short[0]]), int(counts[short[0]]))
            full = np.zeros((len(counts), stream.dim), self.dtype)
            rows = np.repeat(np.arange(len(counts)), counts)
            full[rows, np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)] = values
            return DenseSamples(full, line)
        return DenseSamples(values.reshape(len(counts), stream.dim), line)

    def _note_short(self, s: int, count: int, line: int, values: int) -> None:
        before = self.short.get(s)
        if before is None:
            self.short[s] = (count, line, values)
        else:
            first = before[1:] if before[1] <= line else (line, values)
            self.short[s] = (before[0] + count, *first)

    def add(self, stream: int, line: int, values: list[float], indices: list[int] | None) -> None:
        """Notes a sample of an irregular line for `merge`."""
        if indices is None and len(values) < self.streams[stream].dim:
            self._note_short(stream, 1, line, len(values))
            values = values + [0.0] * (self.streams[stream].dim - len(values))
        self._added.setdefault(stream, []).append((line, values, indices))

    def merge(self) -> None:
        """Puts the samples that were added in their places."""
        for s, added in self._added.items():
            old = self.samples[s]
            line = np.array([a[0] for a in added])
            flat = [v for a in added for v in a[1]]
            with np.errstate(over="ignore"):
                values = np.array(flat, np.float64).astype(self.dtype)
            if isinstance(old, SparseSamples):
                offsets = np.r_[0, np.cumsum([len(a[1]) for a in added])]
                indices = np.array([i for a in added for i in a[2] or ()], np.int64)
                both = join_samples([old, SparseSamples(values, indices, offsets, line)])
                assert isinstance(both, SparseSamples)
                self.samples[s] = take_sparse(both, np.argsort(both.line, kind="stable"))
            else:
                both = join_samples([old, DenseSamples(values.reshape(len(added), -1), line)])
                order = np.argsort(both.line, kind="stable")
                self.samples[s] = DenseSamples(both.values[order], both.line[order])


_UNKNOWN, _NAMELESS, _LINE = -1, -2, -3
"""Groups that belong to no stream: of an unknown name, without a name, what is before the first bar of a line."""


def take_sparse(samples: SparseSamples, rows: Indices) -> SparseSamples:
    """The samples number `rows`, in that order."""
    counts = np.diff(samples.offsets)[rows]
    offsets = np.r_[0, np.cumsum(counts)]
    places = np.arange(offsets[-1]) + np.repeat(samples.offsets[rows] - offsets[:-1], counts)
    return SparseSamples(samples.values[places], samples.indices[places], offsets, samples.line[rows])


def _last_of_equal(samples: SparseSamples) -> SparseSamples:
    """Leaves, where an index comes several times in a sample, its last value."""
    counts = np.diff(samples.offsets)
    sample = np.repeat(np.arange(len(counts)), counts)
    if not len(sample) or not ((samples.indices[1:] <= samples.indices[:-1]) & (sample[1:] == sample[:-1])).any():
        return samples  # indices rise: none comes twice
    order = np.lexsort((samples.indices, sample))
    again = (samples.indices[order][1:] == samples.indices[order][:-1]) & (sample[order][1:] == sample[order][:-1])
    if not again.any():
        return samples
    kept = np.ones(len(sample), bool)
    kept[order[:-1][again]] = False
    counts = np.bincount(sample[kept], minlength=len(counts))
    return SparseSamples(samples.values[kept], samples.indices[kept], np.r_[0, np.cumsum(counts)], samples.line)


def _without_comments(text: Bytes) -> Bytes:
    """The text with blanks in place of comments, which go from `|#` to the next bar or the end of the line."""
    hashes = np.flatnonzero(text == _HASH)
    starts = hashes[text[hashes - 1] == _BAR] - 1
    if not len(starts):
        return text
    borders = np.flatnonzero((text == _BAR) | (text == _NEWLINE))
    ends = borders[np.searchsorted(borders, starts) + 1]
    depth = np.zeros(len(text), np.int8)
    depth[starts] += 1
    depth[ends] -= 1
    text = text.copy()
    text[np.cumsum(depth, dtype=np.int8) > 0] = _SPACE
    return text
