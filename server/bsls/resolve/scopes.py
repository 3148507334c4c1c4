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


Part = tuple[Expr, Level]
"""An expression with the names that it sees."""


def outermost(text: Members | Expr) -> list[Part]:
    """The expressions of a network description: its members, or the one that it is."""
    if isinstance(text, Expr):
        return [(text, Level({}, None))]
    top = top_level(text)
    return [(text.member(name).value, top) for name in text.names]


def parts(text: Members | Expr) -> Iterator[Part]:
    """All expressions of a network description, whether they are evaluated or not."""
    for begin in outermost(text):
        stack = [begin]
        while stack:
            expr, level = stack.pop()
            yield expr, level
            stack += reversed(list(inner(expr, level)))


def references(text: Members | Expr) -> Iterator[Reference]:
    """All uses of names in a network description, with what they mean."""
    for expr, level in parts(text):
        if isinstance(expr, tree.Name):
            yield resolve(expr, level)


def call_problems(text: Members | Expr) -> Iterator[BsError]:
    """Calls of functions that are known without evaluation whose arguments do not fit."""
    for expr, level in parts(text):
        if isinstance(expr, tree.Call):
            target = defined(expr.function, level)
            if isinstance(target, tree.Member) and isinstance(target.value, tree.Function):
                parameters = target.value.parameters
                problem = argument_problem(
                    expr,
                    [p.name for p in parameters if p.default is None],
                    [p.name for p in parameters if p.default is not None],
                )
                if problem is not None:
                    yield problem


def member_problems(text: Members | Expr) -> Iterator[BsError]:
    """What stands after the dot of a record that is known without evaluation, and is no member of it."""
    for expr, level in parts(text):
        if isinstance(expr, tree.Access):
            record = defined(expr.object, level)
            if (
                isinstance(record, tree.Member)
                and isinstance(record.value, tree.Record)
                and expr.id not in record.value.members
                and level.find(expr.id) is None  # members also see what is around their record
                and expr.id not in library()
            ):
                yield unknown_identifier(expr.id, expr.id_span, record.value.members, " in this record")


def defined(expr: Expr, level: Level) -> tree.Member | tree.Parameter | None:
    """The definition of what is written as a name, or as a member of records that are written out."""
    if isinstance(expr, tree.Name):
        return resolve(expr, level).target
    if isinstance(expr, tree.Access):
        record = defined(expr.object, level)
        if isinstance(record, tree.Member) and isinstance(record.value, tree.Record):
            return record.value.members.get(expr.id)
    return None


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


def resolve(name: tree.Name, scope: Level) -> Reference:
    """What a name means in a scope."""
    target = scope.find(name.id)
    if target is None and name.id in library():
        target = definition(name.id)
    if target is None and name.id not in PRELUDE:
        candidates = [*scope.visible(), *(n for n in library() if not n.startswith("_"))]
        return Reference(name, None, unknown_identifier(name.id, name.id_span, candidates))
    return Reference(name, target)
