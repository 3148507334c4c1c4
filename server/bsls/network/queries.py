"""Questions about a network, each a small pure function."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from bsls.network.network import Network
from bsls.network.node import Node

KINDS = ("input", "parameter", "constant", "criterion", "evaluation", "output", "other")
"""What a node can be for; a constant is a parameter that training does not change."""

DELAYS = frozenset(("PastValue", "FutureValue", "Delay"))


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


def loop_without_delay(network: Network) -> list[Node]:
    """Nodes that need one another, each used by the next one, with no delay among them; empty where there are none."""
    try:
        TopologicalSorter({n: dict.fromkeys(n.inputs) for n in network if n.op not in DELAYS}).prepare()
    except CycleError as error:
        return error.args[1][1:]
    return []


def loop_edges(network: Network) -> set[tuple[Node, Node]]:
    """The edges, as (input, user), that close recurrent loops: without them the network has no cycle.

    They lead into a delay wherever the loop has one, as it must have to be computed.
    """
    inputs = {node: dict.fromkeys(node.inputs) for node in network}
    closing: set[tuple[Node, Node]] = set()
    while True:
        try:
            TopologicalSorter(inputs).prepare()
            return closing
        except CycleError as error:
            edges = list(pairwise(error.args[1]))
            edge = next((e for e in edges if e[1].op in DELAYS), edges[-1])
        closing.add(edge)
        del inputs[edge[1]][edge[0]]
