"""How the text of a record is cut into members, and that a mistake in one leaves the others whole."""

from __future__ import annotations

import pytest
from trees import members

from bsls.syntax import tree


def check(text: str, *expected: str, problems: tuple[str, ...] = ()) -> None:
    """`expected` are the texts of the members, with a `?` before one that does not parse; `problems` as `offset: message`."""
    found = members(text)
    shown = [
        "?" * isinstance(found.member(name).value, tree.Broken) + text[slice(*found.names[name])]
        for name in found.names
    ]
    said = [f"{p.span.start}: {p.message}" for p in found.problems if p.span]
    assert (shown, said) == (list(expected), list(problems))


@pytest.mark.parametrize(("text", "expected"), [
    ("", []),
    (" # nothing\n", []),
    ("a = 1", ["a = 1"]),
    ("a = 1 b = 2", ["a = 1", "b = 2"]),
    ("a = 1 ; b = 2 ;", ["a = 1", "b = 2"]),
    ("a = x y = 2", ["a = x", "y = 2"]),
    ("a = 'x' b = true c = (1) d = [| |] e = {} f = 1", ["a = 'x'", "b = true", "c = (1)", "d = [| |]", "e = {}", "f = 1"]),
    ("a =\n  1\nb = 2", ["a =\n  1", "b = 2"]),
    ("a = x\n- y\nb = 1", ["a = x\n- y", "b = 1"]),
    ("a = x\n(y)\nb = 1", ["a = x\n(y)", "b = 1"]),
    ("a = x.\n  y\nb = 1", ["a = x.\n  y", "b = 1"]),
    ("f (x, y = 1) = x g {x} = x", ["f (x, y = 1) = x", "g {x} = x"]),
    ("f (x,\n   y = 1) =\n  x\nb = 1", ["f (x,\n   y = 1) =\n  x", "b = 1"]),
    ("h[i:0..n] = i h2[i:0..n] (x) = i", ["h[i:0..n] = i", "h2[i:0..n] (x) = i"]),
    ("a = new T b = 1", ["?a = new T b = 1"]),
    ("a = new T [ x = 1 ] b = 1", ["a = new T [ x = 1 ]", "b = 1"]),
    ("a = new T r\nb = 1", ["a = new T r", "b = 1"]),
    ("a = if x then y else z b = 1", ["a = if x then y else z", "b = 1"]),
    ("a = x == y b = x => y", ["a = x == y", "b = x => y"]),
    ("r = {\na = 1\nb = (2\n)\n}\nc = 3", ["r = {\na = 1\nb = (2\n)\n}", "c = 3"]),
    ("a = f (1,\nb = 2)\nc = 3", ["a = f (1,\nb = 2)", "c = 3"]),
    ("a = 1 # b = 2\nc = 3 // d = 4\ne = /* f = 5\n*/ 6", ["a = 1", "c = 3", "e = /* f = 5\n*/ 6"]),
    ("a = 1 /* x **/ b = 2 */ c = 3", ["a = 1", "c = 3"]),  # `**/` does not close a comment
    ("a = '# no comment' b = 2", ["a = '# no comment'", "b = 2"]),
    ("a = 'x = 1\n y = 2' b = 2", ["a = 'x = 1\n y = 2'", "b = 2"]),
    ("a = 1..2", ["?a = 1..2"]),
    ("\u0061 = 1\tb = 2\r\nc = 3", ["a = 1", "b = 2", "c = 3"]),
])  # fmt: skip
def test_members(text: str, expected: list[str]) -> None:
    check(text, *expected)


