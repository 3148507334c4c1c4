"""What is to say about a network as a whole: its groups of nodes, loops, parameters, memory."""

from __future__ import annotations

from bsls.network.loops import recurrent_loops
from bsls.network.network import Network
from bsls.network.node import GROUPS
from bsls.network.queries import dead_nodes
from bsls.network.size import count, memory
from bsls.schema import ops

_MOST = 12  # names in a list that could be long


def totals(network: Network, weights: bool = True) -> list[str]:
    """A line for each group that has nodes, and for what else there is; the network must have been validated.

    Without `weights` nothing is said of parameters and memory.
    """
    lists = {f"{group} nodes": [n.name for n in network.groups[group]] for group in GROUPS}
    lists["loops"] = [f"{loop.entry.name} ({len(loop.nodes)} nodes)" for loop in recurrent_loops(network)]
    if any(network.groups[group] for group in ("criterion", "evaluation", "output")):
        lists["unused nodes"] = [n.name for n in dead_nodes(network)]
    lists["not supported"] = [f"{n.name} ({n.op})" for n in network.by_name() if ops.get(n.op) is None]
    lines = [f"{title + ':':18}{_listed(names)}" for title, names in lists.items() if names]
    if weights:
        lines += [f"{'parameters:':18}{_parameters(network)}", f"{'memory:':18}{_memory(network)}"]
    return lines


def counted(number: int, thing: str) -> str:
    """`1 node`, `2,000 nodes`."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


def plain(name: str) -> str:
    """A name for a terminal: a damaged file must not send control characters to it."""
    return name if name.isprintable() else ascii(name)[1:-1]


def _listed(names: list[str]) -> str:
    shown = ", ".join(plain(name) for name in names[:_MOST])
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST:,} more"


def _parameters(network: Network) -> str:
    learnable = count(n for n in network.parameters if n.is_learnable)
    constant = count(n for n in network.parameters if not n.is_learnable)
    kinds = {"learnable": learnable, "constant": constant}
    words = [
        f"{counted(c.tensors, kind + ' tensor')} with {counted(c.values, 'value')}"
        for kind, c in kinds.items()
        if c.tensors
    ]
    return ", ".join(words) or "none"


def _memory(network: Network) -> str:
    need = memory(network)
    training, sample = need.training
    text = f"{size_text(need.parameters)} of parameters, {size_text(need.values)} of values per sample"
    return text if need.gradients == 0 else f"{text}; with gradients {size_text(training)} and {size_text(sample)}"


def size_text(number: int) -> str:
    """`2.42 GB`: bytes with three digits."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} B"
