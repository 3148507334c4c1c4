"""Synthetic data for the workloads, as CNTK text files, the same each time.

Run `python benchmarks/workloads/data.py DIR [NAME ...] [--lines N]`; it needs nothing but Python.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

SEED = 20260


def digits(values: bytes) -> bytes:
    """Small numbers (0 to 9), one a byte, as text with blanks between them."""
    text = bytearray(b" " * (2 * len(values)))
    text[::2] = values.translate(bytes((48 + v) % 256 for v in range(256)))
    return bytes(text[:-1])


def classes(path: Path, rng: random.Random, lines: int, dim: int, ways: int) -> None:
    """Noise (0 to 5) plus a pattern of the class (0 to 4), one sample a line."""
    noise = bytes(min(v // 36, 5) for v in range(256))
    pattern = bytes((0, 0, 0, 0, 0, 1, 1, 2, 3, 4)[v % 10] for v in range(256))
    templates = [int.from_bytes(rng.randbytes(dim).translate(pattern), "big") for _ in range(ways)]
    with path.open("wb") as out:
        for _ in range(lines):
            way = rng.randrange(ways)
            # All bytes are added at once: none overflows.
            value = int.from_bytes(rng.randbytes(dim).translate(noise), "big") + templates[way]
            out.write(b"|x %b |y %d:1\n" % (digits(value.to_bytes(dim, "big")), way))


def tagging(path: Path, rng: random.Random, sequences: int, longest: int, words: int, tags: int) -> None:
    """Ragged sequences; a tag depends on the word and, for every third word, on its neighbours."""
    with path.open("w") as out:
        for number in range(sequences):
            q = [
                min(int(rng.paretovariate(0.6)) - 1, words - 1) if rng.random() < 0.5 else rng.randrange(words)
                for _ in range(rng.randint(1, longest))
            ]
            for t, word in enumerate(q):
                tag = word % tags
                if word % 3 == 0:
                    tag = (tag + (q[t - 1] % 7 if t else 0) + (q[t + 1] % 5 if t + 1 < len(q) else 0)) % tags
                out.write(f"{number} |q {word}:1 |s {tag}:1\n")


def reversal(path: Path, rng: random.Random, sequences: int, longest: int, words: int) -> None:
    """Source: 3 to `longest` symbols; target: the source backwards with 2 and 3 merged, then the end mark 0."""
    with path.open("w") as out:
        for number in range(sequences):
            source = [rng.randrange(1, words) for _ in range(rng.randint(3, longest))]
            target = [2 if symbol == 3 else symbol for symbol in reversed(source)] + [0]
            if rng.random() < 0.3:
                del target[0]  # lengths of both sides differ in more than one way
            for t in range(max(len(source), len(target))):
                s = f" |source {source[t]}:1" if t < len(source) else ""
                g = f" |target {target[t]}:1" if t < len(target) else ""
                out.write(f"{number}{s}{g}\n")


FILES: dict[str, tuple[int, Callable[[Path, random.Random, int], None]]] = {
    "mlp": (64000, partial(classes, dim=784, ways=10)),
    "convnet": (2048, partial(classes, dim=3 * 32 * 32, ways=10)),
    "resnet20": (512, partial(classes, dim=3 * 32 * 32, ways=10)),
    "lstm_tagger": (600, partial(tagging, longest=50, words=943, tags=129)),
    "bilstm": (300, partial(tagging, longest=50, words=943, tags=129)),
    "seq2seq": (400, partial(reversal, longest=20, words=60)),
}
"""For each workload how many lines it has (ragged ones: sequences), and what writes them."""


def write(folder: Path, name: str, lines: int | None = None) -> None:
    """Writes `NAME.ctf`; `lines` for another number of lines or sequences than usual."""
    usual, make = FILES[name]
    make(folder / f"{name}.ctf", random.Random(f"{SEED} {name}"), usual if lines is None else lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, metavar="DIR")
    options.add_argument("names", nargs="*", default=list(FILES), metavar="NAME", help=", ".join(FILES))
    options.add_argument("--lines", type=int, help="so many lines; of ragged ones, so many sequences")
    arguments = options.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        write(arguments.folder, name, arguments.lines)


if __name__ == "__main__":
    main()
