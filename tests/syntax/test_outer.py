"""The scanner of the outer language: items, comments, brackets."""

from __future__ import annotations

import pytest

from bsls.syntax.outer import blank_comments, closing, scan_items


def check(text: str, *items: str, problems: tuple[str, ...] = ()) -> None:
    """`items` as `key=value` (a bare word without `=`); `problems` as `offset: message`."""
    blanked = blank_comments(text)
    assert len(blanked) == len(text)
    found, wrong = scan_items(blanked)
    shown = [
        blanked[i.key_start : i.key_end] + ("" if i.bare else "=" + blanked[i.value_start : i.value_end]) for i in found
    ]
    assert (shown, [f"{p.start}: {p.message}" for p in wrong]) == (list(items), list(problems))


@pytest.mark.parametrize(("text", "items"), [
    ("a = 1", ["a=1"]),
    ("a=1,b=2;c=3\rd=4\n\n,;e=5", ["a=1", "b=2", "c=3", "d=4", "e=5"]),
    ("verbose", ["verbose"]),
    ("verbose, b = 1", ["verbose", "b=1"]),
    ("a = x y  z  ", ["a=x y  z"]),
    ("a = b = c", ["a=b = c"]),
    ("a = 0.1:0.2*3", ["a=0.1:0.2*3"]),
    ("a [ x = 1 ]", ["a=[ x = 1 ]"]),
    ("a{x}", ["a={x}"]),
    ("a = [ x = [ y = 1 ] ] b = 2", ["a=[ x = [ y = 1 ] ]", "b=2"]),
    ("a = (1, 2\n3)\nb", ["a=(1, 2\n3)", "b"]),
    ("a = x[1]:y", ["a=x[1]", ":y"]),  # an unquoted value ends at its first closing bracket
    ('a = "x, [y; z"\nb = 1', ['a="x, [y; z"', "b=1"]),
    ('a = [ b = "]" ]', ['a=[ b = "]" ]']),
    ("a = 'x, y'", ["a='x", "y'"]),  # single quotes mean nothing
    ("a = 4  // b", ["a=4  // b"]),  # nor does //
    ("a = $x$/$y$", ["a=$x$/$y$"]),
    ("a = 1 ]\nb = 2", ["a=1 ]", "b=2"]),  # a closing bracket is a sign like any other
    ("]\nb = 2 )\n}", ["b=2 )"]),
])  # fmt: skip
def test_items(text: str, items: list[str]) -> None:
    check(text, *items)


@pytest.mark.parametrize(("text", "items"), [
    ("# b = 1\na = 1", ["a=1"]),
    ("  # b\na = 1 # c = 2\nd = 3", ["a=1", "d=3"]),
    ("a = 1\t# b", ["a=1"]),
    ("a = x#1", ["a=x#1"]),
    ("a = 1#INF # not cut, for only the first # counts", ["a=1#INF # not cut", "for only the first # counts"]),
    ("a = [ # ]\n b = 1 ]", ["a=[    \n b = 1 ]"]),
])  # fmt: skip
def test_comments(text: str, items: list[str]) -> None:
    check(text, *items)


def test_comment_ends_a_quoted_string() -> None:
    check('a = "x # y"\nb = 1', 'a="x     \n', "b=1", problems=('4: no closing " found for this "',))


@pytest.mark.parametrize(("text", "items", "problem"), [
    ("a =\nb = 1", ["a=", "b=1"], "0: no value given for 'a'"),
    ("= 3\nb = 1", ["b=1"], "0: there is no name before this '='"),
    ("[ x ]\nb = 1", ["b=1"], "0: a block without a name"),
    ('"x" b = 1', ["b=1"], "0: a quoted text without a name"),
    ("a (x) = 3\nb = 1", ["a=(x)", "b=1"], "6: there is no name before this '='"),
    ("a =\n[ x = 1 ]\nb = 1", ["a=[ x = 1 ]", "b=1"], "0: no value given for 'a': the bracket that opens it stands in another line"),
    ("a = [ x = 1\nb = 2\nc = 3", ["a=[ x = 1\n", "b=2", "c=3"], "4: no closing ] found for this ["),
    ("  a = [\n    x = 1\n  b = 2", ["a=[\n    x = 1\n", "b=2"], "6: no closing ] found for this ["),
    ("  a = [\n    x = 1\n    y = 2", ["a=[\n    x = 1\n    y = 2"], "6: no closing ] found for this ["),
    ("a = (1:2]\nb = 2", ["a=(1:2]\n", "b=2"], "4: no closing ) found for this ("),
    ('a = "x\nb = 2', ['a="x\n', "b=2"], '4: no closing " found for this "'),
])  # fmt: skip
def test_problems_leave_the_other_items(text: str, items: list[str], problem: str) -> None:
    check(text, *items, problems=(problem,))


def test_missing_separator() -> None:
    _, (problem,) = scan_items("x = [ dim = 3 format = dense ]", 5, 29)
    message = "no separator before 'format': it belongs to the value of 'dim'"
    assert (problem.message, problem.start, problem.edits) == (message, 14, [(13, 13, " ;")])
    for text in ("a = x == y", "a = f (x y = 1)", 'a = "x y = 1"', "a = b = c", "a = b, c = d"):
        assert scan_items(text)[1] == []


@pytest.mark.parametrize(("text", "at"), [
    ("(a)", 2), ("([{}])x", 5), ('"a]"', 3), ('["]"]', 4), ("(a", -1), ("(a]", -1), ('"a', -1), ('[ " ]', -1),
])  # fmt: skip
def test_closing(text: str, at: int) -> None:
    assert closing(text, 0) == at
