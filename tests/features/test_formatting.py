"""The layout of a document in an editor; `bsls format` shares it, and tests/syntax has its rules."""

from __future__ import annotations

import pytest

from bsls.check.fix import edited
from bsls.features.formatting import formatting
from bsls.source import Span
from bsls.syntax.format import Style
from features.editing import CURSOR, opened

WITHIN = {
    "a=1\n‸b=2\n‸c=3": "a=1\nb = 2\nc=3",
    "a=1\nb=‸2\nc‸=3": "a=1\nb = 2\nc = 3",
    "A = [\n  b=1\n‸  c=2‸\n  d=3\n]": "A = [\n  b=1\n    c = 2\n  d=3\n]",
    "a=1  \n‸\n‸\n\n\nb=2": "a=1\n\n\nb=2",
}


@pytest.mark.parametrize("text", WITHIN)
def test_some_lines(text: str) -> None:
    start, end = text.index(CURSOR), text.rindex(CURSOR) - 1
    document = opened(text.replace(CURSOR, ""), evaluate=False)
    edits = formatting(document, Style(), Span(document.source, start, end))
    assert edited(document.source.text, edits) == WITHIN[text]


@pytest.mark.parametrize(("name", "text"), [("c.cntk", "A = [\n  b=1\n"), ("c.cntk", "")])
def test_nothing(name: str, text: str) -> None:
    assert formatting(opened(text, name=name, evaluate=False), Style()) == []


def test_the_language_is_that_of_the_file() -> None:
    for name, after in {
        "a.bs": "a = b + c\n",
        "a.cntk": "a = b+c\n",
        "a.ndl": "a = b+c\n",
        "a.mel": "a = b+c\n",
    }.items():
        document = opened("a=b+c\n", name=name, evaluate=False)
        assert edited("a=b+c\n", formatting(document, Style())) == after
