"""Which name reaches a node of a loaded network."""

from __future__ import annotations

import pytest

from bsls.network.naming import access_name, access_names, find_by_access
from bsls.network.network import Network
from bsls.network.node import Node


def network(*names: str) -> Network:
    made = Network()
    for name in names:
        made.add(Node("Negate", name))
    return made


@pytest.mark.parametrize(
    ("names", "access"),
    [
        ("z", {"z": "z"}),
        ("L4.y", {"L4.y": "L4_y"}),
        ("L4.y L4_y", {"L4_y": "L4_y"}),
        ("L4.y l4_Y", {"l4_Y": "l4_Y"}),
        ("a.b.c a_b.c a.b_c", {"a.b.c": "a_b_c"}),
        ("h[0] h[0].x W0*features 2x if", {}),
        ("_z._ .if", {"_z._": "_z__", ".if": "_if"}),
    ],
)
def test_access_names(names: str, access: dict[str, str]) -> None:
    made = network(*names.split())
    assert access_names(made) == access
    assert {n.name: a for n in made if (a := access_name(made, n))} == access


@pytest.mark.parametrize(
    ("name", "found"),
    [("Z", "z"), ("L4_y", "L4.y"), ("l4_y", None), ("L4.y", "L4.y"), ("x_a", "X_A"), ("none", None)],
)
def test_find_by_access(name: str, found: str | None) -> None:
    node = find_by_access(network("z", "L4.y", "x.a", "X_A"), name)
    assert (node.name if node else None) == found
