"""What can be folded: the lines, from 1, of each range."""

from __future__ import annotations

import pytest

from bsls.features.folding import folding
from features.editing import opened

CASES = {
    "A = {\n  b = 1\n}": "1-2",
    "A = [\n  b = 1\n  c = {\n    d = 1\n  }\n]": "1-5 3-4",
    "A = { b = 1\n  c = 2 }": "1-2",
    "A = { b = 1 }": "",
    "# a\n# b\nA = 1\n# c": "1-2c",
    "# a\n# b\n\n# c\n  # d\n": "1-2c 4-5c",
    "A = (1:\n  2:\n  3\n)": "1-3",
    "A = {\n  b = {\n  c = 1\n}": "1-3",  # one bracket is missing
    "}\n]\nA = {\n b = 1\n}": "3-4",
    "A = { # {\n}\n": "",
    'A = "{\n"\nB = {\n c = 1\n}': "3-4",
    'A = { action = "x"\n  BrainScriptNetworkBuilder = {\n    z = 1 +\n      2 +\n      3\n  }\n}': "1-6 2-5 3-5",
}


@pytest.mark.parametrize("text", CASES)
def test_ranges(text: str) -> None:
    found = folding(opened(text))
    shown = (f"{r.start_line + 1}-{r.end_line + 1}{'c' if r.kind == 'comment' else ''}" for r in found)
    assert " ".join(shown) == CASES[text]
