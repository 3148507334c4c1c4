"""What `bsls graph --format dot` prints: networks as text for Graphviz, one cluster each, with clusters for records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bsls.network.loops import loop_edges
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import node_kinds, own_parameters
from bsls.network.records import Record, by_record, without_detours

_STYLES = {
    "input": 'fillcolor="#ddf4ff", color="#0969da"',
    "parameter": 'fillcolor="#dafbe1", color="#1a7f37", style="filled,rounded"',
    "constant": 'fillcolor="#f6f8fa", color="#6e7781", style="filled,rounded,dashed"',
    "criterion": 'fillcolor="#ffebe9", color="#cf222e", penwidth=2',
    "evaluation": 'fillcolor="#fff1e5", color="#bc4c00", penwidth=2',
    "output": 'fillcolor="#fbefff", color="#8250df", penwidth=2',
    "other": "",
}


def as_dot(networks: Sequence[tuple[str, Network]]) -> str:
    """A graph of networks, each a cluster with its heading; a node is `NUMBER/NAME`, networks counted from 1.

    A parameter that only one node uses is a line in the box of that. A name is written as it is seen from the record in
    whose cluster it stands: `.W` for `lstm.W` in `lstm`.
    """
    lines = [
        "digraph {",
        '  node [shape=box, style=filled, fillcolor=white, fontname="sans-serif", fontsize=11, height=0.3, margin="0.1,0.05"]',
        '  graph [fontname="sans-serif", labeljust=l, ranksep=0.3, nodesep=0.2, color="#d0d7de"]',
        '  edge [color="#57606a", arrowsize=0.7]',
    ]
    for number, (heading, network) in enumerate(networks, 1):
        lines += _Drawing(number, network).lines(heading)
    return "\n".join([*lines, "}"]) + "\n"


class _Drawing:
    """The part of the graph that shows one network."""

    def __init__(self, number: int, network: Network) -> None:
        self._number = number
        self._kinds, self._loops, self._own = node_kinds(network), loop_edges(network), own_parameters(network)
        folded = {parameter for parameters in self._own.values() for parameter in parameters}
        self._nodes = [node for node in network if node not in folded]

    def lines(self, heading: str) -> Iterator[str]:
        edges = [(start, node) for node in self._nodes for start in node.inputs if start not in self._own[node]]
        users: dict[Node, list[Node]] = {node: [] for node in self._nodes}
        for start, node in edges:
            if (start, node) not in self._loops:
                users[start].append(node)
        records = without_detours(by_record(self._nodes), users)  # else Graphviz draws edges upwards
        yield from self._cluster(str(self._number), heading, records, "  ")
        for edge in edges:
            loop = " [style=dashed, constraint=false]" if edge in self._loops else ""
            yield f"  {self._id(edge[0])} -> {self._id(edge[1])}{loop}"

    def _cluster(self, key: str, heading: str, record: Record, indent: str) -> Iterator[str]:
        """A record with those in it; `key` makes its name unique."""
        yield f"{indent}subgraph cluster_{key} {{"
        yield f"{indent}  label={_quoted(heading)}"
        for node in record.nodes:
            style = f", {_STYLES[self._kinds[node]]}" if _STYLES[self._kinds[node]] else ""
            label = self._label(record, node)
            yield f"{indent}  {self._id(node)} [label={label}, tooltip={_quoted(node.prototype)}{style}]"
        for place, part in enumerate(record.parts, 1):
            yield from self._cluster(f"{key}_{place}", part.path, part, f"{indent}  ")
        yield f"{indent}}}"

    def _label(self, record: Record, node: Node) -> str:
        lines = [record.short(node.name), f"{node.op} {node.shape or '[?]'}"]
        lines += [f"{record.short(parameter.name)} {parameter.shape or '[?]'}" for parameter in self._own[node]]
        # "\n" is Graphviz's own escape for a new line
        return '"' + "\\n".join(_escaped(line) for line in lines) + '"'

    def _id(self, node: Node) -> str:
        return _quoted(f"{self._number}/{node.name}")


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Text for within quotes; what cannot be printed comes as Python writes it."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
