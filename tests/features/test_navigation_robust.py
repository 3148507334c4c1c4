"""No feature raises, whatever the text; each is quick."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from bsls.features.definition import definition
from bsls.features.document import Document
from bsls.features.document_symbols import Symbol, document_symbols
from bsls.features.folding import folding
from bsls.features.highlights import highlights
from bsls.features.quick_fixes import quick_fixes
from bsls.features.references import references
from bsls.features.rename import prepare, rename
from bsls.features.semantic_tokens import semantic_tokens
from bsls.finding import BsError
from bsls.source import Source, Span
from features.editing import opened

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
TEXT = (DIGITS / "adapt.cntk").read_text(encoding="utf-8")


def inside(span: Span, source: Source) -> None:
    assert span.source is source
    assert 0 <= span.start <= span.end <= len(source.text)


def check_whole(document: Document) -> None:
    source = document.source
    lines = source.text.count("\n") + 1
    last = 0
    for token in semantic_tokens(document):
        inside(token.span, source)
        assert last <= token.span.start < token.span.end
        assert "\n" not in token.span.text
        last = token.span.end
    for place in folding(document):
        assert 0 <= place.start_line < place.end_line < lines
    stack: list[Symbol] = document_symbols(document)
    while stack:
        symbol = stack.pop()
        inside(symbol.span, source)
        inside(symbol.selection, source)
        stack += symbol.children
    quick_fixes(document, source.span(0, len(source.text)))


def check_at(document: Document, offset: int) -> None:
    definition(document, offset)
    for reference in references(document, offset):
        inside(reference.span, reference.span.source)
    for reference in highlights(document, offset):
        inside(reference.span, document.source)
    span = prepare(document, offset)
    if span is not None:
        inside(span, document.source)
    try:
        edits = rename(document, offset, "fresh_1")
    except BsError:
        return
    ends: dict[Source, int] = {}
    for edit in edits:
        assert edit.span.start >= ends.get(edit.span.source, 0)
        ends[edit.span.source] = edit.span.end


@pytest.mark.parametrize("part", range(4))
def test_every_beginning_of_a_config(part: int) -> None:
    for end in range(part * 7, len(TEXT) + 1, 28):
        document = opened(TEXT[:end], DIGITS, "adapt.cntk", evaluate=end % 5 == 0)
        check_whole(document)
        check_at(document, end)
        check_at(document, end * 7919 % (end + 1))


@pytest.mark.parametrize("seed", range(5))
def test_a_text_with_holes(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(12):
        text = TEXT
        for _ in range(pick.randrange(1, 6)):
            start = pick.randrange(len(text))
            text = (
                text[:start]
                + pick.choice(["", "{", "]", '"', "$", "\n", "é", "= ="])
                + text[start + pick.randrange(9) :]
            )
        document = opened(text, DIGITS, "adapt.cntk", evaluate=pick.random() < 0.5)
        check_whole(document)
        for _ in range(6):
            check_at(document, pick.randrange(len(text) + 1))


@pytest.mark.parametrize(
    "text", ["", "\n", "$", "= ", "{", "x", "include=nothing.cntk\n", "command = A\n", "A = [ [ ] ]"]
)
@pytest.mark.parametrize("name", ["c.cntk", "c.bs"])
def test_hardly_any_text(text: str, name: str) -> None:
    document = opened(text, name=name)
    check_whole(document)
    for offset in range(len(text) + 1):
        check_at(document, offset)


def test_features_before_the_evaluation_has_finished_see_the_earlier_one() -> None:
    document = opened(TEXT, DIGITS, "adapt.cntk", evaluate=False)
    for m in re.finditer(r"\w+", TEXT):
        check_at(document, m.start())


def test_a_chain_of_names_is_no_deep_recursion() -> None:
    members = "\n".join(f"a{i} = a{i - 1}.x" for i in range(1, 3000))
    text = f"BrainScriptNetworkBuilder = {{\na0 = {{ x = 1 }}\n{members}\n}}"
    document = opened(text, evaluate=False)
    check_whole(document)
    assert [p.span.text for p in definition(document, text.index("a2999") + 8)] == ["a2998"]
