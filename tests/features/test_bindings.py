"""What names stand for, as completion after a dot and hover see it where only the text tells."""

from __future__ import annotations

import pytest

from bsls.features.completion import complete
from bsls.features.hover import hover
from bsls.features.references import Names
from bsls.source import Source
from bsls.syntax import tree
from bsls.workspace.analysis import Analysis
from features.editing import at_cursor, network, opened

CLONE = (
    "m = BS.Network.Load ('x.dnn')\npixels = Input {3}\nc2 = BS.Network.CloneFunction (m.x, { a = m.y ; b = m.z })\n"
)

MEMBERS = {
    "rec = { a = 1 ; b = 2 }\nf (r) = r.‸\ng = f (rec)": "a b",
    "rec = { a = 1 ; b = 2 } ; f (r) = r.‸ ; g = f (rec)": "a b",
    "f (r) = { c = r.‸ }\ng = f ({ a = 1 })\nh = f ({ b = 2 })": "a b",
    "arr = [| { a = 1 ; b = 2 } ; { a = 3 } |]\nz = arr[0].‸": "a b",
    "arr = ({ a = 1 } : { b = 2 })\nf (i) = arr[i].‸": "a b",
    "arr[i:0..2] = { a = i ; b = 2 }\nz = arr[0].‸": "a b",
    CLONE + "z = c2 (pixels).‸": "a b",
    CLONE + "q = c2 (pixels)\nz = Tanh (q.‸": "a b",
    "L (v) = { a = v ; b = v }\nP = L\nz = P (1).‸": "a b",
    "R = if true then { a = 1 } else { b = 2 }\nz = R.‸": "a b",
    "f (x) = x\ng (x) = { a = x ; b = x }\nh = f >> g\nz = h (1).‸": "a b",
    "r = { a = 1 ; b = 2 }\nz = (/* ( */ r.‸": "a b",
    "z = (/* a **/ r.‸ */ 3)\nr = { a = 1 ; b = 2 }": "",
    "z = (/* a ***/ r.‸ */ 3)\nr = { a = 1 ; b = 2 }": "a b",
    "f (r) = r.‸": "",
}


@pytest.mark.parametrize("text", MEMBERS)
def test_members(text: str) -> None:
    document, offset = at_cursor(network(text))
    assert sorted(c.label for c in complete(document, offset)) == MEMBERS[text].split()


HOVERS = {
    "rec = { a = 1 ; b = 2 }\nf (r) = r.‸a\ng = f (rec)": "a = 1",
    "arr = [| { a = 1 ; b = 2 } |]\nz = arr[0].‸a": "a = 1",
    CLONE + "z = c2 (pixels).‸a": "a = m.y",
    "f (x) = x\ng (y, o = 1) = y\nh = f >> g\nz = ‸h (1)": "h (x)",
    "f (x) = x\ng (y, o = 1) = y\nh = f << g\nz = ‸h (1)": "h (y, o = 1)",
    "a = 1 ; L = { b = 2 } ; z = L.‸a": "a = 1",
}


@pytest.mark.parametrize("text", HOVERS)
def test_hover(text: str) -> None:
    found = hover(*at_cursor(network(text)))
    assert found is not None
    assert found.markdown.split("```")[1].removeprefix("brainscript").strip() == HOVERS[text]


def test_they_are_made_once_for_each_state_of_a_document() -> None:
    text = network("r = { a = Input {3} } ; z = r.a")
    source = Source("/nowhere/c.cntk", text)
    analysis = Analysis(source, {source.path: source})
    names = analysis.document.once(Names)
    assert analysis.document.once(Names) is names
    analysis.evaluate()
    analysis.finish()
    again = analysis.document.once(Names)
    assert again is not names
    assert again.bindings(analysis.document.networks[0]).top.value("z") is not None


def test_a_member_that_was_completed_takes_the_place_of_the_one_in_the_text() -> None:
    document = opened(network("r = { a = 1 }\nz = r.a\ny = r"))
    bindings = document.once(Names).bindings(document.networks[0])
    other = opened(network("r = { b = 1 ; c = 2 }")).networks[0].members.member("r")
    replaced = bindings.replacing(other)
    y = document.networks[0].members.member("y")
    assert isinstance(y.value, tree.Name)
    assert list(replaced.members(y.value)) == ["b", "c"]
    assert list(bindings.members(y.value)) == ["a"]
