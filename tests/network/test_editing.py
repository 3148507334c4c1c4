"""Changes of a graph in place, beyond what the scripts that edit models need."""

from __future__ import annotations

import pytest

from bsls.finding import BsError
from bsls.network import editing
from bsls.network.network import Network
from bsls.network.node import Node


def network() -> Network:
    made = Network()
    x = Node("InputValue", "x", attributes={"dims": (3,)})
    w = Node("LearnableParameter", "W", attributes={"dims": (2, 3), "learningRateMultiplier": 1.0})
    t = Node("Times", "L.t", [w, x])
    h = Node("Tanh", "L.h", [t], tags=["output"])
    for node in (x, w, t, h):
        made.add(node)
    made.tag(h, "output")
    return made


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("w", ["W"]), ("*", ["L.h", "L.t", "W", "x"]), ("L.*", ["L.h", "L.t"]), ("l.*", []), ("*h", ["L.h"]), ("L*t", ["L.t"]), ("q", [])],
)  # fmt: skip
def test_matching(pattern: str, names: list[str]) -> None:
    assert [n.name for n in editing.matching(network(), pattern)] == names


def test_a_renamed_node_keeps_its_users_and_groups() -> None:
    made = network()
    editing.rename(made, made["L.h"], "z")
    assert made.find("l.h") is None and made.groups["output"] == [made["Z"]]
    with pytest.raises(BsError):
        editing.rename(made, made["W"], "X")


def test_a_copy_over_a_node_keeps_its_inputs_or_takes_them() -> None:
    made, other = network(), network()
    other["W"].attributes["learningRateMultiplier"] = 0.0
    editing.copy_nodes([(other["W"], "W")], made, links=False)
    assert not made["W"].is_learnable and made["L.t"].inputs == [made["W"], made["x"]]
    with pytest.raises(BsError, match="not among"):
        editing.copy_nodes([(other["L.t"], "L.t")], made, links=True)
    with pytest.raises(BsError, match="over itself"):
        editing.copy_nodes([(made["W"], "w")], made, links=False)


def test_a_subtree_with_and_without_links() -> None:
    made, target = network(), Network()
    editing.copy_subtree(made["L.h"], target, "p.", links=True)
    editing.copy_subtree(made["L.t"], target, "q.", links=False)
    assert [i.name for i in target["p.L.t"].inputs] == ["p.W", "p.x"]
    assert target["q.L.t"].inputs == [] and target.groups["output"] == []


def test_only_unused_nodes_are_removed() -> None:
    made = network()
    with pytest.raises(BsError, match=r"'L\.t'"):
        editing.remove(made, made["W"])
    for name in ("L.h", "L.t", "W"):
        editing.remove(made, made[name])
    assert [n.name for n in made] == ["x"] and made.groups["output"] == []


def test_nodes_without_inputs_go_with_all_that_use_them() -> None:
    made = network()
    made["L.t"].inputs = []
    editing.drop_unconnected(made)
    assert [n.name for n in made] == ["x", "W"]


def test_inputs_by_number() -> None:
    made = network()
    editing.set_input(made["L.h"], 0, made["x"])
    assert made["L.h"].inputs == [made["x"]]
    for index in (-1, 1, 2):
        with pytest.raises(BsError):
            editing.set_input(made["L.h"], index, made["x"])
