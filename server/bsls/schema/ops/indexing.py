"""Operations of the v2 library that pick elements by their index, or make an index an element."""

from __future__ import annotations

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import check_inputs, common_axis, integer, named
from bsls.shape import Shape


def _gather(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    indices, table = ctx.inputs
    if table.axis is not None:
        raise ShapeError(f"the table {named(ctx, 1)} depends on the data", 1, "it must be a parameter or constant")
    if ctx.final and not table.dims:
        raise ShapeError(f"the table {named(ctx, 1)} has no axis to pick from", 1, "it needs at least one")
    return Shape((*table.dims[:-1], *indices.dims), indices.axis)


def _one_hot(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    dims, at, classes = ctx.inputs[0].dims, integer(ctx, "axis", 0), integer(ctx, "numClass")
    at = at + len(dims) + 1 if at < 0 else at
    if classes < 1:
        raise ShapeError(f"the number of classes is {classes}", help="it must be at least 1")
    if not 0 <= at <= len(dims):
        if ctx.final:
            raise ShapeError(
                f"{named(ctx, 0)} has no place {integer(ctx, 'axis')} for a new axis", 0, f"use 0 to {len(dims)}"
            )
        return Shape(dims, axis)
    return Shape((*dims[:at], classes, *dims[at:]), axis)


def _top_k(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    dims, k = ctx.inputs[0].dims, integer(ctx, "numItems")
    if k < 1 or (ctx.final and (not dims or k > dims[0])):
        raise ShapeError(
            f"{k} elements were asked for of the first axis of {named(ctx, 0)}",
            0,
            f"ask for 1 to {ctx.inputs[0].dim(0)}",
        )
    return Shape((k, *dims[1:]), axis)


def _multiplexer(ctx: ShapeContext) -> Shape:
    """All outputs of the operations that have several are of one shape, but the mask of an UnpackSequence."""
    axis = common_axis(ctx)
    x = ctx.inputs[0]
    return Shape((1,), axis) if ctx.attributes.get("isMask") else Shape(x.dims, axis)


OPS: tuple[Op, ...] = (
    Op(
        "Gather",
        ("indices", "table"),
        _gather,
        "table[.., i] for each element i of indices, which count from 0 along the last axis of the table: the other axes "
        "of the table, then those of the indices.",
        in_scripts=False,
    ),
    Op(
        "OneHot",
        ("indices",),
        _one_hot,
        "A new axis with 1 at the index and 0 elsewhere; all 0 for an index that is no class. It has no gradient.",
        (
            Attribute("numClass", "integer", doc="Number of classes: the size of the new axis."),
            Attribute("axis", "integer", 0, "Place of the new axis from 0; negative: from behind."),
            Attribute("isSparse", "boolean", False, "Whether the result is kept sparse."),
        ),
        in_scripts=False,
    ),
    Op(
        "TopK",
        ("x",),
        _top_k,
        "The numItems largest elements along the first axis, the largest first; a second output has their indices.",
        (Attribute("numItems", "integer", doc="Number of elements."),),
        in_scripts=False,
    ),
    Op(
        "OutputMultiplexer",
        ("x",),
        _multiplexer,
        "One of the further outputs of an operation that has several.",
        (
            Attribute("outputIndex", "integer", 1, "Which output, from 0."),
            Attribute("isMask", "boolean", False, "Whether it is the mask of an UnpackSequence."),
        ),
        in_scripts=False,
    ),
    Op(
        "EyeLikeOp",
        ("x",),
        lambda ctx: Shape(ctx.inputs[0].dims, common_axis(ctx)),
        "1 where row and column of the minibatch's matrix are equal, else 0. It has no gradient.",
        (Attribute("isOutputSparse", "boolean", False, "Whether the result is kept sparse."),),
        (Field("isOutputSparse", "bool", default=False),),
        in_scripts=False,
    ),
)
