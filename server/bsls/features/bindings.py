"""What the names of a network description stand for, read off its text; values only help where the text does not tell.

A name means what stands around it, but what follows a dot or names an argument depends on the value before it. Here
each expression has the values that it may have in any evaluation, as far as they have members or can be called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from bsls.evaluate.values import BsArray, BsFunction, NetworkValue, RecordScope
from bsls.features.document import NetworkText
from bsls.features.place import View, top_view, value_of, walk_from
from bsls.library.index import definition, library
from bsls.resolve.scopes import Level
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr

Definition = tree.Member | tree.Parameter
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What `BS.Network.Load (path)` returns."""

    path: str


@dataclass(frozen=True, slots=True)
class Clone:
    """What `BS.Network.CloneFunction` returns: a function. If `outputs` is a record, it names the results."""

    outputs: Expr


@dataclass(frozen=True, slots=True)
class Composed:
    """`first >> last`: a function that is called as `first` is, and gives what `last` gives."""

    first: Expr
    last: Expr


class Mark:
    """A value of which no more needs to be known than this."""


PLAIN = Mark()
"""A node, number, text: nothing in the text defines its members."""
UNCERTAIN = Mark()
"""It is not known what it is."""

Possible = (
    tree.Record | tree.Function | tree.Array | tree.ArrayByIndex | RecordScope | LoadedModel | Clone | Composed | Mark
)


@dataclass(slots=True)
class Found:
    """What a name may stand for; `certain` if nothing else comes into question."""

    targets: tuple[Definition, ...]
    certain: bool = True


