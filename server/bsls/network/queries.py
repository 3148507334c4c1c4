"""Questions about a network, each a small pure function."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.network.network import Network
from bsls.network.node import Node

KINDS = ("input", "parameter", "constant", "criterion", "evaluation", "output", "other")
"""What a node can be for; a constant is a parameter that training does not change."""


def reader_inputs(network: Network, roots: Sequence[Node]) -> list[Node]:
    """The inputs that a reader must fill to compute `roots`: what they use, and all features and labels, used or not."""
    tagged = [n for group in ("feature", "label") for n in network.groups[group] if n.is_input]
    needed = [n for n in network.evaluation_order(roots) if n.is_input]
    return list(dict.fromkeys([*tagged, *needed]))


def node_kinds(network: Network) -> dict[Node, str]:
    """What each node is for, one of `KINDS`; a node with several marks gets the first of them in that order."""
    marks = {node: kind for kind in ("output", "evaluation", "criterion") for node in network.groups[kind]}
    return {node: _leaf_kind(node) or marks.get(node, "other") for node in network}


def _leaf_kind(node: Node) -> str | None:
    if node.is_input:
        return "input"
    if node.is_parameter:
        return "parameter" if node.is_learnable else "constant"
    return None
