"""Every name of a text and what it stands for, also in functions that are never called.

BrainScript is lexically scoped: a name means a member or parameter of a place around it, or one of the library. What
stands after a dot depends on values and is left to evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bsls.finding import BsError
from bsls.library.index import definition, library
from bsls.resolve.arguments import argument_problem
from bsls.resolve.names import unknown_identifier
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr, children

PRELUDE = ("deviceId", "traceLevel", "precision", "network")
"""Names that the config puts around a network description."""


@dataclass(slots=True, eq=False)
class Reference:
    """A use of a name. `target` is the member or parameter it means, None for what the config or nothing defines."""

    name: tree.Name
    target: tree.Member | tree.Parameter | None
    problem: BsError | None = None


@dataclass(slots=True)
class Level:
    """The names of a record or function, and what is around it."""

    names: Mapping[str, tree.Member | tree.Parameter]
    outer: Level | None

    def find(self, name: str) -> tree.Member | tree.Parameter | None:
        level: Level | None = self
        while level is not None:
            if name in level.names:
                return level.names[name]
            level = level.outer
        return None

    def visible(self) -> Iterator[str]:
        """All names that can be used here, inner ones first."""
        level: Level | None = self
        while level is not None:
            yield from level.names
            level = level.outer


def top_level(members: Members) -> Level:
    """The outermost names of a network description."""
    return Level({name: members.member(name) for name in members.names}, None)


def references(members: Members) -> Iterator[Reference]:
    """All uses of names in a network description, with what they mean."""
    top = top_level(members)
    for name in members.names:
        yield from _walk(members.member(name).value, top)


def call_problems(members: Members) -> Iterator[BsError]:
    """Calls of functions that are known without evaluation whose arguments do not fit."""
    top = top_level(members)
    for name in members.names:
        yield from _calls(members.member(name).value, top)


def certain_problems(members: Members) -> Iterator[BsError]:
    """Unknown names where evaluation surely comes: not in functions, branches, records, or what a function of the config
    is given."""
    top = top_level(members)
    for name in members.names:
        stack: list[Expr] = [members.member(name).value]
        while stack:
            part = stack.pop()
            if isinstance(part, tree.Name):
                problem = resolve(part, top).problem
                if problem is not None:
                    yield problem
            elif isinstance(part, tree.Access):
                stack.append(part.object)
            elif isinstance(part, tree.Binary):
                stack += (part.left, part.right)
            elif isinstance(part, tree.Unary):
                stack.append(part.operand)
            elif isinstance(part, tree.Call):
                stack.append(part.function)
                if isinstance(part.function, tree.Name) and part.function.id not in top.names:  # of the library
                    stack += (a.value for a in part.arguments if not a.name)
            elif isinstance(part, tree.Array):
                stack += part.elements
            elif isinstance(part, tree.Index):
                stack.append(part.array)


def inner(expr: Expr, level: Level) -> Iterator[tuple[Expr, Level]]:
    """The parts of an expression with the names that each sees."""
    if isinstance(expr, tree.Record):
        inside = Level(expr.members, level)
        yield from ((m, inside) for m in expr.members.values())
    elif isinstance(expr, tree.Function):
        yield from ((p, level) for p in expr.parameters)  # defaults do not see the other parameters
        yield expr.body, Level({p.name: p for p in expr.parameters}, level)
    else:
        yield from ((part, level) for part in children(expr))


def _walk(expr: Expr, level: Level) -> Iterator[Reference]:
    stack: list[tuple[Expr, Level]] = [(expr, level)]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, tree.Name):
            yield resolve(part, scope)
        stack += reversed(list(inner(part, scope)))


def resolve(name: tree.Name, scope: Level) -> Reference:
    """What a name means in a scope."""
    target = scope.find(name.id)
    if target is None and name.id in library():
        target = definition(name.id)
    if target is None and name.id not in PRELUDE:
        candidates = [*scope.visible(), *(n for n in library() if not n.startswith("_"))]
        return Reference(name, None, unknown_identifier(name.id, name.id_span, candidates))
    return Reference(name, target)


def _calls(expr: Expr, level: Level) -> Iterator[BsError]:
    stack: list[tuple[Expr, Level]] = [(expr, level)]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, tree.Call) and isinstance(part.function, tree.Name):
            target = resolve(part.function, scope).target
            if isinstance(target, tree.Member) and isinstance(target.value, tree.Function):
                parameters = target.value.parameters
                problem = argument_problem(
                    part,
                    [p.name for p in parameters if p.default is None],
                    [p.name for p in parameters if p.default is not None],
                )
                if problem is not None:
                    yield problem
        stack += reversed(list(inner(part, scope)))
