"""Changes to a network in place: what the model editing language does, as plain operations on the graph.

They raise BsError without a place; who calls them knows it.
"""

from __future__ import annotations

from collections.abc import Iterable

from bsls.finding import BsError
from bsls.network.cloning import ancestors, freeze
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.ops import get as get_op


def matching(network: Network, pattern: str) -> list[Node]:
    """The nodes that a name means, which may have one `*`; by name.

    Capitals do not matter in a whole name, but in the parts around a `*`.
    """
    head, star, tail = pattern.partition("*")
    if not star:
        node = network.find(pattern)
        return [] if node is None else [node]
    return [n for n in network.by_name() if n.name.startswith(head) and n.name.endswith(tail)]


def users(network: Network, node: Node) -> list[Node]:
    """The nodes of which `node` is an input, by name."""
    return [n for n in network.by_name() if any(i is node for i in n.inputs)]


def rename(network: Network, node: Node, name: str) -> None:
    """Gives a node a name that is free."""
    if (other := network.find(name)) is not None:
        raise BsError("duplicate-name", f"a node '{other.name}' is there already", help="rename or remove it first")
    network.rename(node, name)


def copy_nodes(pairs: Iterable[tuple[Node, str]], target: Network, links: bool) -> None:
    """Copies nodes into `target` under new names, or over nodes of these names there.

    Without `links` the copies have the values and settings only: a new node then has no inputs, one that was there
    keeps its own. With them each input must be among what is copied.
    """
    made: dict[int, Node] = {}
    copied = list(pairs)
    for node, name in copied:
        made[id(node)] = _copy(node, name, target)
    if not links:
        return
    for node, _ in copied:
        for source in node.inputs:
            if id(source) not in made:
                raise BsError(
                    "model-edit", f"'{source.name}', an input of '{node.name}', is not among what is copied",
                    help="copy it as well, or use copy = value and set the inputs afterwards",
                )  # fmt: skip
    for node, _ in copied:
        made[id(node)].inputs = [made[id(i)] for i in node.inputs]


def _copy(node: Node, name: str, target: Network) -> Node:
    there = target.find(name)
    if there is node:
        raise BsError("model-edit", f"'{name}' would be copied over itself", help="give the copy another name")
    if there is None:
        there = Node(node.op, name, [], {}, node.precision, [], None, None, node.origin, node.calls)
        target.add(there)
    elif there.op != node.op:
        raise BsError(
            "model-edit", f"'{node.name}' ({node.op}) cannot be copied over '{there.name}', which is {there.op}",
            help="remove that node first, or choose another name",
        )  # fmt: skip
    there.attributes = dict(node.attributes)
    there.value = node.value
    there.tags += [t for t in node.tags if t not in there.tags]
    if node.shape is not None and node.is_parameter:
        there.attributes["dims"] = node.shape.dims
    return there


def copy_subtree(root: Node, target: Network, prefix: str, links: bool) -> None:
    """Copies a node and everything below it; the names get `prefix`. Without `links`, as in `copy_nodes`."""
    copy_nodes([(n, prefix + n.name) for n in ancestors([root])], target, links)


def copy_inputs(node: Node, target: Node) -> None:
    """Gives `target` the inputs of `node`."""
    if node.op != target.op:
        raise BsError("model-edit", f"'{target.name}' is {target.op}, but '{node.name}' is {node.op}")
    target.inputs = list(node.inputs)


def set_input(node: Node, index: int, source: Node) -> None:
    """Makes `source` the input number `index`, from 0, of a node."""
    if not 0 <= index <= len(node.inputs):
        raise BsError(
            "model-edit",
            f"'{node.name}' ({node.op}) has no input {index}",
            help=f"its inputs are 0 to {len(node.inputs) - 1}",
        )
    set_inputs(node, [*node.inputs[:index], source, *node.inputs[index + 1 :]])


def set_inputs(node: Node, sources: list[Node]) -> None:
    """Gives a node other inputs, as many as its operation takes."""
    op = get_op(node.op)
    least, most = op.arity if op is not None else (0, None)
    if len(sources) < least or (most is not None and len(sources) > most):
        raise BsError("model-edit", f"'{node.name}' ({node.op}) cannot have {len(sources)} inputs")
    node.inputs = sources


def remove(network: Network, node: Node) -> None:
    """Takes out a node that no other one uses."""
    using = users(network, node)
    if using:
        names = ", ".join(f"'{n.name}'" for n in using[:3]) + (", ..." if len(using) > 3 else "")
        raise BsError(
            "model-edit", f"'{node.name}' is still an input of {names}",
            help="remove that node before, or give it another input with SetInput",
        )  # fmt: skip
    network.remove(node)


def set_group(network: Network, node: Node, group: str, member: bool) -> None:
    """Puts a node into a group of special nodes, or takes it out."""
    if member:
        if group not in node.tags:
            node.tags.append(group)
        network.tag(node, group)
    elif node in network.groups[group]:
        network.groups[group].remove(node)
        node.tags = [t for t in node.tags if t != group]


def set_learning_rate(nodes: Iterable[Node], multiplier: float) -> None:
    """Sets the learning rate multiplier of parameters and inputs; other nodes have none."""
    for node in nodes:
        if node.is_parameter or node.is_input:
            node.attributes["learningRateMultiplier"] = multiplier


def freeze_parameters(node: Node) -> None:
    """Makes a parameter, or the statistics of a batch normalization, constant."""
    if not node.is_parameter and node.op != "BatchNormalization":
        raise BsError(
            "model-edit",
            f"'{node.name}' ({node.op}) has nothing to freeze",
            help="name a parameter or a BatchNormalization",
        )
    freeze(node)


def drop_unconnected(network: Network) -> None:
    """Takes out nodes that lack inputs, because they could not be found, and all that use them."""
    broken: set[int] = set()
    grown = True
    while grown:
        grown = False
        for node in network:
            if id(node) in broken:
                continue
            op = get_op(node.op)
            lacks = op is not None and len(node.inputs) < op.arity[0]
            if lacks or any(id(i) in broken for i in node.inputs):
                broken.add(id(node))
                grown = True
    for node in [n for n in network if id(n) in broken]:
        network.remove(node)
