"""Infix and prefix operators: on numbers, strings, booleans, and as a short way to write nodes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bsls.evaluate.values import UNKNOWN, BsArray, BsFunction, Thunk, Unknown, kind
from bsls.finding import BsError, Edit, Fix
from bsls.network.node import Node
from bsls.syntax.tree import Binary, Expr, Unary

if TYPE_CHECKING:
    from bsls.evaluate.interpreter import Interpreter

PATH_NAMES = {
    "*": "Times", "/": "Div", ".*": "ElementTimes", "**": "Pow", "%": "Mod", "+": "Plus", "-": "Minus",
    "<": "LT", "<=": "LE", ">": "GT", ">=": "GT", "==": "Equal", "!=": "NotEqual", "&&": "And", "||": "Or",
    ">>": "Before", "<<": "Shift", "with": "With",
}  # fmt: skip
"""What each operator is called in the paths of its operands (`z.PlusArgs[0]`)."""

_NODE_OPERATIONS = {
    "*": "Times", ".*": "ElementTimes", "+": "Plus", "-": "Minus", "<": "Less", "<=": "LessEqual", ">": "Greater",
    ">=": "GreaterEqual", "==": "Equal", "!=": "NotEqual", "&&": "ElementTimes",
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide, "**": _power,
    "%": lambda a, b: math.fmod(a, b) if b and not math.isinf(a) else math.nan,
}  # fmt: skip


def binary(interpreter: Interpreter, expr: Binary, left: object, right: object, path: str) -> object:
    """The value of `left op right`; numbers beside nodes become constants with the path of the result."""
    op = expr.op
    if (
        isinstance(left, float)
        and isinstance(right, float)
        and not isinstance(left, bool)
        and not isinstance(right, bool)
    ):
        if op in _ARITHMETIC:
            return _ARITHMETIC[op](left, right)
        if op in _COMPARE:
            return _COMPARE[op](left, right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    if isinstance(left, Node) or isinstance(right, Node):
        return _node(interpreter, expr, left, right, path)
    if isinstance(left, str) and isinstance(right, str):
        if op == "+":
            return interpreter.text(left + right, expr)
        if op in _COMPARE:
            return _COMPARE[op](left, right)
    if isinstance(left, bool) and isinstance(right, bool):
        if op == "&&":
            return left and right
        if op == "||":
            return left or right
        if op in _COMPARE:
            return _COMPARE[op](left, right)
    if op == ">>" and isinstance(left, BsFunction) and isinstance(right, BsFunction):
        return _compose(interpreter, left, right)
    if op == "<<" and isinstance(left, BsArray) and isinstance(right, float):
        return _drop(interpreter, expr, left, interpreter.integer(right, expr.right))
    raise BsError("wrong-type", f"operator {op} cannot be applied to {kind(left)} and {kind(right)}", expr.span)


def _drop(interpreter: Interpreter, expr: Binary, array: BsArray, count: int) -> BsArray:
    """`array << count`: the array without its first elements; those that stay are evaluated."""
    if count < 0:
        raise BsError("wrong-value", f"{count} elements cannot be left out", expr.right.span)
    if array.low != 0:
        raise BsError("index-out-of-bounds", "this array is expected to begin with index 0", expr.left.span)
    for thunk in array.elements[count:]:
        interpreter.force(thunk)
    return BsArray(0, array.elements[count:])


def _compose(interpreter: Interpreter, first: BsFunction, second: BsFunction) -> BsFunction:
    for default in first.optional.values():  # evaluated here, not when they are used
        interpreter.force(default)

    def apply(positional: list[Thunk], named: dict[str, Thunk], path: str, call: Expr) -> object:
        name = second.positional[0] if second.positional else "arg"
        inner = interpreter.apply(first, positional, named, f"{path}.arg" if path else "arg", call)
        return interpreter.apply(second, [Thunk.done(inner, name)], {}, path, call)

    return BsFunction(f"{first.name} >> {second.name}", first.positional, first.optional, None, None, apply)


def _node(interpreter: Interpreter, expr: Binary, left: object, right: object, path: str) -> object:
    op = expr.op
    for side in (left, right):
        if isinstance(side, bool) and op not in ("&&", "||"):
            raise BsError("wrong-type", f"operator {op} cannot be applied to a node and a boolean", expr.span)
        if not isinstance(side, (bool, float, Node)):
            raise BsError("wrong-type", f"operator {op} cannot be applied to a node and {kind(side)}", expr.span)
    if op in ("&&", "||"):
        for side in (left, right):
            if isinstance(side, bool) and side == (op == "||"):
                return left
            if isinstance(side, float) and not isinstance(side, bool):
                raise BsError("wrong-type", f"operator {op} cannot be applied to a node and a number", expr.span)
    if op == "/":
        return _division(interpreter, expr, left, right, path)
    if op not in _NODE_OPERATIONS:
        raise BsError("wrong-type", f"operator {op} cannot be applied to nodes", expr.span)
    operation = _NODE_OPERATIONS[op]
    if operation == "Times" and not (isinstance(left, Node) and isinstance(right, Node)):
        operation = "ElementTimes"
    return interpreter.make_node(
        operation, [_as_node(interpreter, side, path, expr) for side in (left, right)], path, expr
    )


def _division(interpreter: Interpreter, expr: Binary, left: object, right: object, path: str) -> Node:
    if isinstance(right, Node):
        if isinstance(left, Node):
            fix = Fix(
                "use ElementDivide",
                (Edit(expr.span, f"ElementDivide ({expr.left.span.text}, {expr.right.span.text})"),),
            )
            raise BsError(
                "wrong-type",
                "a node cannot be divided by a node with /",
                expr.span,
                help="use ElementDivide (a, b)",
                fixes=[fix],
            )
        if left != 1.0:
            raise BsError(
                "wrong-type", "only the number 1 can be divided by a node", expr.span, help="write `number .* (1 / x)`"
            )
        return interpreter.make_node("Reciprocal", [right], path, expr)
    assert isinstance(left, Node) and isinstance(right, float)
    return interpreter.make_node(
        "ElementTimes", [left, interpreter.constant(_divide(1.0, right), (1,), path, expr)], path, expr
    )


def _as_node(interpreter: Interpreter, value: object, path: str, expr: Expr) -> Node:
    if isinstance(value, Node):
        return value
    return interpreter.constant(float(value), (1,), path, expr)  # type: ignore[arg-type]


def unary(interpreter: Interpreter, expr: Unary, operand: object, path: str) -> object:
    if isinstance(operand, Unknown):
        return UNKNOWN
    if isinstance(operand, Node):
        if expr.op == "+":
            return operand
        if expr.op == "-":
            return interpreter.make_node("Negate", [operand], path, expr)
        return interpreter.make_node("Minus", [interpreter.constant(1.0, (1,), path, expr), operand], path, expr)
    if expr.op == "!" and isinstance(operand, bool):
        return not operand
    if expr.op != "!" and isinstance(operand, float) and not isinstance(operand, bool):
        return -operand if expr.op == "-" else operand
    raise BsError("wrong-type", f"operator {expr.op} cannot be applied to {kind(operand)}", expr.span)
