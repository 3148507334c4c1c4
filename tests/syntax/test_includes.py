"""`include "path"` in BrainScript: its words stand in its place, under their own path; one mistake is one finding."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from trees import shape

from bsls.finding import BsError
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brainscript import Members
from bsls.syntax.includes import with_includes

FILES = {
    "a.bs": "a = 1",
    "sub/b.bs": "include 'c.bs'\nb = c // end",
    "sub/c.bs": "c = (2",
    "half.bs": "(1 +",
    "self.bs": 'x = 1\ninclude "self.bs"',
    "round.bs": 'include "about.bs"',
    "about.bs": 'include "round.bs"',
    "string.bs": "x = 'a",
    "comment.bs": "x = 1 /* a",
    "deep.bs": "(" * 600,
    **{f"{i}.bs": f"include '{i + 1}.bs'" for i in range(200)},
    **{f"d{i}.bs": f"x = 1 include 'd{i + 1}.bs' include 'd{i + 1}.bs'" for i in range(40)},
    "d40.bs": "y = 1",
}


def expanded(text: str) -> ExpandedText:
    def read(path: str, place: Span, folders: Sequence[str]) -> tuple[str, Source]:
        for found in (path, *(f"{folder}/{path}" for folder in folders)):
            if found in FILES:
                return found, Source(found, FILES[found])
        raise BsError("missing-file", f"{path}: {' '.join(folders)}", place)

    return with_includes(ExpandedText.of(Source("net.bs", text)), read, ["top"])


@pytest.mark.parametrize(("text", "members"), [
    ('include "a.bs" z = 2', {"a": "1", "z": "2"}),
    ('z = 2 include "a.bs"', {"z": "2", "a": "1"}),
    ('z = include "half.bs" 2)', {"z": "(+ 1 2)"}),
    ('r = { include "a.bs" ; b = 2 }', {"r": "{a:1 b:2}"}),
    ('z = "include" // include "a.bs"\n', {"z": "'include'"}),
    ('z = x.included', {"z": "(. x included)"}),
    ('include "sub/b.bs"', {"c": "broken: sub/c.bs:1:6: ')' expected before the end", "b": "c"}),
])  # fmt: skip
def test_members(text: str, members: dict[str, str]) -> None:
    whole = expanded(text)
    found = Members(whole, 0, len(whole))
    assert found.problems == []
    assert {name: shape(found.member(name).value) for name in found.names} == members


@pytest.mark.parametrize(("text", "rule", "place", "message"), [
    ('x = 1\ninclude "no.bs"', "missing-file", "net.bs:2:9", "no.bs: top"),
    ('include "self.bs"', "include", "self.bs:2:9", "'self.bs' is included by itself"),
    ('include "round.bs"', "include", "about.bs:1:9", "'round.bs' is included by itself"),
    ('include "string.bs" y = \'b\'', "syntax", "string.bs:1:5", "string without closing quotation mark"),
    ('include "comment.bs" y = 2 */', "syntax", "comment.bs:1:7", "comment without closing */"),
    ('include "deep.bs"', "nesting-limit", "deep.bs:1:501", "more than 500 brackets"),
    ('include "0.bs"', "include", "99.bs:1:9", "more than 100 files"),
    ('include "d0.bs"', "include", "d36.bs:1:15", "more than 4000000 characters"),
])  # fmt: skip
def test_mistakes(text: str, rule: str, place: str, message: str) -> None:
    with pytest.raises(BsError, match=message.replace("*", ".")) as caught:
        expanded(text)
    assert (caught.value.finding.rule, str(caught.value.finding.span)) == (rule, place)


def test_without_includes_the_text_stays() -> None:
    text = ExpandedText.of(Source("net.bs", "x = included"))
    assert with_includes(text, lambda *_: ("", Source("", ""))) is text


def test_where_it_is_not_replaced_it_separates_members() -> None:
    text = 'include "a.bs"\nx = 1\ninclude "b.bs" y = 2'
    found = Members(ExpandedText.of(Source("net.bs", text)), 0, len(text))
    assert (list(found.names), found.problems) == (["x", "y"], [])
    assert [shape(found.member(name).value) for name in found.names] == ["1", "2"]
