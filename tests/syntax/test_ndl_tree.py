"""The trees of NDL and of scripts that edit models: every word is in them once, and what cannot be read is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsls.source import ExpandedText, Source
from bsls.syntax import mel, ndl
from bsls.syntax.outer import blank_comments

NDL = """# a network
load = macros
Layer (rows, cols, x) = [ W = Parameter (rows, cols, init="uniform", tag = none) # weights
                          r = Times (W, x) ]
Two (a)
{
    b = Tanh (Sigmoid (a)) ; c = Layer (2*3, {3, 4}, b),
}
One (a) = Plus (a, Constant (1))
dim = 300
K = Convolution (W, x, {5, dim}, stride = {1, 1}, init = "a b")
OutputNodes = (K:dim)
other = [ x = 3 ]
"""
MEL = """m = LoadModel ("$a$.dnn", format = cntk)
SetDefaultModel (m) ; HDim = 512
L$n$ = Layer (HDim, HDim, L1.y)   # added
SetProperty (m.*.W, learningRateMultiplier, 0);
n = [ x = Input (3)
      y = Tanh (x) ]
SaveModel (m, b)
"""
_BETWEEN = re.compile(r"[\s,;:=()\[\]{}\"*0-9]*")


def text_of(text: str) -> ExpandedText:
    return ExpandedText.of(Source("f", text)).with_text(blank_comments(text))


def gaps(text: str, leaves: list[ExpandedText]) -> list[str]:
    """What stands before, between and behind the leaves, which follow one another and do not overlap."""
    found, at = [], 0
    for leaf in leaves:
        span = leaf.span()
        assert span.start >= at and span.text == leaf.text
        found.append(text[at : span.start])
        at = span.end
    return [*found, text[at:]]


@pytest.mark.parametrize("text", [NDL, f"[ {NDL} ]", "[ a = F (b) ] [ c = G (d) ]"])
def test_ndl_loses_nothing(text: str) -> None:
    script = ndl.parse_script(text_of(text))
    assert [p.message for p in script.all_problems()] == []
    assert all(_BETWEEN.fullmatch(gap) for gap in gaps(blank_comments(text), list(script.leaves())))


def test_mel_loses_nothing() -> None:
    script = mel.parse(text_of(MEL))
    assert script.problems == []
    assert [type(s).__name__ for s in script.statements] == ["Command", "Command", "Line", "Command", "Command", "Snippet", "Command"]  # fmt: skip
    assert all(_BETWEEN.fullmatch(gap) for gap in gaps(blank_comments(MEL), list(script.leaves())))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "x"),
        ("x =", "x ="),
        ("= 3", "= 3"),
        ("M (a)", "M (a)"),
        ("M (a)\nx = 3", "M (a)"),
        ("x = Input (3) y", "y"),
        ("x = F (a*b)", "a*b"),
        ("x = F (s = (1, 1))", "s = (1, 1)"),
        ("x = {F (a), b}", "{F (a), b}"),
        ("x = F [3]", "["),
        ("x = F (-3)", "-"),
        ("x = " + "F (" * 200 + "a" + ")" * 200, None),
    ],
)
def test_what_cannot_be_read(text: str, problem: str | None) -> None:
    [found] = ndl.parse_script(text_of(text)).all_problems()
    assert found.span is not None and found.help
    assert problem is None or found.span.text == problem


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('ab=(){}[],;:*"\n #3.$'), max_size=40))
def test_nothing_fails(text: str) -> None:
    found = ndl.parse_script(text_of(text))
    assert all(p.span is not None for p in found.all_problems())
    gaps(text, list(found.leaves()))
    gaps(text, list(mel.parse(text_of(text)).leaves()))
