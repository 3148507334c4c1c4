"""Makes train.txt and test.txt from the copy of the digits that comes with scikit-learn, which this script needs.

The two files are part of the repository; run this only to make them anew: `pip install scikit-learn`, then
`python examples/digits/make_data.py`.
"""

from __future__ import annotations

from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TEST_SAMPLES = 360
FOLDER = Path(__file__).parent


def line(pixels: list[float], digit: int) -> str:
    """A sample in CNTK text format: 64 grey values from 0 (background) to 1, row by row, and the digit as one-hot vector."""
    return f"|pixels {' '.join(f'{value / 16:g}' for value in pixels)} |digit {digit}:1\n"


def main() -> None:
    pixels, digits = load_digits(return_X_y=True)
    parts = train_test_split(pixels, digits, test_size=TEST_SAMPLES, stratify=digits, random_state=0)
    train_pixels, test_pixels, train_digits, test_digits = parts
    for name, xs, ys in (("train.txt", train_pixels, train_digits), ("test.txt", test_pixels, test_digits)):
        text = "".join(line(x, y) for x, y in zip(xs, ys, strict=True))
        (FOLDER / name).write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
