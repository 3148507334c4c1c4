"""What `bsls graph --format dot` prints: networks as text for Graphviz, one cluster each."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.network.loops import loop_edges
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import node_kinds

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
    """A graph of networks, each a cluster with its heading; a node is `NUMBER/NAME`, networks counted from 1."""
    lines = [
        "digraph {",
        '  node [shape=box, style=filled, fillcolor=white, fontname="sans-serif", fontsize=11]',
        '  graph [fontname="sans-serif", labeljust=l]',
    ]
    for number, (heading, network) in enumerate(networks, 1):
        kinds, loops = node_kinds(network), loop_edges(network)
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(heading)}"]
        for node in network:
            style = f", {_STYLES[kinds[node]]}" if _STYLES[kinds[node]] else ""
            lines.append(f"    {_id(number, node)} [label={_label(node)}, tooltip={_quoted(node.prototype)}{style}]")
        for node in network:
            for start in node.inputs:
                loop = " [style=dashed, constraint=false]" if (start, node) in loops else ""
                lines.append(f"    {_id(number, start)} -> {_id(number, node)}{loop}")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _id(number: int, node: Node) -> str:
    return _quoted(f"{number}/{node.name}")


def _label(node: Node) -> str:
    # "\n" is Graphviz's own escape for a new line
    return f'"{_escaped(node.name)}\\n{_escaped(node.op)} {node.shape or "[?]"}"'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Text for within quotes; what cannot be printed comes as Python writes it."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
