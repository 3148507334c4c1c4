"""Questions about a network, each a small pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

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


def own_parameters(network: Network) -> dict[Node, list[Node]]:
    """By node: the parameters that it alone uses, and once; a drawing may show them with it."""
    uses = Counter(source for node in network for source in node.inputs)
    return {node: [i for i in node.inputs if i.is_parameter and uses[i] == 1] for node in network}


def roots_among(nodes: Iterable[Node]) -> list[Node]:
    """The nodes of a set that no other node of the set uses, in its order; a recurrent loop at its end has none."""
    members = list(dict.fromkeys(nodes))
    used = {source for node in members for source in node.inputs if source is not node}
    return [node for node in members if node not in used]


def dead_nodes(network: Network) -> list[Node]:
    """The nodes on which no criterion, evaluation or output node depends, in the order of the network.

    A dynamic axis is of use where an input that is names it.
    """
    marked = [n for group in ("criterion", "evaluation", "output") for n in network.groups[group]]
    live = set(network.evaluation_order(marked))
    axes = {str(node.attributes.get("dynamicAxis", "")).lower() for node in live if node.is_input}
    return [n for n in network if n not in live and not (n.op == "DynamicAxis" and n.name.lower() in axes)]


def learnable_parameters(network: Network, criterion: Node) -> list[Node]:
    """The parameters below the criterion that training changes, by name, capitals before small letters."""
    return sorted((n for n in network.evaluation_order([criterion]) if n.is_learnable), key=lambda n: n.name)


def nodes_with_gradient(order: Sequence[Node]) -> list[Node]:
    """Nodes of an evaluation order through which a gradient flows: learnable parameters and what depends on them."""
    found = {node for node in order if node.is_learnable}
    grown = True
    while grown:  # once more for each delay on the way around a loop
        before = len(found)
        found.update(n for n in order if n.op != "StopGradient" and any(i in found for i in n.inputs))
        grown = len(found) > before
    return [node for node in order if node in found]
