"""LearnableParameter: weights, biases and constants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import as_tuple, dims_of
from bsls.shape import Dims, Shape

_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]+(?:[pP][+-]?\d+)?")

INITIALIZERS = (
    "uniform", "uniform1", "gaussian", "normal", "xavier", "glorotUniform", "glorotNormal", "heUniform", "heNormal",
    "TruncNormal", "bilinear", "zero", "fixedValue", "fromFile", "fromLiteral",
)  # fmt: skip
"""Values of `init`; case matters."""


def matrix_size(lines: Iterable[str]) -> tuple[int, int] | None:
    """Rows and columns of a matrix in text, a row a line without blank ones; None where there is no row.

    Raises ShapeError for what is no number, and where the rows differ in length.
    """
    rows = columns = 0
    for line in lines:
        words = line.split()
        if not words:
            continue
        rows += 1
        columns = columns or len(words)
        wrong = next((word for word in words if not is_number(word)), None)
        if wrong is not None:
            raise ShapeError(
                f"row {rows} of the initial values has '{wrong[:15]}', which is not a number",
                help="write numbers, a row of the matrix a line",
            )
        if len(words) != columns:
            raise ShapeError(
                f"row {rows} of the initial values has {len(words)} numbers, and the rows before it {columns}",
                help="write as many numbers in each line",
            )
    return (rows, columns) if rows else None


def is_number(word: str) -> bool:
    """Whether a word is a number for C, which knows hexadecimal ones as well."""
    try:
        float(word)
    except ValueError:
        return _HEXADECIMAL.fullmatch(word) is not None
    return "_" not in word


def dims_for_matrix(dims: Dims, rows: int, columns: int) -> Dims:
    """`dims` with its zeros filled in so that a matrix of initial values fits; raises ShapeError where none would do.

    The first axis has the rows, all others together the columns.
    """
    found = list(dims or (0,))
    if len(found) == 1 and columns != 1 and (0 in found):
        found.append(0)
    found[0] = found[0] or rows
    known = prod(d for d in found[1:] if d)
    if found[1:].count(0) == 1 and columns % known == 0:
        found[found.index(0, 1)] = columns // known
    if (found[0], prod(found[1:])) != (rows, columns):
        raise ShapeError(
            f"the shape {Shape(dims)} cannot hold the initial values, a [{rows} x {columns}] matrix",
            help="the matrix needs as many rows as the first dimension, and as many columns as the others together; "
            "dimensions that are 0 are taken from it, but only one behind the first",
        )
    return tuple(found)


def _shape(ctx: ShapeContext) -> Shape:
    return Shape(dims_of(ctx, "dims"))


def _upgrade(attributes: dict[str, object], version: int) -> None:
    """Before version 3: a flag instead of a multiplier, rows and columns instead of a shape."""
    if version >= 3:
        return
    attributes["learningRateMultiplier"] = 1.0 if attributes.pop("updateRequired") else 0.0
    rows, cols = int(attributes.pop("rows")), int(attributes.pop("cols"))  # type: ignore[call-overload]
    if rows:
        attributes["dims"] = (rows, cols)
    elif cols > 1:
        attributes["dims"] = (*as_tuple(attributes["dims"]), cols)


def _stored(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    """A file holds the dims that validation found."""
    return {"dims": shape.dims}


OPS: tuple[Op, ...] = (
    Op(
        "LearnableParameter",
        (),
        _shape,
        "A tensor of values that does not depend on the data. Training changes it unless its learning rate multiplier "
        "is 0, which makes it a constant. Dimensions given as 0 are taken from the node that uses it.",
        (
            Attribute("dims", "shape", doc="Dimensions; 0 where one is to be inferred.", key="shape"),
            Attribute("learningRateMultiplier", "number", 1.0, "Factor on the learning rate; 0 for a constant."),
            Attribute("init", "string", "", "Kind of initial values; empty: told by what else is given.", INITIALIZERS),
            Attribute("initValue", "number", "", "The same initial value for all elements."),
            Attribute("initValueScale", "number", 1.0, "Factor on random initial values."),
            Attribute("initFilterRank", "integer", 0, "Number of leading axes that belong to a filter (fan-in)."),
            Attribute("initOutputRank", "integer", 1, "Number of output axes; negative: counted from the last one."),
            Attribute("initFromFilePath", "string", "", "Text file with a matrix of initial values."),
            Attribute("initFromLiteral", "string", "", "Matrix as text; used only with init = 'fromLiteral'."),
            Attribute("value", "number", 0.0, "Initial value; used only with init = 'fixedValue'."),
            Attribute("initOnCPUOnly", "boolean", True, "Draw random values on the CPU (always done)."),
            Attribute("randomSeed", "integer", -1, "Seed; negative: the next number of a counter."),
        ),
        (
            Field("learningRateMultiplier", "f32", since=3, default=1.0),
            Field("updateRequired", "bool", until=2),
            Field("rows", "u64", until=2),
            Field("cols", "u64", until=2),
            Field("dims", "legacy_shape", until=2, when=lambda read: read["rows"] == 0),
            Field("dims", "shape", since=3),
            Field("value", "matrix"),
        ),
        upgrade=_upgrade,
        stored=_stored,
    ),
)
