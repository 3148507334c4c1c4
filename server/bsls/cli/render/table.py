"""What `bsls graph --format table` prints: the nodes of networks by record, in the order of the data, and totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from bsls.cli.render.totals import counted, plain, totals
from bsls.network.loops import evaluation_order_with_loops, recurrent_loops
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.records import Record, by_record
from bsls.network.size import values_of

_HEADINGS = ("name", "shape", "values", "operation (inputs)")
_GAP = "  "


def as_table(networks: Sequence[tuple[str, Network]], width: int | None = None) -> str:
    """A table for each network under its heading.

    A record has a line of its own; names that begin with a dot belong to it. A node takes one line; where that would not
    fit into `width` columns, operation and inputs stand below. Without `width` lines may have any length.
    """
    return "\n".join(line for heading, network in networks for line in _table(heading, network, width))


def _table(heading: str, network: Network, width: int | None) -> Iterator[str]:
    yield f"{plain(heading)}: {counted(len(network), 'node')}, {network.precision}"
    yield ""
    order = _parameters_at_their_users([*evaluation_order_with_loops(network, recurrent_loops(network)), *network])
    places = {node: i for i, node in enumerate(order)}
    records = sorted((r for r in by_record(order).flat() if r.nodes), key=lambda r: places[r.nodes[0]])
    rows = [_HEADINGS, *(row for record in records for row in _rows(record))]
    names, shapes, values = (max(len(row[i]) for row in rows) for i in range(3))
    if width is not None:
        names = max(min(names, width - shapes - values - 2 * len(_GAP)), 1)
    for name, shape, value, operation in rows:
        start = name
        if len(name) > names and shape:
            yield name
            start = ""
        line = _GAP.join([start.ljust(names), shape.ljust(shapes), value.rjust(values)])
        if width is None or len(line) + len(_GAP) + len(operation) <= width:
            yield _GAP.join([line, operation]).rstrip()
        else:
            yield line.rstrip()
            yield from _wrapped(" " * 6 + operation, width, 8)
    yield ""
    for line in totals(network):
        yield from _wrapped(line, width, 18)
    yield ""


def _parameters_at_their_users(nodes: Sequence[Node]) -> list[Node]:
    """Nodes in their order, each once, but parameters right before the first node that uses them: data flow orders records."""
    order: dict[Node, None] = {}
    for node in nodes:
        if not node.is_parameter:
            order.update(dict.fromkeys(i for i in node.inputs if i.is_parameter))
            order[node] = None
    return list(dict.fromkeys([*order, *nodes]))


def _wrapped(line: str, width: int | None, indent: int) -> list[str]:
    """A line, broken where it is wider than `width`; names stay whole."""
    if width is None or len(line) <= width:
        return [line]
    return wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _rows(record: Record) -> Iterator[tuple[str, str, str, str]]:
    indent = ""
    if record.path:
        yield plain(record.path), "", "", ""
        indent = "  "
    for node in record.nodes:
        value = f"{values_of(node):,}" if node.is_parameter else ""
        yield indent + plain(record.short(node.name)), str(node.shape or "?"), value, _operation(record, node)


def _operation(record: Record, node: Node) -> str:
    if node.is_parameter and not node.is_learnable:
        return f"{node.op}, constant"
    inputs = ", ".join(plain(record.short(i.name)) for i in node.inputs)
    return f"{node.op} ({inputs})" if inputs else node.op
