"""A network of nodes: made from source text, from a model file, or by an edit of one; read by everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from bsls.network.node import GROUPS, Node
from bsls.schema.ops.normalization import STATISTICS


class AxisNames:
    """Names of dynamic axes, which count on over all networks of a run: `*`, `*1`, `*2`."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def unique(self, name: str) -> str:
        """`name`, with a number from its second use on."""
        number = self._used[name]
        self._used[name] += 1
        return f"{name}{number or ''}"


class Network:
    """Nodes by name (names ignore case) and the five groups of special nodes, in the order in which they were tagged.

    `axis_names` are those of the run that it belongs to; `axis_name` is that of the axis which its inputs share.
    """

    def __init__(self, precision: str = "float", axis_names: AxisNames | None = None) -> None:
        self.precision = precision
        self.axis_names = axis_names or AxisNames()
        self.axis_name = self.axis_names.unique("*")
        self.groups: dict[str, list[Node]] = {group: [] for group in GROUPS}
        self._nodes: dict[str, Node] = {}

    def enter(self, axis_names: AxisNames) -> None:
        """Makes a network that was read from a file a part of a run. Reading uses the names of its axes once."""
        self.axis_names = axis_names
        self.axis_name = axis_names.unique("*")
        for node in self:
            if node.op == "DynamicAxis":
                axis_names.unique(node.name)

    def __iter__(self) -> Iterator[Node]:
        """All nodes in the order in which they were added."""
        return iter(self._nodes.values())

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._nodes

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name.lower()]

    def find(self, name: str) -> Node | None:
        """The node called `name`, whatever its capitals."""
        return self._nodes.get(name.lower())

    def add(self, node: Node) -> None:
        """Adds a node whose name must be free."""
        if node.name.lower() in self._nodes:
            raise ValueError(f"a node named '{node.name}' is already there")
        self._nodes[node.name.lower()] = node

    def remove(self, node: Node) -> None:
        """Takes a node out, of the groups as well; the inputs of others are left as they are."""
        del self._nodes[node.name.lower()]
        for nodes in self.groups.values():
            if node in nodes:
                nodes.remove(node)

    def rename(self, node: Node, name: str) -> None:
        """Gives a node of the network another name, which must be free."""
        if name.lower() in self._nodes:
            raise ValueError(f"a node named '{name}' is already there")
        del self._nodes[node.name.lower()]
        node.name = name
        self._nodes[name.lower()] = node

    def tag(self, node: Node, group: str) -> None:
        """Puts `node` into a group, once."""
        if node not in self.groups[group]:
            self.groups[group].append(node)

    def by_name(self) -> list[Node]:
        """All nodes sorted by name without regard to case, the order of model files and dumps."""
        return [self._nodes[key] for key in sorted(self._nodes)]

    @property
    def parameters(self) -> list[Node]:
        return [n for n in self.by_name() if n.is_parameter]

    @property
    def inputs(self) -> list[Node]:
        return [n for n in self.by_name() if n.is_input]

    def roots(self) -> list[Node]:
        """What can be computed for, by name: nodes that nothing uses, criteria, evaluation and output nodes, statistics."""
        used = {id(i) for n in self for i in n.inputs}
        marked = {id(n) for group in ("criterion", "evaluation", "output") for n in self.groups[group]}
        marked |= {id(n) for n in self if n.op in STATISTICS}
        return sorted((n for n in self if id(n) not in used or id(n) in marked), key=lambda n: n.name)

    def evaluation_order(self, roots: Iterable[Node] | None = None) -> list[Node]:
        """The nodes below `roots` (default: all roots), inputs before their users, depth first from left to right.

        A recurrent loop is entered at the node that is met first.
        """
        order: list[Node] = []
        seen: set[int] = set()
        for root in self.roots() if roots is None else roots:
            stack: list[tuple[Node, int]] = [(root, 0)]
            if id(root) in seen:
                continue
            seen.add(id(root))
            while stack:
                node, i = stack.pop()
                if i < len(node.inputs):
                    stack.append((node, i + 1))
                    child = node.inputs[i]
                    if id(child) not in seen:
                        seen.add(id(child))
                        stack.append((child, 0))
                else:
                    order.append(node)
        return order
