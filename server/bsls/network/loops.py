"""Recurrent loops: nodes that need one another through delays, found and ordered as the reference does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise

from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.ops.delays import DELAYS


@dataclass(frozen=True, slots=True)
class Loop:
    """A recurrent loop: the node at which the search met it first, and its nodes in the order of their evaluation.

    That is the order within one frame: a delay gives what another frame left, so it needs none of the nodes before it.
    """

    entry: Node
    nodes: tuple[Node, ...]

    @property
    def name(self) -> str:
        """What the reference calls it in its log."""
        return f"Loop_{self.entry.name}"

    @property
    def looks_both_ways(self) -> bool:
        """Whether it has delays of both kinds, so that no frame can be computed first."""
        return len({node.op == "FutureValue" for node in self.nodes if node.op in DELAYS}) == 2


def recurrent_loops(network: Network, roots: Iterable[Node] | None = None) -> list[Loop]:
    """The loops below `roots` (default: all roots of the network), in the order in which the reference numbers them: inner
    ones first.

    A delay of itself is none. Nodes that need one another without a delay count as well; see `loop_without_delay`.
    """
    return [
        Loop(nodes[-1], _in_order(nodes)) for nodes in _strong_components(network.roots() if roots is None else roots)
    ]


def evaluation_order_with_loops(
    network: Network, loops: Iterable[Loop], roots: Iterable[Node] | None = None
) -> list[Node]:
    """The evaluation order below `roots` (default: all) in which the nodes of a loop stand together: where its last one
    stands in the plain order."""
    order = network.evaluation_order(roots)
    loop_of = {node: loop for loop in loops for node in loop.nodes}
    last = {loop_of[node].entry: node for node in order if node in loop_of}
    together: list[Node] = []
    for node in order:
        if (loop := loop_of.get(node)) is None:
            together.append(node)
        elif last[loop.entry] is node:
            together += loop.nodes
    return together


def loop_without_delay(network: Network) -> list[Node]:
    """Nodes that need one another, each used by the next one, with no delay among them; empty where there are none."""
    for members in _circles(network):
        if circle := _cycle({n: _inputs_among(members, n) for n in members if n.op not in DELAYS}):
            return circle[1:]
    return []


def loop_edges(network: Network) -> set[tuple[Node, Node]]:
    """The edges, as (input, user), that close recurrent loops: without them the network has no cycle.

    They lead into a delay wherever the loop has one, as it must have to be computed.
    """
    closing: set[tuple[Node, Node]] = set()
    for members in _circles(network):
        inputs = {node: _inputs_among(members, node) for node in members}
        while circle := _cycle(inputs):
            edges = list(pairwise(circle))
            edge = next((e for e in edges if e[1].op in DELAYS), edges[-1])
            closing.add(edge)
            del inputs[edge[1]][edge[0]]
    return closing


def _circles(network: Network) -> list[dict[Node, None]]:
    """All sets of nodes that need one another, those that nothing else uses and nodes that need themselves included."""
    alone = [[node] for node in network if node in node.inputs]
    return [dict.fromkeys(reversed(c)) for c in chain(_strong_components([*network.roots(), *network]), alone)]


def _inputs_among(members: dict[Node, None], node: Node) -> dict[Node, None]:
    return {i: None for i in node.inputs if i in members}


def _cycle(inputs: dict[Node, dict[Node, None]]) -> list[Node]:
    """Nodes of a cycle, each an input of the next one, the first one again at the end; empty where there is none."""
    try:
        TopologicalSorter(inputs).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def _strong_components(starts: Iterable[Node]) -> list[list[Node]]:
    """Sets of two or more nodes that are reached from each other, the node met first at the end of each.

    Tarjan's algorithm, without recursion: networks are deep.
    """
    found: list[list[Node]] = []
    index: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    open_nodes: dict[Node, None] = {}  # met, and their component is not known yet; in the order of meeting
    for start in starts:
        stack = [(start, iter(()))] if start not in index else []
        while stack:
            node, inputs = stack.pop()
            if node not in index:
                index[node] = lowest[node] = len(index)
                open_nodes[node] = None
                inputs = iter(node.inputs)
            for source in inputs:
                if source not in index:
                    stack += [(node, inputs), (source, iter(()))]
                    break
                if source in open_nodes:
                    lowest[node] = min(lowest[node], index[source])
            else:
                if stack:
                    user = stack[-1][0]
                    lowest[user] = min(lowest[user], lowest[node])
                if lowest[node] == index[node]:
                    component = [open_nodes.popitem()[0]]
                    while component[-1] is not node:
                        component.append(open_nodes.popitem()[0])
                    if len(component) > 1:
                        found.append(component)
    return found


def _in_order(component: list[Node]) -> tuple[Node, ...]:
    """Inputs before their users, where a delay has no inputs; begun at the nodes that only delays use, if there are any."""
    members = set(component)
    used = {i for node in component if node.op not in DELAYS for i in node.inputs}
    order: dict[Node, None] = {}
    for start in sorted(component, key=used.__contains__):
        if start in order:
            continue
        stack, met = [(start, 0)], {start}
        while stack:
            node, i = stack.pop()
            if node.op in DELAYS or i == len(node.inputs):
                order[node] = None
                continue
            stack.append((node, i + 1))
            source = node.inputs[i]
            if source in members and source not in order and source not in met:
                met.add(source)
                stack.append((source, 0))
    return tuple(order)
