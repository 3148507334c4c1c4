"""Putting nodes in the place of others without changing the network that they are in: what `BS.Network.Edit` does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from bsls.network.node import Node


def relink(
    network: Iterable[Node],
    replacements: Mapping[Node, Node],
    added: Iterable[Node] = (),
    attach: Callable[[Node], None] = lambda _: None,
) -> list[Node]:
    """The roots of a network in which `replacements` stand in the place of nodes of `network`, and the nodes `added`.

    What depends on a replaced node is copied under its old name; all else is shared. A replacement that is replaced, too,
    counts as what stands for it, but of two nodes that replace each other each takes the other's place. Replacements and
    added nodes may use any node: they get what stands for it, but a replacement that uses the node it replaces is put
    between that node and its users. `attach` completes the inputs of a new delay.
    """
    old = list(network)
    return _Relinking(old, replacements, attach).roots(old, list(added))


class _Relinking:
    def __init__(self, old: list[Node], replacements: Mapping[Node, Node], attach: Callable[[Node], None]) -> None:
        self.old = set(old)
        self.replacements = replacements
        self.attach = attach
        self.users: dict[Node, list[Node]] = {}
        for node in old:
            for operand in node.inputs:
                self.users.setdefault(operand, []).append(node)
        self.touched = set(replacements)
        work = deque(replacements)
        while work:
            for user in self.users.get(work.popleft(), ()):
                if user not in self.touched:
                    self.touched.add(user)
                    work.append(user)
        self.copies: dict[Node, Node] = {}
        self.fresh: list[Node] = []  # copies whose inputs are still those of the old network

    def roots(self, old: list[Node], added: list[Node]) -> list[Node]:
        """The nodes that nothing in the old network used, and those added, as they are now."""
        seen: set[Node] = set()
        for replaced, replacement in self.replacements.items():
            self._relink_new(replacement, replaced, seen)
        for node in added:
            self._relink_new(node, None, seen)
        found = [self._now(node) for node in (*(n for n in old if n not in self.users), *added)]
        while self.fresh:
            node = self.fresh.pop()
            node.inputs = [self._now(operand) for operand in node.inputs]
        return found

    def _relink_new(self, root: Node, replaced: Node | None, seen: set[Node]) -> None:
        """Gives the new nodes at and below `root`, which stands for `replaced`, the inputs as they are now."""
        work = [root]
        while work:
            node = work.pop()
            if node in self.old or node in seen:
                continue
            seen.add(node)
            self.attach(node)
            work += node.inputs
            if replaced in node.inputs and root.name == replaced.name:
                root.name = f"_{root.name}"  # both stay, and the old one keeps its name
            node.inputs = [self._kept(i) if i is replaced else self._now(i) for i in node.inputs]

    def _now(self, node: Node) -> Node:
        """What stands for a node."""
        seen = {node}
        while (further := self.replacements.get(node)) is not None and further not in seen:
            seen.add(further)
            node = further
        return self._kept(node)

    def _kept(self, node: Node) -> Node:
        """The node itself, or a copy where something below it was replaced."""
        if node not in self.old or not any(operand in self.touched for operand in node.inputs):
            return node
        if node not in self.copies:
            self.copies[node] = node.copy()
            self.fresh.append(self.copies[node])
        return self.copies[node]