@pytest.mark.parametrize(("text", "expected"), [
    ("a = (1 +\nb = 2", ["?a = (1 +", "b = 2"]),
    ("a = f (x\nb = g (y)\nc = {\n  d = 1\n}", ["?a = f (x", "b = g (y)", "c = {\n  d = 1\n}"]),
    ("a = { x = 1\nb = 2", ["?a = { x = 1", "b = 2"]),
    ("a = {\n  x = 1\n  y = (2\n}\nb = 2", ["?a = {\n  x = 1\n  y = (2\n}", "b = 2"]),
    ("a = 1 b = (2\nc = 3", ["a = 1", "?b = (2", "c = 3"]),
    ("  a = (1\n    b = 2\n  c = 3", ["?a = (1\n    b = 2", "c = 3"]),
    ("a = (1\nf (x) = x\ng[i:0..1] = i", ["?a = (1", "f (x) = x", "g[i:0..1] = i"]),
    ("a = (1\nx == y\nb = 2", ["?a = (1\nx == y", "b = 2"]),
    ("a = f (x]\nb = 2", ["?a = f (x]", "b = 2"]),
    ("a = f (x))\nb = 2", ["?a = f (x))", "b = 2"]),
    ("a = 1 +\nb = 2", ["?a = 1 +", "b = 2"]),
    ("a = 1 +\n  b = 2", ["?a = 1 +\n  b = 2"]),
    ("a = x.\nb = 2", ["?a = x.", "b = 2"]),
    ("a = new\nb = 2", ["?a = new\nb = 2"]),  # `b` is a type here
    ("a =\nb = 2", ["?a =", "b = 2"]),
    ("a = if x\nb = 2", ["?a = if x", "b = 2"]),
    ("a = 'x\nb = 2", ["?a = 'x", "b = 2"]),
    ("a = /* x\nb = 2", ["?a = /* x", "b = 2"]),
    ("a = x $ y\nb = 2", ["?a = x $ y", "b = 2"]),
    ("a = 1\nwith = 2\nb = 3", ["a = 1", "?with = 2", "b = 3"]),
    ("then = 1\nb = 2", ["?then = 1", "b = 2"]),
    ("a = 1\nb\nc = 2", ["a = 1", "?b", "c = 2"]),
    ("a = b c\nd = 1", ["?a = b c", "d = 1"]),
    ("a = if x thenx y\nd = 1", ["?a = if x thenx y", "d = 1"]),
    ("a = 1, b = 2\nc = 3", ["?a = 1,", "b = 2", "c = 3"]),
])  # fmt: skip
def test_a_mistake_leaves_the_neighbours_whole(text: str, expected: list[str]) -> None:
    check(text, *expected)


@pytest.mark.parametrize(("text", "expected", "problem"), [
    ("a = 1;; b = 2", ["a = 1", "b = 2"], "6: a name is expected before ';'"),
    ("a = 1;;; b = 2", ["a = 1", "b = 2"], "6: a name is expected before ';'"),
    ("; a = 1", ["a = 1"], "0: a name is expected before ';'"),
    ("= 3\na = 1", ["a = 1"], "0: a name is expected before '='"),
    ("1 + 2", [], "0: a name is expected before '1'"),
    ("{a = 1}", [], "0: a name is expected before '{'"),
    ("a = 1 ; 2 + 3\nb = 2", ["a = 1", "b = 2"], "8: a name is expected before '2'"),
    ("a = 1 ; )\nb = 2", ["a = 1", "b = 2"], "8: a name is expected before ')'"),
    ("include x\nb = 2", ["b = 2"], "0: 'include' must be followed by a quoted string"),
    ("a = 1 a = 2", ["a = 2"], "6: duplicate member definition 'a'"),
])  # fmt: skip
def test_problems_between_members(text: str, expected: list[str], problem: str) -> None:
    check(text, *expected, problems=(problem,))


@pytest.mark.parametrize(("text", "doc"), [
    ("# one\na = 1", "one"),
    ("# one\n// two\na = 1", "one\ntwo"),
    ("b = 1 # about b\na = 1", ""),
    ("# far\n\n# near\na = 1", "near"),
    ("b = 1\n\n  ## indented\n  a = 1", "indented"),
    ("/* no */\na = 1", ""),
    ("a = 1", ""),
    ("b = 1 a = 1", ""),
])  # fmt: skip
def test_doc_comments(text: str, doc: str) -> None:
    assert members(text).doc("a") == doc
