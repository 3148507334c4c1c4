"""Texts, places in them, and texts that were pieced together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsls.source import ExpandedText, Position, Source, Span

FILE = Source("f.cntk", "0123456789")


def origin(text: ExpandedText) -> list[tuple[int, int]]:
    """Where each character comes from."""
    return [text.place(i)[1:] for i in range(len(text))]


@pytest.mark.parametrize(("offset", "position"), [(0, (0, 0)), (1, (0, 1)), (2, (1, 0)), (4, (2, 0)), (5, (2, 1))])
def test_positions(offset: int, position: tuple[int, int]) -> None:
    assert Source("f", "a\n\r\nü").position(offset) == Position(*position)


@pytest.mark.parametrize(("number", "line"), [(0, "a"), (1, ""), (2, "b")])
def test_lines(number: int, line: str) -> None:
    assert Source("f", "a\n\r\nb").line(number) == line


def test_span_shows_as_path_line_column() -> None:
    span = Source("dir/f.cntk", "ab\ncd").span(3, 5)
    assert (str(span), span.text, span.end_position) == ("dir/f.cntk:2:1", "cd", Position(1, 2))


def test_what_stands_for_something_maps_to_all_of_it() -> None:
    text = ExpandedText.join([ExpandedText.of(FILE, 0, 2), ExpandedText.standing_for("xyz", FILE.span(2, 5)), "!"])
    assert text.text == "01xyz!"
    assert origin(text)[:5] == [(0, 1), (1, 2), (2, 5), (2, 5), (2, 5)]
    assert text.span(1, 3) == FILE.span(1, 5)
    assert text.slice(3, 5).span() == FILE.span(2, 5)


def test_a_span_over_several_sources_is_where_it_begins() -> None:
    text = ExpandedText.join([ExpandedText.of(FILE, 0, 2), ExpandedText.of(Source("g", "ab"))])
    assert text.span(1, 3) == FILE.span(1, 2)


def test_strip_and_empty_spans() -> None:
    text = ExpandedText.of(Source("f", "  a b  "))
    assert (text.strip().text, text.strip().span().start) == ("a b", 2)
    assert text.span(3, 3) == Span(text.place(3)[0], 3, 3)
    assert ExpandedText.of(Source("f", "   ")).strip().text == ""


@st.composite
def texts(draw: st.DrawFn) -> ExpandedText:
    """Texts that were sliced and joined several times, from one file whose characters are all different."""
    made = [ExpandedText.of(FILE)]
    for _ in range(draw(st.integers(1, 4))):
        parts = []
        for _ in range(draw(st.integers(1, 3))):
            part = draw(st.sampled_from(made))
            start = draw(st.integers(0, len(part)))
            parts.append(part.slice(start, draw(st.integers(start, len(part)))))
        made.append(ExpandedText.join(parts))
    return made[-1]


@settings(max_examples=200, deadline=None)
@given(texts())
def test_exact_characters_keep_their_place(text: ExpandedText) -> None:
    assert all(FILE.text[text.place(i)[1]] == text.text[i] for i in range(len(text)))
    for start in range(len(text)):
        span = text.span(start, start + 1)
        assert span.text == text.text[start]
    assert 0 <= text.span().start <= text.span().end <= len(FILE.text)
