"""One config out of files, arguments and includes."""

from __future__ import annotations

import pytest

from bsls.config.assemble import argument, assemble
from bsls.config.section import Section
from bsls.finding import BsError
from bsls.source import Source

INCLUDES = {"i.cntk": "a = 5\ninclude=j.cntk\n", "j.cntk": "b = 6\ninclude=i.cntk", "f.cntk": ""}


def config(*parts: str) -> Section:
    """Files, and arguments that begin with `--`."""

    def include(path: str) -> Source:
        if path not in INCLUDES:
            raise FileNotFoundError(2, "No such file or directory")
        return Source(path, INCLUDES[path])

    return assemble([argument(p[2:]) if p.startswith("--") else Source("f.cntk", p) for p in parts], include)


def check(parts: list[str], path: str, text: str, place: str) -> None:
    section = config(*parts)
    *blocks, key = path.split(":")
    for name in blocks:
        inner = section.own_section(name)
        assert inner is not None
        section = inner
    found = section.own(key)
    assert found is not None
    assert (found.text, str(found.span)) == (text, place)


@pytest.mark.parametrize(("parts", "path", "text", "place"), [
    (["a = 1", "--a=2"], "a", "2", "<command line>:1:3"),
    (["--a=2", "a = 1"], "a", "1", "f.cntk:1:5"),
    (["--a=2", "a = 1", "--a=3"], "a", "3", "<command line>:1:3"),
    (["a = 1", "b = 2"], "b", "2", "f.cntk:1:5"),
    (["S = [\n a = 1\n b = [ c = 1 ; d = 1 ]\n]", "--S=[a=2]"], "S:a", "2", "<command line>:1:6"),
    (["S = [\n a = 1\n b = [ c = 1 ; d = 1 ]\n]", "--s=[b=[c=2]]"], "S:b:c", "2", "<command line>:1:9"),
    (["S = [\n a = 1\n b = [ c = 1 ; d = 1 ]\n]", "--S=[b=[c=2]]"], "S:b:d", "1", "f.cntk:3:20"),
    (["a = 1\nk = $a$", "--a=2"], "k", "2", "f.cntk:2:5"),
    (["--flag"], "flag", "true", "<command line>:1:1"),
    (["S = { a = 1 }", "--S={ b = 2 }"], "S:b", "2", "<command line>:1:9"),
    (["a = 1\nS = [ x = (1", "--a=2"], "a", "2", "<command line>:1:3"),  # a mistake in a file stays there
    (["include=i.cntk\nc = 7"], "a", "5", "i.cntk:1:5"),
    (["include=i.cntk\nc = 7"], "b", "6", "j.cntk:1:5"),
    (["include=i.cntk\nc = 7"], "c", "7", "f.cntk:2:5"),
    (["a = 1\ninclude=i.cntk"], "a", "5", "i.cntk:1:5"),
    (["include=i.cntk\na = 1"], "a", "1", "f.cntk:2:5"),
    (["S = [\ninclude=j.cntk\n]"], "S:b", "6", "j.cntk:1:5"),
    (["include=j.cntk+i.cntk"], "a", "5", "i.cntk:1:5"),
    (["--include=j.cntk", "a = 1"], "b", "6", "j.cntk:1:5"),
    ([" include=i.cntk"], "include", "i.cntk", "f.cntk:1:10"),  # not at the start of the line
    (["INCLUDE=i.cntk"], "include", "i.cntk", "f.cntk:1:9"),
    (["a=1\r\nb=2 # c\r\nS=[\r\nd=3\r\n]\r\n"], "b", "2", "f.cntk:2:3"),
    (["a=1\r\nb=2 # c\r\nS=[\r\nd=3\r\n]\r\n"], "S:d", "3", "f.cntk:4:3"),
])  # fmt: skip
def test_what_counts(parts: list[str], path: str, text: str, place: str) -> None:
    check(parts, path, text, place)


@pytest.mark.parametrize(("text", "rule", "at"), [
    ("a = 1\ninclude=nope\n", "missing-file", "nope"),
    ("include=$x$\n", "include", "include=$x$"),
    ('a = 1\ninclude="j.cntk"+i.cntk\n', "include", '"j.cntk"+i.cntk'),
    ("include=j.cntk # text", "include", "j.cntk # text"),
])  # fmt: skip
def test_wrong_includes(text: str, rule: str, at: str) -> None:
    with pytest.raises(BsError) as caught:
        config(text)
    finding = caught.value.finding
    assert finding.span is not None
    assert (finding.rule, finding.span.text) == (rule, at)


def test_brackets_that_do_not_match_are_problems_of_the_top() -> None:
    found = config("S = [\n  a = (1:2\n  b = 3\n]\nc = 4")
    assert [str(p.span) for p in found.problems] == ["f.cntk:2:7"]
    section = found.own_section("S")
    assert section is not None
    assert (section.keys(), section.problems, found.keys()) == (["a", "b"], [], ["S", "c"])


def test_a_file_that_includes_itself() -> None:
    found = config("include=i.cntk\ninclude=f.cntk")
    said = [(p.severity.word, str(p.span), p.message) for p in found.problems]
    assert said == [
        ("warning", "j.cntk:2:9", "'i.cntk' is included by itself; this line has no effect"),
        ("warning", "f.cntk:2:9", "'f.cntk' is included by itself; this line has no effect"),
    ]
    assert found.keys() == ["a", "b"]
