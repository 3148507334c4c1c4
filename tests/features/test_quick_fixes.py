"""Fixes at a place, and all safe ones at once."""

from __future__ import annotations

from bsls.features.document import Document
from bsls.features.quick_fixes import fix_all, quick_fixes
from features.editing import network, opened


def at(document: Document, word: str) -> list[str]:
    start = document.source.text.index(word)
    return [f.title for f in quick_fixes(document, document.source.span(start, start))]


def test_fixes() -> None:
    document = opened(network("x = Input {3} ; z = Tahn (x) ; y = Tnah (x)"))
    assert at(document, "Tahn") == ["change to Tanh", "fix all 2 problems that can be fixed safely"]
    assert at(document, "x = Input") == []
    everything = fix_all(document)
    assert everything is not None
    assert [e.text for e in everything.edits] == ["Tanh", "Tanh"]
    whole = document.source.span(0, len(document.source.text))
    assert [f.preferred for f in quick_fixes(document, whole)] == [True, True, False]


def test_one_fix_is_not_all() -> None:
    document = opened(network("x = Input {3} ; z = Tahn (x)"))
    assert at(document, "Tahn") == ["change to Tanh"]
    assert fix_all(document) is None
