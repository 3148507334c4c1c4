"""Nodes as the reference's own network builders make them: named one by one, seeds counted from 1."""

from __future__ import annotations

from bsls.evaluate.environment import Counters
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.ops import get
from bsls.source import Span


class Builder:
    """Adds nodes to a network. `uniform` and `scale` are the kind and size of random initial values."""

    def __init__(self, network: Network, counters: Counters, origin: Span, uniform: bool, scale: float) -> None:
        self.network = network
        self._counters = counters
        self._origin = origin
        self._init = "uniform" if uniform else "gaussian"
        self._scale = scale
        self._seed = 0

    def make(self, op: str, *operands: Node | tuple[object, ...], name: str = "", **attributes: object) -> Node:
        """A node; an operand may be one that is yet to be made, `("Times", w, x)`.

        Nodes without name get a number. The operands are made from the last to the first, as the reference's compiler
        has it, which shows in the numbers.
        """
        inputs = [o if isinstance(o, Node) else self.make(*o) for o in reversed(operands)]  # type: ignore[arg-type]
        entry = get(op)
        assert entry is not None
        values = {a.name: a.default for a in entry.attributes} | attributes
        name = name or self._counters.next_auto_name()
        node = Node(op, name, inputs[::-1], values, self.network.precision, origin=self._origin)
        if name in self.network:
            raise BsError(
                "duplicate-name", f"two nodes would be called '{name}'", self._origin, help="choose other settings"
            )
        self.network.add(node)
        return node

    def input(self, name: str, rows: int, sparse: bool = False, group: str = "") -> Node:
        node = self.make("SparseInputValue" if sparse else "InputValue", name=name, dims=(rows,))
        if group:
            self.mark(node, group)
        return node

    def random(self, name: str, rows: int, columns: int) -> Node:
        """A parameter with random initial values and the next seed."""
        self._seed += 1
        return self.make(
            "LearnableParameter", name=name, dims=(rows, columns), init=self._init, initValueScale=self._scale,
            randomSeed=self._seed,
        )  # fmt: skip

    def fixed(self, name: str, rows: int, columns: int, value: float) -> Node:
        """A parameter with one initial value for all elements."""
        return self.make("LearnableParameter", name=name, dims=(rows, columns), init="fixedValue", value=value)

    def past(self, rows: int, activity: float, step: int = 1, of: Node | None = None, name: str = "") -> Node:
        """A delay; its input may be given later."""
        node = self.make("PastValue", name=name, shape=(rows, 1), timeStep=step, defaultHiddenActivation=activity)
        if of is not None:
            node.inputs = [of]
        return node

    def mark(self, node: Node, group: str) -> None:
        if group not in node.tags:
            node.tags.append(group)
        self.network.tag(node, group)

    def rename(self, node: Node, name: str) -> None:
        self.network.rename(node, name)