class Bindings:
    """The names of one network description. `parts` are all its expressions with what each sees."""

    def __init__(self, network: NetworkText, base: Bindings | None = None, member: tree.Member | None = None) -> None:
        self.network = network
        self.top = top_view(network) if base is None else base.top
        self._replaced: Level | None = None
        if base is None:
            names = self.top.level.names
            self._by_member = {name: list(walk_from(names[name], self.top)) for name in names}
        else:
            assert member is not None
            self._replaced = self.top.level
            self.top = View(Level({**self._replaced.names, member.name: member}, None), self.top.values, None)
            self._by_member = {**base._by_member, member.name: list(walk_from(member, self.top))}
        self.parts = [part for parts in self._by_member.values() for part in parts]
        self._views = {id(expr): view for expr, view in self.parts}
        self._added: list[Expr] = []  # keeps them, and so their ids
        self._own = set(self._views)
        self._entered: set[str] = set()
        self._values: dict[int, tuple[Possible, ...]] = {}
        self._arguments: dict[int, list[Expr]] | None = None
        self._depth = 0
        self._indices = {
            id(p)
            for e, _ in self.parts
            if isinstance(e, tree.ArrayByIndex) and isinstance(e.function, tree.Function)
            for p in e.function.parameters
        }

    # --- names -------------------------------------------------------------------------------------------------------

    def view(self, expr: Expr) -> View:
        """What an expression of this text, or of a part of the library that was looked at, sees; a member is in it."""
        return self._views[id(expr)]

    def has(self, target: object) -> bool:
        """Whether a member or parameter is of this text."""
        return id(target) in self._own

    def replacing(self, member: tree.Member) -> Bindings:
        """The same, but for a member that has another text: one that was completed so that it parses."""
        return Bindings(self.network, self, member)

    def add(self, expr: Expr, view: View) -> None:
        """Makes an expression known that does not stand in the text."""
        self._added.append(expr)
        self._views |= {id(part): seen for part, seen in walk_from(expr, view)}

    def lookup(self, name: str, view: View | None) -> Definition | None:
        """The member or parameter that a name means in a place."""
        while view is not None:
            names = view.level.names if view.level is not self._replaced else self.top.level.names
            if name in names:
                return names[name]
            view = view.outer
        if name not in library():
            return None
        if name not in self._entered:
            self._entered.add(name)
            self._views |= _library_views(name)
        return definition(name)

    def target(self, name: tree.Name) -> Definition | None:
        return self.lookup(name.id, self.view(name))

    def named(self, expr: Expr) -> Definition | None:
        """The definition of what is written as a name or member; the first one that comes into question."""
        if isinstance(expr, tree.Name):
            return self.target(expr)
        found = self.accessed(expr).targets if isinstance(expr, tree.Access) else ()
        return found[0] if found else None

    def members(self, object: Expr) -> dict[str, Definition | None]:
        """What may follow the dot after an expression, but for the nodes of a loaded network."""
        found: dict[str, Definition | None] = {}
        for value in self.values(object):
            if isinstance(value, tree.Record):
                found |= {name: m for name, m in value.members.items() if found.get(name) is None}
            elif isinstance(value, RecordScope):
                found |= {name: value.members.get(name) for name in value.names() if found.get(name) is None}
        return found

    def accessed(self, access: tree.Access) -> Found:
        """The members that `object.id` may be; none for a node of a loaded network."""
        return self.member(access.object, access.id)

    def member(self, object: Expr, name: str) -> Found:
        """As `accessed`, for any name after the dot."""
        found: dict[Definition, None] = {}
        certain = True
        for value in self.values(object):
            target: Definition | None = None
            if isinstance(value, tree.Record):
                target = value.members.get(name) or self.lookup(name, self.view(value))
            elif isinstance(value, RecordScope):
                target = value.members.get(name)
                if target is not None and not (target.home.library or self.has(target)):  # of an earlier text
                    target, certain = None, False
            certain = certain and value is not UNCERTAIN
            if target is not None:
                found[target] = None
        return Found(tuple(found), certain and bool(self.values(object)))

    def named_argument(self, call: tree.Call, name: str) -> Found:
        """The parameters that the name of an argument may mean."""
        functions = self.values(call.function)
        found = {p: None for f in self.callables(functions) for p in f.parameters if p.name == name}
        return Found(tuple(found), bool(functions) and UNCERTAIN not in functions)

    def models(self, access: tree.Access) -> list[LoadedModel]:
        """The loaded networks of which `object.id` may be a node."""
        return [v for v in self.values(access.object) if isinstance(v, LoadedModel)]

    def loaded(self) -> list[LoadedModel]:
        """All loaded networks in this text."""
        calls = (e for e, _ in self.parts if isinstance(e, tree.Call))
        return list(dict.fromkeys(v for c in calls for v in self.values(c) if isinstance(v, LoadedModel)))

    # --- nodes -------------------------------------------------------------------------------------------------------

    def along(self, name: str, separator: str = ".") -> list[tuple[int, int, Definition]]:
        """The members that the parts of a node's name mean, `L1` and `y` of `L1.y`, with the offsets of each part.

        As far as they can be found. `separator` is `_` for a name as it is written after a loaded network.
        """
        members = self.network.members
        top = {n: members.member(n) for n in members.names}
        found = self._along(name, 0, top, separator, 0)
        bare = len(name) - len(name.lstrip("_"))  # of two nodes with the same name one gets a `_`
        return found or (self._along(name, bare, top, separator, 0) if bare else [])

    def _along(
        self, name: str, at: int, members: Mapping[str, Definition], separator: str, depth: int
    ) -> list[tuple[int, int, Definition]]:
        best: list[tuple[int, int, Definition]] = []
        rest = name[at:].lower()
        for word, member in members.items():
            end = at + len(word)
            if not rest.startswith(word.lower()) or (end < len(name) and name[end] not in (separator, "[")):
                continue
            found = [(at, end, member)]
            if end == len(name):
                return found
            while name[end : end + 1] == "[":
                end = name.find("]", end) + 1 or len(name)
            if name[end : end + 1] == separator and isinstance(member, tree.Member) and depth < _MAX_DEPTH:
                for record in self._records_at(member.value, 0):
                    inside = self._along(name, end + 1, record.members, separator, depth + 1)
                    if inside and inside[-1][1] > found[-1][1]:
                        found = [found[0], *inside]
            if not best or found[-1][1] > best[-1][1]:
                best = found
        return best

    def _records_at(self, expr: Expr, depth: int) -> Iterator[tree.Record]:
        """The records whose members' nodes are named after `expr`: a name only passes on what was made elsewhere."""
        if depth > _MAX_DEPTH:
            return
        if isinstance(expr, tree.Record):
            yield expr
        elif isinstance(expr, tree.Access):
            yield from self._records_at(expr.object, depth + 1)
        elif isinstance(expr, tree.Call):
            for function in self.results(expr.function):
                if isinstance(function, tree.Function):
                    yield from self._records_at(function.body, depth + 1)
        elif isinstance(expr, tree.Conditional):
            yield from self._records_at(expr.then, depth + 1)
            yield from self._records_at(expr.otherwise, depth + 1)
        elif isinstance(expr, tree.Array):
            for element in expr.elements:
                yield from self._records_at(element, depth + 1)
        elif isinstance(expr, tree.ArrayByIndex) and isinstance(expr.function, tree.Function):
            yield from self._records_at(expr.function.body, depth + 1)

    # --- values ------------------------------------------------------------------------------------------------------

    def values(self, expr: Expr) -> tuple[Possible, ...]:
        """What an expression may be."""
        known = self._values.get(id(expr))
        if known is None:
            if self._depth > _MAX_DEPTH:
                return (UNCERTAIN,)
            self._depth += 1
            self._values[id(expr)] = ()  # what it is made of itself adds nothing
            known = tuple(dict.fromkeys(self._possible(expr)))
            self._values[id(expr)] = known
            self._depth -= 1
        return known

    def definition_values(self, target: Definition) -> tuple[Possible, ...]:
        """What a member or parameter may be."""
        return (
            self.values(target.value) if isinstance(target, tree.Member) else tuple(dict.fromkeys(self._given(target)))
        )

    def callables(self, values: Iterable[Possible]) -> list[tree.Function]:
        """The functions among some values, as they are called."""
        return [v for v in self._followed(values, lambda c: c.first) if isinstance(v, tree.Function)]

    def results(self, function: Expr) -> list[Possible]:
        """What an expression may be; for `f >> g` what `g` may be, which gives the result."""
        return self._followed(self.values(function), lambda c: c.last)

    def _followed(self, values: Iterable[Possible], part: Callable[[Composed], Expr]) -> list[Possible]:
        found: dict[Possible, None] = {}
        waiting = list(values)
        seen: set[Possible] = set()
        while waiting:
            value = waiting.pop(0)
            if not isinstance(value, Composed):
                found[value] = None
            elif value not in seen:
                seen.add(value)
                waiting += self.values(part(value))
        return list(found)

    def _possible(self, expr: Expr) -> Iterator[Possible]:
        match expr:
            case tree.Record() | tree.Function() | tree.Array() | tree.ArrayByIndex():
                yield expr
            case tree.Name() | tree.Access():
                found = list(self._named(expr) if isinstance(expr, tree.Name) else self._accessed(expr))
                yield from self._evaluated(expr) if not found or UNCERTAIN in found else found
            case tree.Argument():
                yield from self.values(expr.value)
            case tree.Call():
                for function in self.results(expr.function):
                    yield from self._called(function, expr)
            case tree.Index():
                found = [v for a in self.values(expr.array) for v in self._elements(a)]
                yield from self._evaluated(expr) if not found or UNCERTAIN in found else found
            case tree.Conditional():
                yield from self.values(expr.then)
                yield from self.values(expr.otherwise)
            case tree.Binary(op=">>"):
                yield Composed(expr.left, expr.right)
            case tree.Binary(op="<<"):
                yield Composed(expr.right, expr.left)
            case tree.Broken() | tree.New(type="ComputationNetwork"):
                yield UNCERTAIN
            case _:
                yield PLAIN

    def _named(self, name: tree.Name) -> Iterator[Possible]:
        target = self.target(name)
        if isinstance(target, tree.Member):
            yield from self.values(target.value)
        elif isinstance(target, tree.Parameter):
            yield from self._given(target)
        else:
            yield UNCERTAIN

    def _accessed(self, access: tree.Access) -> Iterator[Possible]:
        found = self.accessed(access)
        for target in found.targets:
            if isinstance(target, tree.Member):
                yield from self.values(target.value)
            else:
                yield from self._given(target)
        if not found.certain:
            yield UNCERTAIN
        if any(isinstance(v, LoadedModel) or v is PLAIN for v in self.values(access.object)):
            yield PLAIN

    def _evaluated(self, expr: Expr) -> Iterator[Possible]:
        """The value that the last evaluation found, where the text does not tell."""
        value = value_of(expr, self.view(expr))
        if isinstance(value, RecordScope):
            yield value
        elif isinstance(value, NetworkValue):
            yield LoadedModel(value.path)
        else:
            yield UNCERTAIN if value is None or isinstance(value, BsArray | BsFunction) else PLAIN

    def _called(self, function: Possible, call: tree.Call) -> Iterator[Possible]:
        if function is _network_function("Load"):
            path = next((a.value for a in call.arguments if not a.name), None)
            yield LoadedModel(path.value) if isinstance(path, tree.String) else UNCERTAIN
        elif function is _network_function("CloneFunction"):
            given = [a.value for a in call.arguments if not a.name]
            yield Clone(given[1]) if len(given) == 2 else UNCERTAIN
        elif isinstance(function, Clone):
            yield from (v if isinstance(v, tree.Record) else PLAIN for v in self.values(function.outputs))
        elif isinstance(function, tree.Function):
            yield from self.values(function.body)
        else:
            yield UNCERTAIN

    def _elements(self, array: Possible) -> Iterator[Possible]:
        if isinstance(array, tree.Array):
            for element in array.elements:
                yield from self.values(element)
        elif isinstance(array, tree.ArrayByIndex):
            for function in self.values(array.function):
                if isinstance(function, tree.Function):
                    yield from self.values(function.body)
                else:
                    yield UNCERTAIN
        else:
            yield PLAIN if array is PLAIN else UNCERTAIN  # `inputs` of a node are nodes

    def _given(self, parameter: tree.Parameter) -> Iterator[Possible]:
        """What a parameter may be: the arguments of all calls and the default."""
        if id(parameter) in self._indices:
            yield PLAIN
            return
        arguments = None if parameter.home.library else self._all_arguments().get(id(parameter))
        if arguments is None:
            yield UNCERTAIN
            return
        for expr in (*arguments, *([parameter.default] if parameter.default is not None else [])):
            yield from self.values(expr)
        if not arguments and parameter.default is None:
            yield UNCERTAIN

    def _all_arguments(self) -> dict[int, list[Expr]]:
        """The arguments for each parameter of a function whose calls are all known."""
        if self._arguments is not None:
            return self._arguments
        self._arguments = {}  # while this is worked out, parameters are uncertain
        found: dict[int, list[Expr]] = {}
        escaped: set[int] = set()
        for expr, _ in self.parts:
            if isinstance(expr, tree.Function):
                for parameter in expr.parameters:
                    found.setdefault(id(parameter), [])
            elif isinstance(expr, tree.Call):
                for function in self.values(expr.function):
                    if isinstance(function, tree.Function):
                        for parameter, argument in bound(function, expr):
                            found.setdefault(id(parameter), []).append(argument)
            for part in _passed_on(expr):
                for value in self.values(part):
                    if isinstance(value, tree.Function):
                        escaped |= {id(p) for p in value.parameters}
        self._arguments = {p: a for p, a in found.items() if p not in escaped}
        self._values.clear()
        return self._arguments


