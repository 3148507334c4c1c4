"""What can be folded: the lines, from 1, of each range."""

from __future__ import annotations

import pytest

from bsls.features.document import Document
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


IN_BRAINSCRIPT = {
    "a = {\n  x = 1  /* ( */\n}\nb = {\n  y = 1\n}": "1-2 4-5",
    "a = {\n  x = 1  /* } **/ } */\n  y = 2\n}": "1-3",
    "a = {\n  x = '{'\n  y = 2\n}": "1-3",
    "a = {\n  x = 1  // {\n}": "1-2",
}


@pytest.mark.parametrize("text", IN_BRAINSCRIPT)
def test_comments_and_strings_of_brainscript(text: str) -> None:
    assert shown(opened(text, name="a.bs")) == IN_BRAINSCRIPT[text]


def test_a_comment_in_a_network_description() -> None:
    text = 'A = {\n  action = "edit"\n  BrainScriptNetworkBuilder = {\n    x = 1 /* ( ) ] **/ [ */\n  }\n}\nB = {\n  b = 1\n}'
    assert shown(opened(text)) == "1-5 3-4 7-8"


@pytest.mark.parametrize("text", CASES)
def test_ranges(text: str) -> None:
    assert shown(opened(text)) == CASES[text]


def shown(document: Document) -> str:
    found = folding(document)
    return " ".join(f"{r.start_line + 1}-{r.end_line + 1}{'c' if r.kind == 'comment' else ''}" for r in found)
