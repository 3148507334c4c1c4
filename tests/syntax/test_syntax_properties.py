"""What holds for any text: it is read without an exception, and places stay inside it."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st
from trees import everything, members, shape

from bsls.config import parse_config
from bsls.finding import BsError, Severity
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brackets import repairs
from bsls.syntax.brainscript import parse_member
from bsls.syntax.outer import blank_comments, scan_elements, scan_items

PIECES = (
    *"abxy", "f", "z = ", "= ", "(", ")", "[", "]", "{", "}", "[|", "|]", "=>", "==", ":", "..", ".", ",", ";", "\n", "\n  ",
    " ", "+", "-", "!", "**", "'", '"', "#", "//", "/*", "*/", "1", "2.5", "$x$", "if ", "then ", "else ", "new ", "array ",
    "include ", "with ", "ä", "\r", "\t", "\0",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=30)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("a = (1\nb = 2\n")
@example("a = new\nb = 2")
def test_brainscript(text: str) -> None:
    found = members(text)
    for problem in found.problems:
        assert problem.span is not None
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    ends = 0
    for name, (start, end) in found.names.items():
        assert 0 <= start < end <= len(text)
        member = found.member(name)
        assert member.name == text[start : start + len(name)] == name
        assert shape(member.value) == shape(parse_member(ExpandedText.of(Source("net.bs", text)), start, end).value)
        for part in everything(member):
            assert start <= start + part.start <= start + part.end <= end
            if isinstance(part, tree.Broken):
                assert part.finding.span is not None
                assert start <= part.finding.span.start <= part.finding.span.end <= max(end, start + 1)
        ends = max(ends, end)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_outer_language(text: str) -> None:
    blanked = blank_comments(text)
    items, problems = scan_items(blanked)
    at = 0
    for item in items:
        assert at <= item.key_start < item.key_end <= item.value_start <= item.value_end <= len(text)
        at = item.key_end
    assert all(0 <= p.start <= p.end <= len(text) for p in problems)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_repaired_brackets_match(text: str) -> None:
    blanked = blank_comments(text)
    changes, problems = repairs(blanked)
    assert bool(changes) == any(p.severity == Severity.ERROR for p in problems)
    assert [c.at for c in changes] == sorted(c.at for c in changes)
    made = blanked
    for change in reversed(changes):
        made = made[: change.at] + change.insert + made[change.at + change.remove :]
    changes, problems = repairs(made)
    assert (changes, [p for p in problems if p.severity == Severity.ERROR]) == ([], [])


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_config(text: str) -> None:
    config = parse_config(text)
    for finding in config.all_problems():
        assert finding.span is not None
        assert 0 <= finding.span.start <= finding.span.end <= len(text)
    for value in config:
        assert value.raw.span().end <= len(text)
        with suppress(BsError):
            value.array()


@settings(max_examples=200, deadline=None)
@given(TEXTS)
@example('"(b" )"')
def test_arrays(text: str) -> None:
    at = 0
    for start, end in scan_elements(text):
        assert at <= start <= end <= len(text)
        at = end
