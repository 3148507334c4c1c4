"""The functions of the CNTK v2 library that compute what one node computes: mostly one, of a few nodes several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bsls.modelfile.dictionary import ALL_STATIC, Axis
from bsls.modelfile.v2_attributes import NUMBERS, attributes_of
from bsls.modelfile.v2_operations import FUNCTIONS, NotConvertible
from bsls.network.node import Node
from bsls.schema.ops import elementwise
from bsls.shape import Dims

PREVIOUS = -1
"""The operand that is what the step before computes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A function by its number; `operands` are inputs of the node, in the order of the operation."""

    number: int
    operands: tuple[int, ...]
    attributes: dict[str, Any] = field(default_factory=dict)


def steps_of(node: Node) -> list[Step]:
    """The functions in their order; the last one computes the node.

    Raises NotConvertible for what the library has no functions for.
    """
    steps = _own_steps(node)
    if node.op in _NEED_AXES:
        for i, operand in enumerate(node.inputs):
            if _is_scalar(operand, set()):  # has no axis at all there, and one here
                last = steps[-1]
                operands = tuple(PREVIOUS if o == i else o for o in last.operands)
                steps = [*steps[:-1], _reshape(i, (1,)), Step(last.number, operands, last.attributes)]
                break
    return steps


def _own_steps(node: Node) -> list[Step]:
    match node.op:
        case "PerDimMeanVarNormalization":
            return [_plain("Minus", 0, 1), _plain("ElementTimes", PREVIOUS, 2)]
        case "PerDimMeanVarDeNormalization":
            return [_plain("Reciprocal", 2), _plain("ElementTimes", 0, PREVIOUS), _plain("Plus", PREVIOUS, 1)]
        case "DiagTimes":
            x = node.inputs[1].shape
            dims = _dims(node) if x is None or x.axis is not None else _dims(node)[:1]  # of a matrix: that of its rows
            return [_reshape(0, dims), _plain("ElementTimes", PREVIOUS, 1)]
        case "SumColumnElements":
            attributes = {"axis": _ALL, "reductionOpName": "Sum", "reductionKeepDimensions": True}
            rank = len(_dims(node.inputs[0]))
            return [
                Step(NUMBERS["ReduceElements"], (0,), attributes),
                *([_reshape(PREVIOUS, (1,))] if rank > 1 else []),
            ]
    if node.op not in NUMBERS:
        raise NotConvertible(node.op)
    return [Step(NUMBERS[node.op], tuple(range(len(node.inputs))), attributes_of(node))]


def _plain(operation: str, *operands: int) -> Step:
    return Step(NUMBERS[operation], operands)


def _reshape(operand: int, dims: Dims) -> Step:
    return Step(NUMBERS["Reshape"], (operand,), {"newShape": dims})


def _dims(node: Node) -> Dims:
    if node.shape is None:
        raise NotConvertible("an operand of an unknown shape")
    return node.shape.dims


def _is_scalar(node: Node, seen: set[int]) -> bool:
    """Whether the library gives what the node computes no axis, where it has one of one element here."""
    if id(node) in seen or node.shape is None or node.shape.dims != (1,):
        return False
    seen.add(id(node))
    if node.op == "ReduceElements":
        return node.attributes.get("axis") == PREVIOUS and not node.attributes.get("keepDimensions", True)
    if node.op in _ELEMENTWISE:
        return bool(node.inputs) and all(_is_scalar(i, seen) for i in node.inputs)
    return node.op in _SCALARS


def order_of(number: int, operands: Sequence[str]) -> list[str]:
    """The operands of a function in its own order."""
    order = FUNCTIONS[number].inputs
    return list(operands) if order is None else [operands[order.index(i)] for i in range(len(operands))]


_ALL = Axis(ALL_STATIC, "AllStaticAxes", False)
_NEED_AXES = ("Times", "TransposeTimes", "Slice", "ReduceElements")
_ELEMENTWISE = {op.name for op in elementwise.OPS}
_SCALARS = {FUNCTIONS[number].operation for number in (13, 18, 34, 35, 36, 48, 59, 60, 61, 66, 90)}
"""Operations that give a number: [1] here, without axes there."""
