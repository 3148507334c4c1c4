"""Where the sequences of a file in CNTK text format lie, found without parsing their values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_BLOCK = 8 << 20
_SPACES = b" \t\n\v\f\r"
_NEWLINE, _BAR = 10, 124
_MAX_ID_DIGITS = 18
_NO_DATA = "give a file in CNTK text format, with lines such as `|x 0.5 1 |y 0 1`"


class TextFileError(Exception):
    """A file that cannot be indexed; the message is a clause about the file (`is empty`), `help` what to do."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@dataclass(slots=True)
class TextIndex:
    """The sequences of a file, in file order, and the chunks they form.

    Sequence i has the bytes [begin[i], begin[i] + size[i]), starts in line `line[i]` (from 1), and counts `samples[i]`
    samples on the timeline. Chunk k holds the sequences [chunks[k], chunks[k + 1]).
    """

    begin: Indices
    size: Indices
    samples: Indices
    keys: Indices
    line: Indices
    chunks: Indices

    @property
    def sequences(self) -> int:
        return len(self.begin)


def build_index(path: str, chunk_bytes: int, skip_ids: bool = False, main_stream: str = "") -> TextIndex:
    """Indexes the file at `path`.

    Lines with the same id in a row are a sequence; a line without id continues it. If the file begins with `|`, or with
    `skip_ids`, each line is a sequence. A sequence counts its lines, or those that contain `main_stream` if one is
    given; then sequences without it are left out. Sequences form a chunk as long as their bytes are at most
    `chunk_bytes`.

    Raises OSError, or TextFileError for an empty file, UTF-16 and missing ids.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        start, line = _first_sample(file.read(3), file, size)
        file.seek(start)
        by_line = skip_ids or file.read(1) == b"|"
        file.seek(start)
        found: list[tuple[Indices, Indices, Indices]] = []  # of the lines: offset, id (-1: none), has the main stream
        at, rest = start, b""
        while block := file.read(_BLOCK):
            data = rest + block
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            if cut:
                found.append(_lines(data[:cut], at, by_line, main_stream))
                at += cut
        if rest:
            found.append(_lines(rest, at, by_line, main_stream))
    offsets, ids, counted = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if by_line:
        first = np.arange(len(offsets))
        keys = np.arange(line - 1, line - 1 + len(offsets))
    else:
        if ids[0] < 0:
            if b"\0" in _head(path):
                raise TextFileError("is no text", _NO_DATA)
            raise TextFileError(
                f"has no sequence id in line {line}",
                "write one before each line, let the first line begin with '|', or set skipSequenceIds=true",
            )
        with_id = np.flatnonzero(ids >= 0)
        first = with_id[np.r_[True, ids[with_id][1:] != ids[with_id][:-1]]]
        keys = ids[first]
    begin = offsets[first]
    sizes = np.diff(np.r_[begin, size])
    samples = np.add.reduceat(counted, first)
    lines = first + line
    kept = samples > 0
    if not kept.any():
        raise TextFileError(
            f"has no sample of '{main_stream}'", "mend the data, or let another stream have definesMBSize"
        )
    if not kept.all():
        begin, sizes, samples, keys, lines = begin[kept], sizes[kept], samples[kept], keys[kept], lines[kept]
    return TextIndex(begin, sizes, samples, keys, lines, _chunks(begin, sizes, chunk_bytes))


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(4096)


def _first_sample(head: bytes, file: BinaryIO, size: int) -> tuple[int, int]:
    """Offset and line (from 1) of the first character that is no byte-order mark or white space."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TextFileError("is in UTF-16", "save it as UTF-8")
    at, line = 3 if head == b"\xef\xbb\xbf" else 0, 1
    file.seek(at)
    while block := file.read(4096):
        stripped = block.lstrip(_SPACES)
        skipped = len(block) - len(stripped)
        line += block.count(b"\n", 0, skipped)
        at += skipped
        if stripped:
            return at, line
    raise TextFileError("is empty" if size == 0 else "is empty but for white space", _NO_DATA)


def _lines(data: bytes, at: int, by_line: bool, main_stream: str) -> tuple[Indices, Indices, Indices]:
    """Of each line of `data`, which lies at offset `at` of the file: offset, id (-1 without), whether it counts."""
    b = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(b == _NEWLINE)
    starts = np.r_[0, ends[: len(ends) - data.endswith(b"\n")] + 1]
    ids = np.full(len(starts), -1, np.int64) if by_line else _ids(b, starts)
    if not main_stream:
        return starts + at, ids, np.ones(len(starts), np.int64)
    name = np.frombuffer(b"|" + main_stream.encode(), np.uint8)
    where = np.flatnonzero(b[: max(len(b) - len(name) + 1, 0)] == _BAR)
    for k, byte in enumerate(name[1:].tolist(), 1):
        where = where[b[where + k] == byte]
    following = np.r_[b, np.uint8(_NEWLINE)][where + len(name)]
    where = where[(following <= 32) | (following >= 128) | (following == _BAR)]
    counted = np.zeros(len(starts), np.int64)
    counted[np.searchsorted(starts, where, side="right") - 1] = 1
    return starts + at, ids, counted


def _ids(b: Bytes, starts: Indices) -> Indices:
    """The number at the beginning of each line; -1 where there is none."""
    ids = np.full(len(starts), -1, np.int64)
    active = np.arange(len(starts))
    position = starts.copy()
    for count in range(_MAX_ID_DIGITS + 1):
        inside = position < len(b)  # a number at the very end of the file, without line end, is no id
        ids[active[~inside]] = -1
        active, position = active[inside], position[inside]
        digit = b[position] - np.uint8(48)
        number = digit <= 9
        active, position, digit = active[number], position[number] + 1, digit[number]
        if not len(active):
            break
        if count == _MAX_ID_DIGITS:
            raise TextFileError(
                f"has a sequence id of more than {_MAX_ID_DIGITS} digits", "give the sequences smaller numbers"
            )
        ids[active] = digit if count == 0 else ids[active] * 10 + digit
    return ids


def _chunks(begin: Indices, size: Indices, limit: int) -> Indices:
    """First sequence of each chunk, and the number of sequences."""
    ends = begin + size
    adjacent = bool((ends[:-1] == begin[1:]).all())
    firsts = [0]
    while firsts[-1] < len(begin):
        first = firsts[-1]
        if adjacent:
            following = int(np.searchsorted(ends, begin[first] + limit, side="right"))
        else:  # the end of the sequence before counts, not the gap behind it
            following = first + 1
            while following < len(begin) and ends[following - 1] - begin[first] + size[following] <= limit:
                following += 1
        firsts.append(max(following, first + 1))
    return np.array(firsts)
