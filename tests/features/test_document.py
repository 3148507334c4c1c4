"""What a document takes over from its revision before."""

from __future__ import annotations

from bsls.source import Source
from bsls.workspace.analysis import Analysis

TEXT = 'command = A\nA = { action = "x" }\nB = {\n    BrainScriptNetworkBuilder = {\n        x = Input {2}\n        // about y\n        y = x + 1\n    }\n}\n'


def test_a_network_that_did_not_change_keeps_its_trees_at_their_new_places() -> None:
    before = Analysis(Source("/nowhere/c.cntk", TEXT, 1), {})
    (old,) = before.document.networks
    assert old.members.findings("y") == []
    tree = old.members.member("y")
    after = Analysis(Source("/nowhere/c.cntk", "# one\n" + TEXT, 2), {}, before)
    (new,) = after.document.networks
    assert new.members is not old.members
    assert new.members.member("y") is tree and new.members.doc("y") == "about y"
    assert tree.span.source is after.document.source and tree.span.text == "y = x + 1"


def test_a_member_that_changed_is_read_anew() -> None:
    before = Analysis(Source("/nowhere/c.cntk", TEXT, 1), {})
    assert before.document.networks[0].members.findings("y") == []
    after = Analysis(Source("/nowhere/c.cntk", TEXT.replace("x + 1", "x + 2"), 2), {}, before)
    assert after.document.networks[0].members.member("y").span.text == "y = x + 2"
