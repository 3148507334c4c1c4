"""Formatting changes no meaning and is done once and for all: in the golden configs, in the examples, and in any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from layout import formatted, meaning
from test_syntax_properties import PIECES, TEXTS

from bsls.finding import BsError
from bsls.syntax.format import Style
from bsls.syntax.raw import Language, language_of

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("examples", "tests/golden/cases", "server/bsls/library")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".cntk", ".bs", ".ndl", ".mel")
)
LANGUAGES: tuple[Language, ...] = ("config", "brainscript", "ndl")
GAPS = (" ", "  ", "\n", "\n\n\n\n", "\t", "\n   ", "  # c\n", " ; ", "")


def check(text: str, language: Language) -> str:
    """Whether the formatted text says the same, in the same words, and stays as it is when it is formatted again."""
    made = formatted(text, language)
    assert "".join(made.split()) == "".join(text.split())
    assert meaning(made, language) == meaning(text, language)
    assert formatted(made, language) == made
    tabs = formatted(text, language, Style(3, tabs=True))
    assert meaning(tabs, language) == meaning(text, language)
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_files(path: Path) -> None:
    check(_read(path), language_of(path.name))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_mutated_files(path: Path, data: st.DataObject) -> None:
    """White space and other things are put into a file, others are left out."""
    text = _read(path)[:4000]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from((0, 0, 0, 1, 5)))
        text = text[:at] + data.draw(st.sampled_from(GAPS + PIECES)) + text[at + cut :]
    try:
        check(text, language_of(path.name))
    except BsError as error:
        assert error.finding.span is not None


@settings(max_examples=300, deadline=None)
@given(TEXTS | st.lists(st.sampled_from(PIECES + GAPS), max_size=40).map("".join), st.sampled_from(LANGUAGES))
@example("a  =1\nb=c\r\n", "config")
def test_any_text(text: str, language: Language) -> None:
    try:
        check(text, language)
    except BsError as error:
        assert error.finding.rule in ("syntax", "nesting-limit")
