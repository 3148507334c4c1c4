"""From root nodes to a network: which nodes belong to it, under which names, in which groups."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from bsls.finding import BsError, Related
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node

OLD_TAGS = {"criteria": "criterion", "eval": "evaluation"}


def build_network(roots: Iterable[Node], network: Network, attach: Callable[[Node], None] = lambda _: None) -> Network:
    """Adds the roots and all that they use, breadth first; `attach` completes the inputs of a delay when it is met.

    Of two nodes with one name (capitals do not count) the one met later gets `_` before its name as often as needed if
    the name is composed (has `.` or brackets); plain names must differ.
    """
    work = deque(roots)
    added: set[int] = set()
    prefixes: dict[str, str] = {}  # by name: the longest one that is taken
    while work:
        node = work.popleft()
        if id(node) in added:
            continue
        added.add(id(node))
        if (other := network.find(node.name)) is not None:
            if not any(c in node.name for c in ".[]"):
                raise _clash(node, other)
            name, prefix = node.name, prefixes.get(node.name.lower(), "") + "_"
            while prefix + name in network:
                prefix += "_"
            prefixes[name.lower()] = prefix
            node.name = prefix + name
        network.add(node)
        attach(node)
        for tag in node.tags:
            group = OLD_TAGS.get(tag, tag)
            if group in GROUPS:
                network.tag(node, group)
        work.extend(node.inputs)
    return network


def _clash(node: Node, other: Node) -> BsError:
    same_place = node.origin is not None and node.origin == other.origin
    constant = next((n for n in (node, other) if n.is_parameter and same_place), None)
    related = [Related(f"the other node: {other.op}", other.origin)] if other.origin is not None else []
    if constant is not None:
        maker = other if constant is node else node
        return BsError(
            "duplicate-name",
            f"the number in this expression becomes a node with the same name as its result, '{node.name}'",
            maker.origin, help="write Constant (number), for example `Constant (2) .* x`", related=related,
        )  # fmt: skip
    return BsError(
        "duplicate-name", f"two nodes are called '{node.name}' (capitals do not count): {other.op} '{other.name}' and {node.op} '{node.name}'",
        node.origin, help="give one of them another name", related=related,
    )  # fmt: skip
