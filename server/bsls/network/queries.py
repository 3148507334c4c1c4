"""Questions about a network, each a small pure function."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.network.network import Network
from bsls.network.node import Node


def reader_inputs(network: Network, roots: Sequence[Node]) -> list[Node]:
    """The inputs that a reader must fill to compute `roots`: what they use, and all features and labels, used or not."""
    tagged = [n for group in ("feature", "label") for n in network.groups[group] if n.is_input]
    needed = [n for n in network.evaluation_order(roots) if n.is_input]
    return list(dict.fromkeys([*tagged, *needed]))
