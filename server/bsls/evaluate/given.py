"""Where somebody gave a value: not the name under which it was passed on, and not where the library used it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bsls.evaluate.values import BsArray, RecordScope, Scope, Thunk
from bsls.finding import BsError
from bsls.source import Span
from bsls.syntax.tree import Expr, Index, Name

if TYPE_CHECKING:
    from bsls.evaluate.interpreter import Interpreter


def written(thunk: Thunk, interpreter: Interpreter) -> Span | None:
    """Where the value of a thunk was given; None where that is in the library."""
    expr = _given(thunk, interpreter)
    return None if expr is None or expr.home.library else expr.span


def written_item(thunk: Thunk, value: object, item: object, interpreter: Interpreter) -> Span | None:
    """Where an item of the array `value`, which `thunk` has, was given. The library puts dimensions together from what it
    is given, so what is visible to it is searched as well."""
    at: Thunk | None = thunk
    while at is not None and isinstance(at.expr, Name) and at.expr.home.library and at.scope is not None:
        at = at.scope.find(at.expr.id)
    visible: list[Thunk] = []
    scope = at.scope if at is not None and at.expr is not None and at.expr.home.library else None
    while scope is not None:
        visible += scope.variables.values()
        scope = scope.parent
    same = (t for t in _with_elements([Thunk.done(value), *visible]) if t.value is item)
    return next((span for t in same if (span := written(t, interpreter)) is not None), None)


def _given(thunk: Thunk, interpreter: Interpreter) -> Expr | None:
    """The expression that stands for a parameter, or as an element of an array."""
    while thunk.expr is not None and thunk.scope is not None:
        expr, found = thunk.expr, None
        if isinstance(expr, Name):
            holder = thunk.scope.holder(expr.id)
            if expr.home.library or not isinstance(holder, RecordScope):
                found = holder.own(expr.id) if holder is not None else None
        elif isinstance(expr, Index):
            found = _indexed(expr, thunk.scope, interpreter)
        if found is None or found.expr is None:
            return expr
        thunk = found
    return thunk.expr


def _indexed(expr: Index, scope: Scope, interpreter: Interpreter) -> Thunk | None:
    """The element that an index picks of an array that has a name."""
    array = scope.find(expr.array.id) if isinstance(expr.array, Name) else None
    try:
        index = interpreter.evaluate(expr.index, scope, "")
    except BsError:
        return None
    if array is None or not isinstance(array.value, BsArray) or not isinstance(index, float):
        return None
    at = int(index) - array.value.low
    return array.value.elements[at] if 0 <= at < len(array.value.elements) else None


def _with_elements(thunks: Iterable[Thunk]) -> Iterator[Thunk]:
    """Some values, and the elements of arrays among them and inside of these."""
    work = list(thunks)
    for thunk in work:  # which grows
        yield thunk
        if isinstance(thunk.value, BsArray):
            work += thunk.value.elements
