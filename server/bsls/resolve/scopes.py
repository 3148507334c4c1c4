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
class _Level:
    names: Mapping[str, tree.Member | tree.Parameter]
    outer: _Level | None

    def find(self, name: str) -> tree.Member | tree.Parameter | None:
        level: _Level | None = self
        while level is not None:
            if name in level.names:
                return level.names[name]
            level = level.outer
        return None

    def visible(self) -> Iterator[str]:
        level: _Level | None = self
        while level is not None:
            yield from level.names
            level = level.outer


def references(members: Members) -> Iterator[Reference]:
    """All uses of names in a network description, with what they mean."""
    top = _Level({name: members.member(name) for name in members.names}, None)
    for name in members.names:
        yield from _walk(members.member(name).value, top)


def call_problems(members: Members) -> Iterator[BsError]:
    """Calls of functions that are known without evaluation whose arguments do not fit."""
    top = _Level({name: members.member(name) for name in members.names}, None)
    for name in members.names:
        yield from _calls(members.member(name).value, top)


def _inner(expr: Expr, level: _Level) -> Iterator[tuple[Expr, _Level]]:
    """The parts of an expression with the scope that each sees."""
    if isinstance(expr, tree.Record):
        inside = _Level(expr.members, level)
        yield from ((m, inside) for m in expr.members.values())
    elif isinstance(expr, tree.Function):
        yield from ((p, level) for p in expr.parameters)  # defaults do not see the other parameters
        yield expr.body, _Level({p.name: p for p in expr.parameters}, level)
    else:
        yield from ((part, level) for part in children(expr))


def _walk(expr: Expr, level: _Level) -> Iterator[Reference]:
    stack: list[tuple[Expr, _Level]] = [(expr, level)]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, tree.Name):
            yield _resolve(part, scope)
        stack += reversed(list(_inner(part, scope)))


def _resolve(name: tree.Name, scope: _Level) -> Reference:
    target = scope.find(name.id)
    if target is None and name.id in library():
        target = definition(name.id)
    if target is None and name.id not in PRELUDE:
        candidates = [*scope.visible(), *(n for n in library() if not n.startswith("_"))]
        return Reference(name, None, unknown_identifier(name.id, name.id_span, candidates))
    return Reference(name, target)


def _calls(expr: Expr, level: _Level) -> Iterator[BsError]:
    stack: list[tuple[Expr, _Level]] = [(expr, level)]
    while stack:
        part, scope = stack.pop()
        if isinstance(part, tree.Call) and isinstance(part.function, tree.Name):
            target = _resolve(part.function, scope).target
            if isinstance(target, tree.Member) and isinstance(target.value, tree.Function):
                parameters = target.value.parameters
                problem = argument_problem(
                    part,
                    [p.name for p in parameters if p.default is None],
                    [p.name for p in parameters if p.default is not None],
                )
                if problem is not None:
                    yield problem
        stack += reversed(list(_inner(part, scope)))
