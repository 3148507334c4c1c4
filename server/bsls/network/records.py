"""Which nodes belong together by their names: those of `lstm.prevState.h` and `lstm.W` to the record `lstm`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bsls.network.node import Node

_LEAST = 3  # nodes of a record that is worth a heading
_LARGE = 12  # a record with more nodes is divided further


@dataclass(frozen=True, slots=True)
class Record:
    """Nodes whose names begin with `path` and a dot, or are `path`; the outermost one has the empty path.

    `nodes` are those that are in none of the records in it, `parts`; both in the order in which the nodes were given.
    """

    path: str
    nodes: tuple[Node, ...]
    parts: tuple[Record, ...]

    def short(self, name: str) -> str:
        """The name of a node as seen from here: `.W` for `lstm.W` in the record `lstm`."""
        return name[len(self.path) :] if self.path and name.startswith(f"{self.path}.") else name

    def flat(self) -> list[Record]:
        """This record and all in it, outer ones first."""
        return [self, *(inner for part in self.parts for inner in part.flat())]

    def all_nodes(self) -> list[Node]:
        """The nodes of this record and of all in it."""
        return [node for record in self.flat() for node in record.nodes]


def by_record(nodes: Iterable[Node]) -> Record:
    """Nodes by the records of their names, as deep as it helps to read them."""
    return _divided([(node, tuple(node.name.split("."))) for node in nodes], 0)


def _divided(named: list[tuple[Node, tuple[str, ...]]], depth: int) -> Record:
    groups: dict[str, list[tuple[Node, tuple[str, ...]]]] = {}
    if depth == 0 or len(named) > _LARGE:
        for node, words in named:
            if len(words) > depth:
                groups.setdefault(words[depth], []).append((node, words))
    groups = {word: group for word, group in groups.items() if len(group) >= _LEAST}
    inner = {node for group in groups.values() for node, _ in group}
    own = tuple(node for node, _ in named if node not in inner)
    parts = tuple(_divided(group, depth + 1) for group in groups.values())
    if depth and not own and len(parts) == 1:
        return parts[0]
    return Record(".".join(named[0][1][:depth]) if named else "", own, parts)


def without_detours(record: Record, users: Mapping[Node, Collection[Node]]) -> Record:
    """The record with the nodes of inner ones as its own where a path along `users` leaves those and comes back.

    Boxes around what remains can be drawn so that all edges between them lead in one direction.
    """
    nodes, parts = list(record.nodes), []
    for part in record.parts:
        inner = without_detours(part, users)
        if _has_detour(set(inner.all_nodes()), users):
            nodes += inner.nodes
            parts += inner.parts
        else:
            parts.append(inner)
    return Record(record.path, tuple(nodes), tuple(parts))


def _has_detour(nodes: set[Node], users: Mapping[Node, Collection[Node]]) -> bool:
    """Whether a path leaves the nodes and comes back."""
    work = [user for node in nodes for user in users.get(node, ()) if user not in nodes]
    seen = set(work)
    while work:
        for user in users.get(work.pop(), ()):
            if user in nodes:
                return True
            if user not in seen:
                seen.add(user)
                work.append(user)
    return False
