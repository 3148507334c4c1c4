"""A network in which the gradient at each leaf can be written: what `write` with `nodeUnitTest` works on."""

from __future__ import annotations

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import learnable_parameters


def leaves_with_gradient(network: Network, root: Node) -> list[Node]:
    """The inputs below `root`, then the parameters below it that training changes."""
    inputs = [n for n in network.evaluation_order([root]) if n.is_input]
    return [*inputs, *learnable_parameters(network, root)]


def gradient_name(leaf: Node) -> str:
    """What the gradient at a leaf is called."""
    return f"{leaf.name}.grad"


def expose_gradients(network: Network, root: Node) -> None:
    """Puts a node, called as its gradient, between each leaf below `root` and what uses that leaf.

    Raises BsError without a place where the network has a node of this name.
    """
    users = list(network)
    for leaf in leaves_with_gradient(network, root):
        name = gradient_name(leaf)
        if name in network:
            raise BsError(
                "duplicate-name", f"a node '{name}' is there already, as the gradient at '{leaf.name}' is called",
                help="rename that node",
            )  # fmt: skip
        between = Node("Pass", name, [leaf], precision=leaf.precision, origin=leaf.origin, calls=leaf.calls)
        for user in users:
            user.inputs = [between if i is leaf else i for i in user.inputs]
        network.add(between)
