"""What changed from one network to another: nodes added, removed, renamed, and what differs in those of the same name.

What belongs to a state of training, such as counts of samples, is not looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import prod

from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.network.size import dims_of
from bsls.schema.ops import get as get_op

_STATE = frozenset(("runCount",))
_SHAPES = frozenset(("dims", "shape"))  # attributes that say what the shape of the node says, too


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a node: `operation`, `inputs`, `shape`, or the name of an attribute; before and after, as text.

    `values` of parameters have no text before; after says how many differ, and by how much.
    """

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedNode:
    """A node that both networks have, as it was and as it is."""

    before: Node
    after: Node
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """From one network to another, each list by name; `groups` are the members, before and after, of those that differ."""

    added: list[Node]
    removed: list[Node]
    renamed: list[tuple[Node, Node]]
    changed: list[ChangedNode]
    groups: dict[str, tuple[list[Node], list[Node]]]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.renamed or self.changed or self.groups)


def difference(before: Network, after: Network, *, settings: bool = True, weights: bool = False) -> Difference:
    """What changed; nodes correspond by their names, whatever the capitals.

    Without `settings`, which logs do not tell, attributes and groups are not compared; with `weights`, values are.

    A node counts as renamed where all but the name is equal, inputs included (which may be renamed themselves), and just
    one node of the other network comes into question.
    """
    pairs = {node: twin for node in before if (twin := after.find(node.name)) is not None}
    removed = [n for n in before.by_name() if n not in pairs]
    twins = set(pairs.values())
    added = [n for n in after.by_name() if n not in twins]
    renamed = _Renaming(before, after, pairs).find(removed, added)
    pairs |= renamed
    new_names = set(renamed.values())
    names = {node.name.lower(): twin.name for node, twin in pairs.items()}
    changed: list[ChangedNode] = []
    for node in before.by_name():
        if (twin := pairs.get(node)) is None:
            continue
        changes = [*_changes(node, twin, names), *(_settings(node, twin) if settings else ())]
        if weights:
            changes += _values(node, twin)
        if changes:
            changed.append(ChangedNode(node, twin, tuple(changes)))
    return Difference(
        added=[n for n in added if n not in new_names],
        removed=[n for n in removed if n not in renamed],
        renamed=[(n, renamed[n]) for n in removed if n in renamed],
        changed=changed,
        groups={
            group: (list(old), list(new))
            for group in GROUPS
            if settings
            and Counter(_listed(old := before.groups[group], names)) != Counter(_listed(new := after.groups[group]))
        },
    )


def _changes(before: Node, after: Node, names: Mapping[str, str]) -> list[Change]:
    changes: list[Change] = []
    if before.op != after.op:
        changes.append(Change("operation", before.op, after.op))
    if _listed(before.inputs, names) != _listed(after.inputs):
        changes.append(
            Change("inputs", ", ".join(n.name for n in before.inputs), ", ".join(n.name for n in after.inputs))
        )
    if _shape(before) != _shape(after):
        changes.append(Change("shape", _shape(before), _shape(after)))
    return changes


def _settings(before: Node, after: Node) -> list[Change]:
    old, new = _attributes(before), _attributes(after)
    return [
        Change(name, _shown(old.get(name)), _shown(new.get(name)))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name) and before.op == after.op
    ]


def _values(before: Node, after: Node) -> list[Change]:
    """Values that differ; what is no number equals itself. Another number of values shows in the shape."""
    if before.value is None or after.value is None or prod(before.value.dims) != prod(after.value.dims):
        return []
    import numpy as np

    old, new = (np.asarray(node.value.array()).reshape(-1) for node in (before, after) if node.value is not None)
    differ = ~((old == new) | (np.isnan(old) & np.isnan(new)))
    count = int(np.count_nonzero(differ))
    if not count:
        return []
    numbers = differ & np.isfinite(old) & np.isfinite(new)
    most = float(np.max(np.abs(old[numbers].astype(np.float64) - new[numbers]), initial=0))
    size = f", by {most:.6g} at most" if numbers.any() else ""
    infinite = count - int(np.count_nonzero(numbers))
    size += f"; {infinite:,} of them are no finite numbers in one of the two" if infinite else ""
    return [Change("values", "", f"{count:,} of {old.size:,} differ{size}")]


