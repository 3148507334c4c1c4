"""Operations that pick, place and re-label frames: they change the dynamic axis."""

from __future__ import annotations

from bsls.schema.ops.base import Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import SCALAR, check_inputs, named
from bsls.shape import Shape


def _need_frames(ctx: ShapeContext, *indices: int) -> None:
    for i in indices:
        if ctx.final and ctx.inputs[i].axis is None:
            raise ShapeError(f"operand {named(ctx, i)} must have a dynamic axis", i)


def _need_number(ctx: ShapeContext, index: int) -> None:
    if ctx.final and ctx.inputs[index].elements != 1:
        raise ShapeError(f"operand {named(ctx, index)} must be a single number per frame", index)


def _where(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0)
    _need_number(ctx, 0)
    return Shape(SCALAR, ctx.new_axis(str(ctx.attributes.get("dynamicAxisName", "WhereNodeAxis"))))


def _packed_index(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0, 1)
    _need_number(ctx, 1)
    return ctx.inputs[1]


def _gather(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0)
    _need_number(ctx, 0)
    source = ctx.inputs[1]
    if source.axis is not None:
        return Shape(source.dims, ctx.inputs[0].axis)
    return Shape(source.dims[:-1] if source.rank > 1 else SCALAR, ctx.inputs[0].axis)


def _scatter(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0, 1, 2)
    _need_number(ctx, 1)
    return Shape(ctx.inputs[2].dims, ctx.inputs[0].axis)


def _reconcile(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 1)
    return Shape(ctx.inputs[0].dims, ctx.inputs[1].axis)


OPS: tuple[Op, ...] = (
    Op(
        "Where",
        ("condition",),
        _where,
        "The numbers, from 0 within each sequence, of the frames where the condition is not 0, on a new dynamic axis. "
        "A condition c other than 0 and 1 is a count: frames are listed until their number reaches the running sum.",
        fields=(Field("dynamicAxisName", "wstr", since=11, default="WhereNodeAxis"),),
        reference_limits="CNTK 2.7 fails while it runs if no frame of a sequence is selected.",
    ),
    Op(
        "PackedIndex",
        ("source", "index"),
        _packed_index,
        "Turns frame numbers within the sequences of source into column numbers of its minibatch.",
    ),
    Op(
        "GatherPacked",
        ("packedIndex", "source"),
        _gather,
        "The frames of source that a PackedIndex names, on the dynamic axis of the index.",
    ),
    Op(
        "ScatterPacked",
        ("layout", "packedIndex", "source"),
        _scatter,
        "The frames of source put at the places that a PackedIndex names, on the dynamic axis of layout; all other "
        "frames are 0.",
    ),
    Op(
        "ReconcileDynamicAxis",
        ("data", "layout"),
        _reconcile,
        "data, said to be on the dynamic axis of layout. Both must have sequences of the same lengths; data with one "
        "frame per sequence, or without frames, is repeated for every frame.",
        old_names=("ReconcileMBLayout",),
    ),
)
