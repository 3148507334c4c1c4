"""Brackets that do not match: one mistake is one problem, at the bracket to blame, and the rest keeps its meaning."""

from __future__ import annotations

import pytest

from bsls.finding import BsError, Severity
from bsls.source import ExpandedText, Source
from bsls.syntax.brackets import repairs, with_matching_brackets
from bsls.syntax.outer import blank_comments


def check(text: str, repaired: str, *problems: str) -> None:
    """`text` with the bracket to blame marked by `^` before it."""
    at = [i - n for n, i in enumerate(i for i, c in enumerate(text) if c == "^")]
    text = text.replace("^", "")
    found, wrong = repairs(blank_comments(text))
    assert [p.start for p in wrong] == at
    assert [p.message for p in wrong] == list(problems)
    made = text
    for repair in reversed(found):
        made = made[: repair.at] + repair.insert + made[repair.at + repair.remove :]
    assert made == repaired
    assert repairs(blank_comments(made)) == ([], [])


@pytest.mark.parametrize("text", [
    "", "a = 1", "a = [ b = ( c : { d } ) ]\ne = f", 'a = "([{"', "a = 1 # ]", "a = [\nb = 1\nc = 2\n]\nd = 3",
    'a = "x\ny"\nb = 1', "a = [\n  b = 1 ]\nc = [ d = {\n} ]",
])  # fmt: skip
def test_nothing_to_repair(text: str) -> None:
    check(text, text)


@pytest.mark.parametrize(("text", "repaired", "problem"), [
    ("a = ^[\n  b = 1\nc = 2\n", "a = [\n  b = 1\n]c = 2\n", "no closing ] found for this ["),
    ("t = [\n  a = ^(1:2\n  b = 3\n]\nc = 4", "t = [\n  a = (1:2\n)  b = 3\n]\nc = 4", "no closing ) found for this ("),
    ("t = [\n  a = ^(1:2\n]\nc = 4", "t = [\n  a = (1:2\n)]\nc = 4", "no closing ) found for this ("),
    ("t = [\n  s = ^[\n    a = 1\n  r = [\n    b = 2\n  ]\n]",
     "t = [\n  s = [\n    a = 1\n]  r = [\n    b = 2\n  ]\n]", "no closing ] found for this ["),
    ("t = [\n  s = ^[\n    a = 1\n]\nu = [\n]", "t = [\n  s = [\n    a = 1\n]]\nu = [\n]", "no closing ] found for this ["),
    ("t = ^[\n  s = [\n    a = 1\n  ]\n", "t = [\n  s = [\n    a = 1\n  ]\n]", "no closing ] found for this ["),
    ("t = [\n  a = f (x)^)\n]", "t = [\n  a = f (x) \n]", "unmatched ')'"),
    ("t = [\n  a = 1 ^}\n  b = 2\n]", "t = [\n  a = 1  \n  b = 2\n]", "unmatched '}'"),
    ("t = [\n  a = (1:2^]\n  b = 3\n]", "t = [\n  a = (1:2)\n  b = 3\n]", "']' does not close '('"),
    ("t = [\n  s = {\n    a = 1\n  ^]\n  b = 2\n]", "t = [\n  s = {\n    a = 1\n  }\n  b = 2\n]", "']' does not close '{'"),
    ("t = (new N [\n  a = f x, y^)\n  b = 2\n])\nc = 3", "t = (new N [\n  a = f x, y \n  b = 2\n])\nc = 3", "unmatched ')'"),
    ("t = { r = { a = f ^(x } }", "t = { r = { a = f (x )} }", "no closing ) found for this ("),
    ('t = [\n  a = ^"x\n  b = "y"\n]', 't = [\n  a = "x"\n  b = "y"\n]', 'no closing " found for this "'),
    ('t = [\n  a = ^"x\n]', 't = [\n  a = "x"\n]', 'no closing " found for this "'),
    ("t = {\n  a = x // see ^[above\n  b = 1\n}", "t = {\n  a = x // see  above\n  b = 1\n}", "no closing ] found for this ["),
    ("t = [\na = ^(1\nb = 2\n]", "t = [\na = (1\nb = 2\n)]", "no closing ) found for this ("),
])  # fmt: skip
def test_one_mistake_is_one_problem(text: str, repaired: str, problem: str) -> None:
    check(text, repaired, problem)


@pytest.mark.parametrize(("text", "removed"), [
    ("t = {\n  a = x ^}\n  b = 2\n}", "}"),
    ("a = 1\n^]\nb = 2", "]"),
    ("a = 1 ^)\nb = [ c = 2 ]", ")"),
    ("t = [\n  s = [\n    a = 1\n  ]^]\n  r = [\n    b = 2\n  ]\n]", "]"),
])  # fmt: skip
def test_what_the_reference_takes_for_letters(text: str, removed: str) -> None:
    """A bracket too many outside of all others changes nothing, and is a warning."""
    at = text.index("^")
    text = text.replace("^", "")
    found, wrong = repairs(text)
    assert (found, [(p.start, p.message, p.severity) for p in wrong]) == (
        [], [(at, f"unmatched '{removed}'", Severity.WARNING)],
    )  # fmt: skip


@pytest.mark.parametrize(("text", "mended"), [
    ("t = [\n  a = (1:2  # two\n]\n", "t = [\n  a = (1:2)  # two\n]\n"),
    ("t = [\n  s = [\n    a = 1 # one\n  r = 2\n]\n", "t = [\n  s = [\n    a = 1 # one\n  ]\n  r = 2\n]\n"),
    ("t = (new N [\n  a = 1\n\nb = 2", "t = (new N [\n  a = 1\n])\n\nb = 2"),
    ("t = [\n  a = (1:2]\n  b = 3\n]", "t = [\n  a = (1:2)\n  b = 3\n]"),
    ('t = [\n  a = "x\n]', 't = [\n  a = "x"\n]'),
    ("t = [\n  a = f (x))\n]", "t = [\n  a = f (x)\n]"),
    ("t = {\n  a = x // see [above\n  b = 1\n}", "t = {\n  a = x // see above\n  b = 1\n}"),
    ("t = [\n  a = 1\n]]\nb = 1", "t = [\n  a = 1\n]\nb = 1"),
])  # fmt: skip
def test_fixes(text: str, mended: str) -> None:
    """Each problem can be mended, as a person would do it."""
    blanked = blank_comments(text)
    edits = [e for p in repairs(blanked)[1] for e in p.edits]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    assert text == mended
    assert repairs(blank_comments(text)) == ([], [])


def test_a_text_without_sense_is_one_finding() -> None:
    with pytest.raises(BsError, match="more than 100 brackets or quotes do not match") as caught:
        with_matching_brackets(ExpandedText.of(Source("c.cntk", "x" + ")" * 1000)))
    assert str(caught.value.finding.span) == "c.cntk:1:2"


def test_brackets_of_one_line_are_one_problem() -> None:
    check("a = [ b = ^(\nc = 1", "a = [ b = (\n)]c = 1", "no closing ) found for this (")


def test_two_mistakes_are_two_problems() -> None:
    check(
        "a = [\n  b = ^(1\n  c = 2\n]\nd = 3 ^}\ne = 4",
        "a = [\n  b = (1\n)  c = 2\n]\nd = 3  \ne = 4",
        "no closing ) found for this (",
        "unmatched '}'",
    )