def _listed(nodes: Iterable[Node], names: Mapping[str, str] | None = None) -> list[str]:
    """Names in small letters; with `names`, those that the nodes have in the other network."""
    return [((names or {}).get(node.name.lower()) or node.name).lower() for node in nodes]


def _shape(node: Node) -> str:
    """With `*` for any dynamic axis: their names count on over a run."""
    dims = dims_of(node)
    if dims is None:
        return "?"
    axis = node.shape is not None and node.shape.axis is not None
    return f"[{' x '.join([*map(str, dims), *(['*'] if axis else [])])}]"


def _attributes(node: Node) -> dict[str, Hashable]:
    """The settings that a model file would hold; how a parameter was initialised is none of them."""
    op = get_op(node.op)
    if op is None:
        return {name: _plain(value) for name, value in node.attributes.items()}
    defaults: dict[str, object] = {field.attribute: field.default for field in op.fields if field.type != "matrix"}
    defaults |= {a.name: a.default for a in op.attributes if a.name in defaults}
    return {
        name: _plain(node.attributes.get(name, default))
        for name, default in defaults.items()
        if name not in _STATE and not (name in _SHAPES and (node.is_parameter or node.shape is not None))
    }


def _plain(value: object) -> Hashable:
    if isinstance(value, list | tuple):
        return tuple(_plain(v) for v in value)
    return value if isinstance(value, Hashable) else repr(value)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"({':'.join(_shown(v) for v in value)})"
    if isinstance(value, float):
        return f"{value:.8g}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


class _Renaming:
    """Which nodes that are only in one network are the same under another name.

    Each round compares what is known of a node: operation, settings, shape, and those inputs and users of which it is
    known what they correspond to. What fits one node only corresponds to it, so that knowledge spreads along the edges.
    In the end each pair must have inputs that correspond, and a parameter a user that does.
    """

    def __init__(self, before: Network, after: Network, pairs: Mapping[Node, Node]) -> None:
        self.pairs = dict(pairs)
        self.twins = {twin: node for node, twin in pairs.items()}
        self.old_users, self.new_users = _users(before), _users(after)

    def find(self, removed: list[Node], added: list[Node]) -> dict[Node, Node]:
        found: dict[Node, Node] = {}
        while True:
            old, new = self._keys(removed, old=True), self._keys(added, old=False)
            fresh = {nodes[0]: new[key][0] for key, nodes in old.items() if len(nodes) == 1 == len(new.get(key, ()))}
            if not fresh:
                break
            found |= fresh
            self.pairs |= fresh
            self.twins |= {twin: node for node, twin in fresh.items()}
        while wrong := [node for node, twin in found.items() if not self._corresponds(node, twin)]:
            for node in wrong:
                del self.twins[found[node]], self.pairs[node], found[node]
        return found

    def _keys(self, nodes: list[Node], old: bool) -> dict[Hashable, list[Node]]:
        keys: dict[Hashable, list[Node]] = defaultdict(list)
        users = self.old_users if old else self.new_users
        for node in nodes:
            if node in (self.pairs if old else self.twins):
                continue
            inputs = tuple(self._identity(i, old) for i in node.inputs)
            known = {(same, place) for user, place in users.get(node, ()) if (same := self._identity(user, old))}
            keys[self._settings(node), inputs, frozenset(known)].append(node)
        return keys

    def _identity(self, node: Node, old: bool) -> Node | None:
        """The node of the old network that a node corresponds to, None where that is not known."""
        return (node if node in self.pairs else None) if old else self.twins.get(node)

    def _settings(self, node: Node) -> Hashable:
        return node.op, _shape(node), tuple(sorted(_attributes(node).items()))

    def _corresponds(self, node: Node, twin: Node) -> bool:
        if [self.pairs.get(i) for i in node.inputs] != twin.inputs:
            return False
        users = {(self.pairs.get(user), place) for user, place in self.old_users.get(node, ())}
        twin_users = set(self.new_users.get(twin, ()))
        return bool(node.inputs) or not users or not users.isdisjoint(twin_users)


def _users(network: Network) -> dict[Node, list[tuple[Node, int]]]:
    """By node: what uses it, and as which input."""
    users: dict[Node, list[tuple[Node, int]]] = defaultdict(list)
    for node in network:
        for place, source in enumerate(node.inputs):
            users[source].append((node, place))
    return users
