"""Nodes of a model by the names that a user gives for them."""

from __future__ import annotations

import click

from bsls.finding import BsError
from bsls.network.naming import find_by_access
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.resolve.names import similar


def named(network: Network, file: str, name: str) -> Node:
    """The node called `name`, as in the model or as BrainScript writes it (L4_W for L4.W)."""
    found = find_by_access(network, name)
    if found is None:
        meant = similar(name, [n.name for n in network.by_name()])
        help = f"did you mean '{meant}'?" if meant else f"`bsls model nodes {file}` lists what there is"
        raise BsError("model-node", f"'{file}' has no node '{name}'", None, help=help)
    return found


def holder(network: Network, file: str, name: str) -> Node:
    """The same for a node that must have values."""
    holders = [n.name for n in network.by_name() if n.value is not None]
    found = find_by_access(network, name)
    if found is not None and found.value is not None:
        return found
    if found is None:
        what, meant = f"'{file}' has no node '{name}'", similar(name, holders)
    else:
        what, meant = f"'{found.name}' has no values: its operation is {found.op}", None
    help = f"did you mean '{meant}'?" if meant else f"those with values: {', '.join(holders[:8])}"
    raise BsError("model-node", what, None, help=help)


def pair(text: str, form: str = "OLD=NEW") -> tuple[str, str]:
    """The two names in OLD=NEW, or what `form` calls them."""
    old, mark, new = text.partition("=")
    if not (mark and old and new):
        raise click.UsageError(f"'{text}' is not of the form {form}")
    return old, new
