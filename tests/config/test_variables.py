"""`$x$` in values: whose value, how deep, and what goes wrong."""

from __future__ import annotations

import pytest

from bsls.config import parse_config
from bsls.finding import BsError


@pytest.mark.parametrize(("text", "expected"), [
    ("x = 1\nk = $x$", "1"),
    ("k = $X$\nx = 1", "1"),
    ("x = $y$\ny = 2\nk = a$x$b$y$", "a2b2"),
    ('x = "a b"\nk = "$x$/c"', "a b/c"),
    ("k = a$b c$d", "a$b c$d"),
    ("k = $1x$", "$1x$"),
    ("k = 5$", "5$"),
    ("k = $a`b$", "$a`b$"),
    ('x = " a "\nk = ($x$)', "(a)"),
    ("x = 1 # text\nk = $x$", "1"),
    ("x = (1:2)\nk = $x$", "(1:2)"),
    ("x = 1\nk = { z = Input ($x$) # $y$\n }", "{ z = Input (1)" + 6 * " " + "\n }"),
])  # fmt: skip
def test_expansion(text: str, expected: str) -> None:
    found = parse_config(text).own("k")
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("x = 1\nS = [ k = $x$ ]", "1"),
    ("x = 1\nS = [ x = 2 ; k = $x$ ]", "1"),  # the text of a block is expanded where the block stands
    ("x = 1\nS = [ x = 2 ; k = $x$ ]\nx = 3", "3"),
])  # fmt: skip
def test_variables_of_a_block_are_those_of_the_top(text: str, expected: str) -> None:
    section = parse_config(text).own_section("S")
    assert section is not None
    found = section.own("k")
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(("text", "rule", "message", "at"), [
    ("k = a$nope$", "undefined-variable", "$nope$ has no value", "1:6 $nope$"),
    ("k = $x$\nx = $y$", "undefined-variable", "$y$ has no value", "2:5 $y$"),
    ("x = $x$\nk = $x$", "cyclic-variable", "is defined by itself", "1:5 $x$"),
    ("x = $y$\ny = a$x$b\nk = $x$", "cyclic-variable", "is defined by itself", "2:6 $x$"),
    ("x = default\nk = $x$", "undefined-variable", "$x$ has no value", "2:5 $x$"),
    ("x = [\na = 1\n]\nk = $x$", "undefined-variable", "several lines", "4:5 $x$"),
])  # fmt: skip
def test_mistakes(text: str, rule: str, message: str, at: str) -> None:
    config = parse_config(text)
    with pytest.raises(BsError) as caught:
        config.own("k")
    finding = caught.value.finding
    assert finding.span is not None
    assert (finding.rule, str(finding.span).partition(":")[2] + " " + finding.span.text) == (rule, at)
    assert message in finding.message


def test_undefined_says_how_to_give_it() -> None:
    with pytest.raises(BsError) as caught:
        parse_config("k = $dir$").own("k")
    assert "--set dir=" in caught.value.finding.help


def test_places_after_an_expansion_are_right() -> None:
    section = parse_config("x = 12345\nS = [ a = $x$\n  b = 6 ]").own_section("S")
    assert section is not None
    a, b = section.own("a"), section.own("b")
    assert a is not None and b is not None
    assert (a.text, a.span.text, b.span.text, str(b.span)) == ("12345", "$x$", "6", "config.cntk:3:7")


def test_many_variables_are_no_circle() -> None:
    found = parse_config("x = 1\nk = (" + ":".join(["$x$"] * 3000) + ")").own("k")
    assert found is not None
    assert len(found.array()) == 3000


def test_long_chains_of_variables() -> None:
    names = [f"x{i} = $x{i + 1}$$x{i + 1}$" for i in range(90)]
    found = parse_config("\n".join([*names, 'x90 = ""', "k = $x0$"])).own("k")
    assert found is not None
    assert found.text == ""
    names = [f"x{i} = $x{i + 1}$" for i in range(100_000)]
    with pytest.raises(BsError, match="more than 100 variables"):
        parse_config("\n".join([*names, "k = $x0$"])).own("k")
