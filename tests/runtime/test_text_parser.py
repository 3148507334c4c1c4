"""Parsing whole blocks at once against parsing line by line, on lines right, odd and wrong."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bstorch.readers import text_parser
from bstorch.readers.base import Stream
from bstorch.readers.text_line import Sample, digits_value, parse_line
from bstorch.readers.text_parser import DenseSamples, SparseSamples, parse_lines

STREAMS = [Stream("x", "x", 3), Stream("yy", "yy", 2), Stream("s", "s", 6, True), Stream("t", "tx", 1000, True)]
ODD_NUMBERS = [
    ".5",
    "1-2",
    "1.e5",
    "inf",
    "nan",
    "0x10",
    "1,5",
    "e5",
    "--1",
    "1..2",
    "1e",
    "1e+",
    "-",
    "1:2",
    "5:",
    "1" * 47,
    "0." + "3" * 47,
    "1e400",
    "1e-400",
    "2.5.1",
    "a",
    "#",
    "3e5-2",
]
ODD_PAIRS = ["6:1", "7", "1:", "1 :2", ":1", "1:a", "9" * 20 + ":1", "-1:2", "2:-3", "0:1 0:2"]
ODD_LINES = ["", "   ", "5", "5 ", "junk", "1 2 |x 1 2 3", "x |x 1", "|", "||x 1 2 3", "1|# c", "|#", "#"]
COMMENTS = ["|# comment", "|# co |# mm", "|#|x 1 2 3", "|# |yy 1 2", "|#", "#"]


class Lines:
    """Random lines."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def number(self) -> str:
        pick, integer = self.random.choice, self.random.randint
        if self.chance(0.03):
            return pick(ODD_NUMBERS)
        fraction = "".join(pick("0123456789") for _ in range(pick([0, 1, 3, 6, 9, 17, 20])))
        form = pick(["{i}", "{i}", "{i}.{f}", "{i}.{f}", "{i}.{f}5e{s}{e}", "{i}E{e}"])
        return pick(["", "", "-", "+"]) + form.format(
            i=integer(0, 300), f=fraction, s=pick(["", "-", "+"]), e=integer(0, 12)
        )

    def pair(self) -> str:
        return self.random.choice(ODD_PAIRS) if self.chance(0.05) else f"{self.random.randint(0, 5)}:{self.number()}"

    def sample(self) -> str:
        pick = self.random.choice
        name = pick(["x1", "X", "y", "", "xx", "#", "é", "t"]) if self.chance(0.05) else pick(["x", "yy", "s", "tx"])
        count = {"x": 3, "yy": 2}.get(name, self.random.randint(0, 4)) + (pick([-1, 1]) if self.chance(0.05) else 0)
        value = self.pair if name in ("s", "tx") else self.number
        return (
            f"|{name}" + "".join(pick([" ", " ", "\t", "  "]) + value() for _ in range(count)) + pick(["", " ", "\t"])
        )

    def line(self) -> bytes:
        pick = self.random.choice
        if self.chance(0.02):
            return pick(ODD_LINES).encode()
        text = pick(["", "", "1 ", "2\t", "3", "  "]) + "".join(self.sample() for _ in range(self.random.randint(1, 4)))
        text += pick(COMMENTS) if self.chance(0.08) else ""
        if self.chance(0.02):
            at = self.random.randint(0, len(text))
            text = text[:at] + pick(["\r", "\x01", "é", "\x7f", ":", ".", "|"]) + text[at:]
        return (text + ("\r" if self.chance(0.1) else "")).encode()


@pytest.mark.parametrize("block", [50, 400, 1 << 20])
@pytest.mark.parametrize("seed", range(25))
def test_blocks_equal_single_lines(seed: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_parser, "_BLOCK", block)
    lines = [Lines(1000 * seed + i).line() for i in range(60)] + [b"|x 1 2 3"]
    dtype = np.dtype(np.float32 if seed % 2 else np.float64)
    parsed = parse_lines(b"\n".join(lines) + (b"\n" if seed % 3 else b""), STREAMS, dtype)
    expected = [parse_line(line, STREAMS) for line in lines]
    assert [(i.line, i.message, i.stream) for i in parsed.issues] == [
        (k, i.message, i.stream) for k, e in enumerate(expected) for i in e.issues
    ]
    assert parsed.starts.tolist() == [sum(len(line) + 1 for line in lines[:k]) for k in range(len(lines))]
    for number, (stream, samples) in enumerate(zip(STREAMS, parsed.streams, strict=True)):
        wanted = [(k, s) for k, e in enumerate(expected) for s in e.samples if s.stream == number]
        assert samples.line.tolist() == [k for k, _ in wanted]
        for row, (_, sample) in enumerate(wanted):
            values, indices = row_of(samples, row)
            assert np.array_equal(values, full(sample, stream, dtype), equal_nan=True)
            assert indices == sample.indices
        short = [(k, len(s.values)) for k, s in wanted if len(s.values) < stream.dim and not stream.sparse]
        assert parsed.short.get(number) == ((len(short), *short[0]) if short else None)


def row_of(samples: DenseSamples | SparseSamples, row: int) -> tuple[np.ndarray, list[int] | None]:
    if isinstance(samples, DenseSamples):
        return samples.values[row], None
    here = slice(samples.offsets[row], samples.offsets[row + 1])
    return samples.values[here], samples.indices[here].tolist()


def full(sample: Sample, stream: Stream, dtype: np.dtype) -> np.ndarray:
    values = sample.values if stream.sparse else sample.values + [0.0] * (stream.dim - len(sample.values))
    with np.errstate(over="ignore"):
        return np.array(values, np.float64).astype(dtype)


def test_numbers_are_added_up_as_the_reference_does() -> None:
    digits = b"12345678901234567"
    value = 0.0
    for digit in digits:
        value = value * 10 + (digit - 48)
    assert digits_value(digits) == value
    (sample,) = parse_line(b"|x 0.1 12.5e-3 7", STREAMS).samples
    assert sample.values == [0 + 1 / 10, (12 + 5 / 10) * 10.0**-3, 7]


def test_large_and_small_numbers() -> None:
    parsed = parse_lines(b"|x 1e400 1e-400 3e38\n", [Stream("x", "x", 3)], np.dtype(np.float32))
    assert parsed.streams[0].values.tolist() == [[np.inf, 0, np.float32(3e38)]]
