"""Nodes of a network as completions, wherever their names are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bsls.features.completion_item import MAX_DOCUMENTED, Completion
from bsls.features.describe import node_detail, node_text, paragraphs
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.source import Span

_ROOTS = ("criterion", "evaluation", "output")


def node_items(network: Network, replace: Span, written: Mapping[str, str] | None = None) -> Iterator[Completion]:
    """All nodes: those that a command may be about first (criteria, evaluation and output nodes), parameters last.

    `written` has what is written for each name as a member of the network; nodes that it lacks are left out, and those
    at its end do not come first.
    """
    roots = {node for group in _ROOTS for node in network.groups[group]} if written is None else set[Node]()
    for node in network:
        name = node.name if written is None else written.get(node.name)
        if name is None:
            continue
        doc = ""
        if len(network) <= MAX_DOCUMENTED:
            doc = paragraphs(f"node `{node.name}`" if name != node.name else "", node_text(node, network))
        sort = f"{_rank(node, roots)}{name.lower()}"
        yield Completion(name, "node", name, replace, node_detail(node), doc, sort=sort)


def _rank(node: Node, roots: set[Node]) -> int:
    return 0 if node in roots else 2 if node.is_parameter else 1
