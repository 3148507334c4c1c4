"""What `bsls model show` prints: a network as a table, or as JSON with stable keys."""

from __future__ import annotations

from typing import Any

from bsls.cli.render.json import place
from bsls.cli.render.totals import counted, plain, totals
from bsls.network.naming import access_names
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.network.size import dims_of, values_of
from bsls.network.validation import validate
from bsls.shape import Dims

_COLUMNS = ("name", "in BrainScript", "operation", "shape", "values", "learnable", "inputs")
_NUMBERS = _COLUMNS.index("values")


def as_text(network: Network, path: str, kind: str, *, weights: bool = True) -> str:
    """A table of the nodes of `network`, read from `path`, a file of `kind` (for the title), its groups and its totals.

    Without `weights`, as in a log, what depends on precision and learning rates is not known.

    The second column is what reaches a node of a loaded model `net`: `net.L4_y`; it is empty where nothing does. Nodes
    that have no shapes yet are validated; a shape that stays unknown is a question mark.
    """
    _validate(network)
    access = access_names(network)
    rows = [_COLUMNS, *(_row(node, access.get(node.name, ""), weights) for node in network.by_name())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS) - 1)]
    precision = f", {network.precision}" if weights else ""
    lines = [f"{path}: {kind}, {counted(len(network), 'node')}{precision}", ""]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        cells[_NUMBERS] = row[_NUMBERS].rjust(widths[_NUMBERS])
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    lines.append("")
    lines += totals(network, weights)
    return "\n".join(lines) + "\n"


def _row(node: Node, access: str, weights: bool) -> tuple[str, ...]:
    values = learnable = ""
    if node.is_parameter:
        values = f"{values_of(node):,}"
        learnable = "" if not weights else "yes" if node.is_learnable else "no"
    inputs = ", ".join(plain(i.name) for i in node.inputs)
    return plain(node.name), access, node.op, shape_text(node) or "?", values, learnable, inputs


def as_json(network: Network) -> dict[str, Any]:
    """The same as `bsls graph --format json` gives for a network: `nodes` by name and `roots` by group.

    `shape` and `dims` are null where they are not known; `access` is null where no BrainScript name reaches the node.
    """
    _validate(network)
    access = access_names(network)
    return {
        "nodes": [
            {
                "name": node.name,
                "access": access.get(node.name),
                "op": node.op,
                "inputs": [i.name for i in node.inputs],
                "shape": shape_text(node),
                "dims": _listed(dims_of(node)),
                "parameter": node.is_parameter,
                "learnable": node.is_learnable,
                "origin": place(node.origin) if node.origin is not None else None,
            }
            for node in network.by_name()
        ],
        "roots": {group: [n.name for n in network.groups[group]] for group in GROUPS},
    }


def _validate(network: Network) -> None:
    if any(node.shape is None for node in network):
        validate(network)


def shape_text(node: Node) -> str | None:
    if node.shape:
        return str(node.shape)
    dims = dims_of(node)
    if dims is None:
        return None
    return f"[{' x '.join([*map(str, dims), *(['*'] if node.is_input else [])])}]"


def _listed(dims: Dims | None) -> list[int] | None:
    return None if dims is None else list(dims)
