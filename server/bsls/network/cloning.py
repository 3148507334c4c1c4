"""Copying a part of a network as a function of its inputs: what `BS.Network.CloneFunction` does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.source import Span

MODES = ("learnable", "constant", "shared")


def ancestors(outputs: Sequence[Node]) -> list[Node]:
    """All nodes that the outputs depend on, themselves included, inputs before their users."""
    order: list[Node] = []
    seen: set[int] = set()
    for output in outputs:
        stack = [(output, 0)] if id(output) not in seen else []
        seen.add(id(output))
        while stack:
            node, i = stack.pop()
            if i < len(node.inputs):
                stack.append((node, i + 1))
                if id(node.inputs[i]) not in seen:
                    seen.add(id(node.inputs[i]))
                    stack.append((node.inputs[i], 0))
            else:
                order.append(node)
    return order


@dataclass(slots=True)
class Template:
    """The part of a network from some input nodes to output nodes; calling it makes a copy.

    Copied is what depends on the inputs and, unless the mode is `shared`, every parameter that the outputs use.
    """

    inputs: list[Node]
    outputs: dict[str, Node]
    mode: str
    copied: list[Node]

    @classmethod
    def cut(cls, inputs: list[Node], outputs: dict[str, Node], mode: str, span: Span | None = None) -> Template:
        """Finds what must be copied; raises if an output does not depend on a named input or the mode is unknown."""
        if mode not in MODES:
            raise BsError(
                "clone",
                f"parameters = '{mode}' is not a way to treat parameters",
                span,
                help="use 'learnable', 'constant' or 'shared'",
            )
        if not outputs:
            raise BsError("clone", "CloneFunction needs at least one output node", span)
        below = ancestors(list(outputs.values()))
        known = {id(n) for n in below}
        for node in inputs:
            if id(node) not in known:
                names = ", ".join(n.name for n in outputs.values())
                raise BsError(
                    "clone", f"no specified output ({names}) depends on the input '{node.name}' ({node.op})", span,
                    help=f"remove '{node.name}' from the inputs, or add an output that uses it",
                )  # fmt: skip
        depends = {id(n) for n in inputs}
        grown = True
        while grown:  # repeated because of loops
            grown = False
            for node in below:
                if id(node) in depends:
                    continue
                frozen_kind = node.is_parameter or node.op == "BatchNormalization"
                if (mode != "shared" and frozen_kind) or any(id(i) in depends for i in node.inputs):
                    depends.add(id(node))
                    grown = True
        named = {id(n) for n in inputs}
        return cls(inputs, outputs, mode, [n for n in below if id(n) in depends and id(n) not in named])

    def copy(
        self, arguments: Sequence[Node], path: str, origin: Span | None = None, calls: tuple[Span, ...] = ()
    ) -> dict[str, Node]:
        """A copy with `arguments` in the place of the inputs; nodes are named `path`.old name. Returns the outputs."""
        made: dict[int, Node] = {id(n): a for n, a in zip(self.inputs, arguments, strict=True)}
        for node in self.copied:
            name = f"{path}.{node.name}" if path else node.name
            twin = node.copy(name=name, origin=origin or node.origin, calls=calls)
            if self.mode == "constant":
                freeze(twin)
            made[id(node)] = twin
        for node in self.copied:
            twin = made[id(node)]
            twin.inputs = [made.get(id(i), i) for i in twin.inputs]
        return {name: made.get(id(node), node) for name, node in self.outputs.items()}


def freeze(node: Node) -> None:
    """Makes a parameter constant; a batch normalization stops updating its statistics and uses them only."""
    if node.is_parameter:
        node.attributes["learningRateMultiplier"] = 0.0
    elif node.op == "BatchNormalization":
        node.attributes["normalizationTimeConstant"] = math.inf
        node.attributes["blendTimeConstant"] = math.inf


def duplicate(network: Network, names: Sequence[str] = ()) -> Network:
    """A copy of a whole network with nodes of its own; weights are shared. `names`, if any, are those of the copies."""
    copy = Network(network.precision)
    made = {id(node): node.copy() for node in network}
    for twin, name in zip(made.values(), names, strict=False):
        twin.name = name
    for node in network:
        twin = made[id(node)]
        twin.inputs = [made[id(i)] for i in node.inputs]
        copy.add(twin)
    for group, nodes in network.groups.items():
        for node in nodes:
            copy.tag(made[id(node)], group)
    return copy
