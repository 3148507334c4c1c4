"""What BrainScript expressions evaluate to.

Numbers are `float`, booleans `bool`, strings `str`, nodes `bsls.network.Node`; the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bsls.finding import BsError
from bsls.network.cloning import duplicate
from bsls.network.naming import find_by_access
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.source import Span
from bsls.syntax.tree import Expr, Member, Record

if TYPE_CHECKING:
    from bsls.syntax.brainscript import Members


class Unknown:
    """Stands for a value that could not be computed; using it is no further problem."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Unknown"


UNKNOWN = Unknown()


class UnknownValue(BsError):
    """An evaluation cannot go on because it needs a value that could not be computed; that was reported already."""

    def __init__(self, span: Span | None) -> None:
        super().__init__("unknown-value", "a value that is needed here is not known", span)


NOT_YET, RUNNING, DONE = 0, 1, 2


class Thunk:
    """An expression with its scope and path, evaluated at first use, once."""

    __slots__ = ("expr", "path", "scope", "state", "value")

    def __init__(self, expr: Expr | None, scope: Scope | None, path: str, value: object = None) -> None:
        self.expr = expr
        self.scope = scope
        self.path = path
        self.value = value
        self.state = DONE if expr is None else NOT_YET

    @classmethod
    def done(cls, value: object, path: str = "") -> Thunk:
        return cls(None, None, path, value)

    @classmethod
    def running(cls, path: str) -> Thunk:
        """What is being evaluated around all that can use it: using it closes a circle."""
        thunk = cls(None, None, path)
        thunk.state = RUNNING
        return thunk


class Scope:
    """Names that are visible: those of this level, else those of the levels around it."""

    __slots__ = ("parent", "variables")

    def __init__(self, parent: Scope | None, variables: dict[str, Thunk]) -> None:
        self.parent = parent
        self.variables = variables

    def own(self, name: str) -> Thunk | None:
        return self.variables.get(name)

    def find(self, name: str) -> Thunk | None:
        scope: Scope | None = self
        while scope is not None:
            thunk = scope.own(name)
            if thunk is not None:
                return thunk
            scope = scope.parent
        return None

    def holder(self, name: str) -> Scope | None:
        """The level where `find` finds a name."""
        scope: Scope | None = self
        while scope is not None and scope.own(name) is None:
            scope = scope.parent
        return scope

    def names(self) -> Iterator[str]:
        """Names of this level."""
        return iter(self.variables)

    def visible(self) -> Iterator[str]:
        """All names that can be used here, inner ones first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names()
            scope = scope.parent


class RecordScope(Scope):
    """A record: its members are a scope, in which they see each other."""

    __slots__ = ("members", "path")

    def __init__(self, parent: Scope | None, members: Mapping[str, Member], path: str) -> None:
        super().__init__(parent, {})
        self.members = members
        self.path = path

    @classmethod
    def of(cls, record: Record, parent: Scope, path: str) -> RecordScope:
        return cls(parent, record.members, path)

    def own(self, name: str) -> Thunk | None:
        thunk = self.variables.get(name)
        if thunk is None and name in self.members:
            path = f"{self.path}.{name}" if self.path else name
            thunk = self.variables[name] = Thunk(self.members[name].value, self, path)
        return thunk

    def names(self) -> Iterator[str]:
        return iter(self.members)


class LazyRecordScope(RecordScope):
    """A record whose members are parsed when they are needed: a whole network block."""

    __slots__ = ("_parsed", "source")

    def __init__(self, parent: Scope | None, source: Members, path: str) -> None:
        self._parsed: dict[str, Member] = {}
        super().__init__(parent, self._parsed, path)
        self.source = source

    def own(self, name: str) -> Thunk | None:
        if name not in self._parsed and name in self.source.names:
            self._parsed[name] = self.source.meant(name)
        return super().own(name)

    def names(self) -> Iterator[str]:
        return iter(self.source.names)


@dataclass(slots=True, eq=False)
class BsArray:
    """An array; `low` is its first index."""

    low: int
    elements: list[Thunk]


@dataclass(slots=True, eq=False)
class BsFunction:
    """A function: a body in its scope, or one that is built in (`apply`)."""

    name: str
    positional: list[str]
    optional: dict[str, Thunk]
    body: Expr | None
    scope: Scope | None
    apply: Callable[[list[Thunk], dict[str, Thunk], str, Expr], object] | None = None


@dataclass(slots=True, eq=False)
class NetworkValue:
    """A network as a value: one that was loaded, whose nodes are its members. `path` is what messages call it.

    A node that one that is not `complete` lacks is unknown, but no mistake. `names` are those that the nodes had at first, in
    the order of the network: members of a description give them others, but are no members of this.
    """

    network: Network
    path: str
    complete: bool = True
    names: tuple[str, ...] = field(init=False)
    _loaded: Network | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.names = tuple(node.name for node in self.network)

    def find(self, name: str) -> Node | None:
        """The node that `net.<name>` means."""
        return find_by_access(self.network, name, self.names)

    @property
    def loaded(self) -> Network:
        """The network with the first names of its nodes, which are copies if any has another one now."""
        if all(node.name == name for node, name in zip(self.network, self.names, strict=False)):
            return self.network
        if self._loaded is None:
            self._loaded = duplicate(self.network, self.names)
        return self._loaded


Value = float | bool | str | Node | RecordScope | BsArray | BsFunction | NetworkValue | Unknown


def kind(value: object) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Node):
        return "a node"
    if isinstance(value, RecordScope):
        return "a record"
    if isinstance(value, BsArray):
        return "an array"
    if isinstance(value, BsFunction):
        return "a function"
    if isinstance(value, NetworkValue):
        return "a network"
    return "something unknown"


def show_number(value: float) -> str:
    """As the reference prints numbers: integers plainly, others with six decimals."""
    return str(int(value)) if value == value and abs(value) < 2**31 and value == int(value) else f"{value:f}"
