"""What `bsls model diff` prints: how two networks differ, as text or as JSON with stable keys."""

from __future__ import annotations

from typing import Any

from bsls.cli.render.model import shape_text
from bsls.cli.render.totals import plain
from bsls.network.difference import Change, Difference
from bsls.network.node import Node


def as_text(found: Difference, left_out: str = "") -> str:
    """A line for each node: `-` removed, `+` added, `=` renamed, `~` changed (and then what); groups and totals.

    `left_out` names what was not compared.
    """
    lines = [f"- {plain(node.prototype)}" for node in found.removed]
    lines += [f"+ {plain(node.prototype)}" for node in found.added]
    lines += [f"= {plain(old.name)} -> {plain(new.name)}" for old, new in found.renamed]
    for node in found.changed:
        lines.append(f"~ {plain(node.after.name)}")
        lines += [f"    {_change(change)}" for change in node.changes]
    lines += [f"~ {group} nodes: {_names(old)} -> {_names(new)}" for group, (old, new) in found.groups.items()]
    counts = {"removed": found.removed, "added": found.added, "renamed": found.renamed, "changed": found.changed}
    words = [f"{len(nodes)} {word}" for word, nodes in counts.items() if nodes] or ["the same nodes"]
    if found and not any(counts.values()):
        words.append("other groups")
    closing = f" ({left_out} are not compared)" if left_out else ""
    return "\n".join([*lines, f"{', '.join(words)}{closing}"]) + "\n"


def as_json(found: Difference) -> dict[str, Any]:
    """`added` and `removed` nodes, `renamed` ones, `changed` ones with what changed, and the `roots` that changed."""
    return {
        "equal": not found,
        "added": [_node(node) for node in found.added],
        "removed": [_node(node) for node in found.removed],
        "renamed": [{"before": old.name, "after": new.name} for old, new in found.renamed],
        "changed": [
            {
                "name": node.after.name,
                "changes": [{"what": c.what, "before": c.before, "after": c.after} for c in node.changes],
            }
            for node in found.changed
        ],
        "roots": {
            group: {"before": [n.name for n in old], "after": [n.name for n in new]}
            for group, (old, new) in found.groups.items()
        },
    }


def _node(node: Node) -> dict[str, Any]:
    return {"name": node.name, "op": node.op, "inputs": [i.name for i in node.inputs], "shape": shape_text(node)}


def _names(nodes: list[Node]) -> str:
    return ", ".join(plain(node.name) for node in nodes) or "none"


def _change(change: Change) -> str:
    if change.what == "values":
        return f"values: {change.after}"
    return f"{change.what}: {plain(change.before) or 'none'} -> {plain(change.after) or 'none'}"
