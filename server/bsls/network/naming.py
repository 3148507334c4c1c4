"""Which name reaches a node of a loaded network in BrainScript: `net.L4_y` for the node `L4.y`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bsls.network.network import Network
from bsls.network.node import Node

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset(("include", "new", "with", "true", "false", "if", "then", "else", "array"))


def find_by_access(network: Network, name: str, names: Sequence[str] = ()) -> Node | None:
    """The node that `net.<name>` means, as the reference looks it up.

    That is the node of that name, whatever its capitals; else the first one, by name, whose name with every `.`
    replaced by `_` equals `name`, capitals included. `names` are those that count, in the order of the network, where
    nodes have got other ones since they were added.
    """
    found = network.find(name)
    if found is not None:
        return found
    return next(iter(written_alike(network, name, names)), None)


def written_alike(network: Network, name: str, names: Sequence[str] = ()) -> list[Node]:
    """The nodes whose names are written `name` after `net.`, by name; only the first one can be reached so."""
    named = zip(names or [n.name for n in network], network, strict=False)
    alike = [(full.lower(), node) for full, node in named if full.replace(".", "_") == name]
    return [node for _, node in sorted(alike, key=lambda pair: pair[0])]


def access_name(network: Network, node: Node) -> str | None:
    """What to write after `net.` to reach `node`; None where nothing does.

    A name with brackets or other punctuation cannot be written, nor a keyword; and where two nodes have the same
    written name, it reaches only one of them.
    """
    name = _written(node)
    return name if name is not None and find_by_access(network, name) is node else None


def access_names(network: Network) -> dict[str, str]:
    """`access_name` of all nodes that have one, by node name: the same rule in one walk."""
    first: dict[str, Node] = {}
    for node in network.by_name():
        first.setdefault(node.name.replace(".", "_"), node)
    names: dict[str, str] = {}
    for node in network:
        name = _written(node)
        if name is not None and (network.find(name) or first[name]) is node:
            names[node.name] = name
    return names


def access_path(network: Network, node: Node) -> str | None:
    """The shortest that can be written after `net.` to reach `node`: its own name, or the way down from another node,
    as in `z.inputs[0].inputs[1]`. None where no node with a name of its own leads to it."""
    names = access_names(network)
    users: dict[Node, list[tuple[Node, int]]] = {}
    for user in network:
        for i, source in enumerate(user.inputs):
            users.setdefault(source, []).append((user, i))
    seen, open = {node}, [(node, "")]
    for target, way in open:  # grows while it is walked
        if target.name in names:
            return names[target.name] + way
        for user, i in users.get(target, ()):
            if user not in seen:
                seen.add(user)
                open.append((user, f".inputs[{i}]{way}"))
    return None


def is_written_for_brackets(written: str, node: Node) -> bool:
    """Whether `written` (`h_1_` or `h_1`) was probably meant for a node with brackets in its name (`h[1]`)."""
    plain = node.name.replace(".", "_").replace("[", "_").replace("]", "_").lower()
    return "[" in node.name and written.lower() in (plain, plain.removesuffix("_"))


def _written(node: Node) -> str | None:
    name = node.name.replace(".", "_")
    return name if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS else None