def bound(function: tree.Function, call: tree.Call) -> Iterator[tuple[tree.Parameter, Expr]]:
    """The parameters of a function with the arguments that a call gives them."""
    positional = [p for p in function.parameters if p.default is None]
    given = [a.value for a in call.arguments if not a.name]
    yield from zip(positional, given, strict=False)
    for argument in call.arguments:
        yield from ((p, argument.value) for p in function.parameters if argument.name and p.name == argument.name)


def _passed_on(expr: Expr) -> list[Expr]:
    """The parts of an expression that go where their use can no longer be followed."""
    match expr:
        case tree.Argument():
            return [expr.value]
        case tree.Array():
            return expr.elements
        case tree.Binary():
            return [expr.left, expr.right]
        case tree.Parameter():
            return [expr.default] if expr.default is not None else []
        case _:
            return []


@cache
def _library_views(name: str) -> dict[int, View]:
    """What each expression of a library definition sees; the library itself is around everything."""
    return {id(expr): view for expr, view in walk_from(definition(name), View(Level({}, None), None, None))}


@cache
def of_library() -> Bindings:
    """Of no text at all: what the names of the library stand for."""
    return Bindings(NetworkText(Members(ExpandedText.of(Source("", "")), 0, 0)))


@cache
def network_member(name: str) -> tree.Member:
    """What is called `name` in `BS.Network`."""
    found = definition("BS")
    for part in ("Network", name):
        assert isinstance(found.value, tree.Record)
        found = found.value.members[part]
    return found


def _network_function(name: str) -> tree.Expr:
    return network_member(name).value
