"""Nodes by the records of their names."""

from __future__ import annotations

import pytest

from bsls.network.node import Node
from bsls.network.records import Record, by_record, without_detours


def shown(record: Record) -> str:
    """`path(node node part(...))`."""
    inner = [*(record.short(n.name) for n in record.nodes), *map(shown, record.parts)]
    return f"{record.path}({' '.join(inner)})"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", "()"),
        ("x W z", "(x W z)"),
        ("x l.W l.b", "(x l.W l.b)"),  # two are no record yet
        ("x l.W l.b l z", "(x z l(.W .b l))"),
        ("a.b.c a.b.d a.b.e x", "(x a(.b.c .b.d .b.e))"),  # few enough to see them as one
        ("l[0].W l[0].b l[0].y l[1].W", "(l[1].W l[0](.W .b .y))"),
        (" ".join(f"m.a.{i}" for i in range(13)), f"(m.a({' '.join(f'.{i}' for i in range(13))}))"),
        (
            " ".join([*(f"m.a.{i}" for i in range(9)), "m.b.u", "m.b.v", "m.b.w", "m.c.u", "m"]),
            f"(m(.c.u m m.a({' '.join(f'.{i}' for i in range(9))}) m.b(.u .v .w)))",
        ),
    ],
)
def test_by_record(names: str, expected: str) -> None:
    record = by_record(Node("Tanh", name) for name in names.split())
    assert shown(record) == expected
    assert sorted(n.name for n in record.all_nodes()) == sorted(names.split())


def test_a_record_that_a_path_leaves_and_enters_again_is_dissolved() -> None:
    names = "a.1 a.2 a.3 b.1 b.2 b.3"
    nodes = {name: Node("Tanh", name) for name in names.split()}

    def users(*edges: str) -> dict[Node, list[Node]]:
        found: dict[Node, list[Node]] = {node: [] for node in nodes.values()}
        for edge in edges:
            start, end = edge.split(">")
            found[nodes[start]].append(nodes[end])
        return found

    record = by_record(nodes.values())
    assert shown(without_detours(record, users("a.1>a.2", "a.2>b.1", "b.1>b.2", "a.3>b.3"))) == shown(record)
    assert shown(without_detours(record, users("a.1>b.1", "b.1>b.2", "b.2>a.2"))) == "(a.1 a.2 a.3 b(.1 .2 .3))"
