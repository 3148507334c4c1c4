"""Blocks and values of a config: look-up, merging, types, arrays."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from bsls.config import Section, Value, parse_config
from bsls.finding import BsError

CONFIG = """
a = 1
B = [
  c = 2
  d = [ e = 3 ; a = default ]
]
quoted = "x, y ; [z"
empty = ""
bare
"""


def value(text: str) -> Value:
    found = parse_config(f"k = {text}\n").own("k")
    assert found is not None
    return found


def refused(ask: Callable[[], object], message: str, at: str) -> None:
    """`at` is the text that is to blame."""
    with pytest.raises(BsError, match=message) as caught:
        ask()
    span = caught.value.finding.span
    assert span is not None
    assert span.text == at


def block(config: Section, *path: str) -> Section:
    for key in path:
        found = config.own_section(key)
        assert found is not None
        config = found
    return config


def texts(section: Section) -> dict[str, str]:
    return {v.key: v.text for v in section}


@pytest.mark.parametrize(("path", "key", "text"), [
    ((), "a", "1"),
    ((), "A", "1"),
    (("B",), "a", "1"),
    (("b",), "C", "2"),
    (("B", "d"), "c", "2"),
    (("B", "d"), "a", "default"),
    (("B", "d"), "e", "3"),
    (("B", "d"), "bare", "true"),
    ((), "quoted", "x, y ; [z"),
    ((), "empty", ""),
    ((), "c", None),
    (("B",), "e", None),
])  # fmt: skip
def test_lookup_climbs(path: tuple[str, ...], key: str, text: str | None) -> None:
    found = block(parse_config(CONFIG), *path).lookup(key)
    assert (found.text if found else None) == text


def test_own_does_not_climb() -> None:
    config = parse_config(CONFIG)
    assert block(config, "B").own("a") is None
    assert block(config, "B").own_section("B") is None
    assert block(config, "B").section("B") is block(config, "B")
    assert block(config, "B", "d").holder("a") is block(config, "B", "d")


def test_names_and_places() -> None:
    config = parse_config(CONFIG)
    inner = block(config, "b", "D")
    assert (config.path, inner.path, inner.keys()) == ("", "B:d", ["e", "a"])
    found = inner.own("E")
    assert found is not None
    assert (found.span.text, str(found.span), found.key_span.text) == ("3", "config.cntk:5:13", "e")


def test_default_counts_as_not_given() -> None:
    inner = block(parse_config(CONFIG), "B", "d")
    assert inner.get("a") is None
    assert inner.get_integer("a", 7) == 7
    assert (inner.get_integer("c", 7), inner.get_number("zz", 0.5), inner.get_boolean("bare", False)) == (2, 0.5, True)
    assert (inner.get_string("quoted", ""), inner.get_array("zz")) == ("x, y ; [z", None)


@pytest.mark.parametrize(("path", "key", "message", "at"), [
    ((), "zz", "the config has no value for 'zz'", ""),
    (("B", "d"), "zz", "block 'B:d' has no value for 'zz'", "d"),
    (("B", "d"), "a", "block 'B:d' has no value for 'a'", "d"),
    ((), "empty", "the config has no value for 'empty'", ""),
])  # fmt: skip
def test_required(path: tuple[str, ...], key: str, message: str, at: str) -> None:
    refused(lambda: block(parse_config(CONFIG), *path).require(key), message, at)


@pytest.mark.parametrize(("text", "expected"), [
    ("k = 1\nk = 2", {"k": "2"}),
    ("k = 1\nK = 2", {"K": "2"}),
    ("k = {x = 1}\nk = {y = 2}", {"k": "{y = 2}"}),
    ("k = (1:2)\nk = (3)", {"k": "(3)"}),
    ("k = [x = 1]\nk = [y = 2]", {"k": "[x = 1] [y = 2]"}),
    ("k = 5\nk = [y = 2]", {"k": "5 [y = 2]"}),
    ("k = [x = 1]\nk = 5", {"k": "5"}),
    ('k = " x "', {"k": "x"}),
    ("a = 1\n[ k = 2 ; a = 3 ]", {"k": "2", "a": "3"}),
])  # fmt: skip
def test_given_again(text: str, expected: dict[str, str]) -> None:
    assert texts(parse_config(text)) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("T = [| a = 1 | b = 2;3 ]", {"a": "1", "b": "2;3"}),
    ("T = [;a = 1;b = 2]", {"a": "1", "b": "2"}),
    ("T = [ a = 1 ; [ b = 2 ] c = 3 ]", {"a": "1", "c": "3"}),
    ("T = ( a = 1 )", {"a": "1"}),
    ("T [ a = 1 ]", {"a": "1"}),
    ("T = a = 1", {"a": "1"}),
    ('T = "a = 1 ; b = 2"', {"a": "1", "b": "2"}),
    ("T = 5\nT = [ b = 2 ]", {"5": "[ b = 2 ]"}),
])  # fmt: skip
def test_what_stands_in_a_block(text: str, expected: dict[str, str]) -> None:
    assert texts(block(parse_config(text), "T")) == expected


def test_merged_blocks() -> None:
    config = parse_config("T = [ a = 1 ; b = 1 ; S = [ p = 1 ; q = 1 ] ]\nT = [ B = 2 ; S = [ q = 2 ; r = 2 ] ]")
    assert list(texts(block(config, "T")))[:2] == ["a", "B"]
    assert texts(block(config, "T", "S")) == {"p": "1", "q": "2", "r": "2"}
    assert block(config, "T").get_integer("b", 0) == 2


# --- types -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"), [("12", 12), ("-3", -3), ("+4", 4), ('"7"', 7), ("9223372036854775807", 2**63 - 1)]
)
def test_integer(text: str, expected: int) -> None:
    assert value(text).integer() == expected


@pytest.mark.parametrize("text", ["1.5", "abc", "1e3", "0x10", "7 8", "1_0", "٣", "9223372036854775808", "9" * 5000])
def test_no_integer(text: str) -> None:
    refused(value(text).integer, "k = ", text)


@pytest.mark.parametrize(("text", "expected"), [
    ("1", 1), ("1.5", 1.5), (".5", 0.5), ("5.", 5), ("-1e-3", -0.001), ("0x10", 16), ("inf", math.inf), ("1#INF", math.inf),
    ("1#inf", math.inf), ("-1#INF", -math.inf), ("1e999", math.inf),
])  # fmt: skip
def test_number(text: str, expected: float) -> None:
    assert value(text).number() == expected


@pytest.mark.parametrize("text", ["abc", "1_0", "1f", "1 2", "٣", "0xg", "0x1p99999"])
def test_no_number(text: str) -> None:
    refused(value(text).number, "a number is expected", text)


@pytest.mark.parametrize("text", ["t", "true", "T", "True", "TRUE", "1"])
def test_true(text: str) -> None:
    assert value(text).boolean() is True


@pytest.mark.parametrize("text", ["f", "false", "F", "False", "FALSE", "0", '""'])
def test_false(text: str) -> None:
    assert value(text).boolean() is False


@pytest.mark.parametrize("text", ["yes", "tRUE", "2", "'true'"])
def test_no_boolean(text: str) -> None:
    refused(value(text).boolean, "true or false is expected", text)


@pytest.mark.parametrize(("text", "expected"), [
    ("a", "a"),
    ("a:b:c", "a b c"),
    ("a:b*3:c", "a b b b c"),
    ("(a:b)", "a b"),
    ("[a:b]", "a b"),
    ('"a:b"', "a b"),
    ("(a, b\n c : d)", "a b c d"),
    ("(a*2:b) ", "a a b"),
    ("a * 2 : b", "a a b"),
    ("a*0:b", "b"),
    ("a*-1:b", "b"),
    ("a::b:", "a b"),
    ("()", ""),
    ("a*", ""),
    ("a*:b", ""),  # reading ends there
    ("([x=1]:[y=2])", "[x=1] [y=2]"),
    ("([x=1],[y=2])", "[x=1] [y=2]"),
    ("([x=1] [y=2])", "[x=1] [y=2]"),
    ("([x=1]\n[y=2])", "[x=1] [y=2]"),
    ("(f(y:z):w)", "f(y:z) w"),
    ("((a:b)*2:c)", "(a:b)   c"),  # no repetition of brackets, but of the nothing before the sign
    ("a:(b:c)", "a b c"),  # outside of brackets, those inside mean nothing
    ('a:"b:c"', "a b c"),
    ('(a:"b:c":d)', "a b:c d"),
    ("(a:(b:c):d)", "a (b:c) d"),
    ("((a))", "(a)"),
    ("x[1]:y", "x[1]"),
    ("(;0.3;0.1*3)", "0.3 0.1 0.1 0.1"),  # a separator of one's own
    ("(;a:b;c)", "a:b c"),
    ("(./a:b)", "./a b"),
    ("(-1:2)", "1:2"),  # a trap
    ("-1:2", "-1 2"),
])  # fmt: skip
def test_array(text: str, expected: str) -> None:
    assert " ".join(v.text for v in value(text).array()) == expected


def test_elements_have_places_and_types() -> None:
    elements = value("0.1:abc*3:c").array()
    assert str(elements[2].span) == "config.cntk:1:9"
    refused(elements[3].number, "k = abc: a number is expected", "abc")


@pytest.mark.parametrize(("text", "at"), [("a*b", "b"), ("1*2 3:4", "2 3"), ("2*3*4", "3*4")])
def test_how_often_is_a_number(text: str, at: str) -> None:
    refused(value(text).array, "a whole number is expected", at)


def test_too_many_elements() -> None:
    refused(value("1:2*999999999999").array, "too many elements", "1:2*999999999999")


def test_blocks_in_an_array() -> None:
    found = parse_config("T = [ n = 1 ; d = ([ x = 1 ] : [ x = 2 ; n = 2 ]) ]").own_section("T")
    assert found is not None
    inner = found.sections_of("d")
    assert [(s.get_integer("x", 0), s.get_integer("n", 0)) for s in inner] == [(1, 1), (2, 2)]


@pytest.mark.parametrize(("text", "problem"), [
    ("T = [ a = ]", "7: no value given for 'a'"),
    ("T = [ S = [ = 1 ] ]", "13: there is no name before this '='"),
    ("T = [ S = { [ 1 ] } ]", "13: a block without a name"),
    ("T = [ S = [ a = (1 ] ]", "17: no closing ) found for this ("),
    ("T = [ a = $x$ ]", "11: $x$ has no value"),
    ("T = [ BrainScriptNetworkBuilder = { = } ]", None),
])  # fmt: skip
def test_problems_of_blocks(text: str, problem: str | None) -> None:
    found = [f"{f.span.start + 1}: {f.message}" for f in parse_config(text).all_problems() if f.span]
    assert found == ([problem] if problem else [])
