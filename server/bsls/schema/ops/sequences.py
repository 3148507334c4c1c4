"""Operations that pick, place and re-label frames, or turn frames into an axis of the sample: they change the dynamic
axis."""

from __future__ import annotations

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import NO_SEQUENCE, SCALAR, check_inputs, named
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


def _to_sequence(ctx: ShapeContext) -> Shape:
    x = _with_axis_to_drop(ctx, 2)
    _need_frames(ctx, *range(len(ctx.inputs)))
    if len(ctx.inputs) > 1:
        _need_number(ctx, 1)
    return Shape(x.dims[:-1], ctx.new_axis(str(ctx.attributes.get("dynamicAxisName", ""))))


def _to_sequence_like(ctx: ShapeContext) -> Shape:
    x = _with_axis_to_drop(ctx, 2)
    _need_frames(ctx, 0, 1)
    return Shape(x.dims[:-1], ctx.inputs[1].axis)


def _to_batch(ctx: ShapeContext) -> Shape:
    x = _with_axis_to_drop(ctx, 1)
    if ctx.final and x.axis is not None:
        raise ShapeError(f"{named(ctx, 0)} depends on the data", 0, "only what does not can be made a batch")
    return Shape(x.dims[:-1], ctx.new_axis(NO_SEQUENCE))


def _with_axis_to_drop(ctx: ShapeContext, rank: int) -> Shape:
    """The first operand, whose last axis becomes the dynamic one."""
    check_inputs(ctx)
    x = ctx.inputs[0]
    if ctx.final and x.rank < rank:
        raise ShapeError(f"{named(ctx, 0)} has not the {rank} axes that are needed", 0, "the last one becomes frames")
    return x


def _unpack_sequence(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0)
    return Shape((*ctx.inputs[0].dims, 1), ctx.new_axis(NO_SEQUENCE))


def _unpack_batch(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    _need_frames(ctx, 0)
    return Shape((*ctx.inputs[0].dims, 1))


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
    Op(
        "ToSequence",
        ("x", "lengths?"),
        _to_sequence,
        "The last axis of each sample as a sequence, on a new dynamic axis; of lengths elements where these are given.",
        (Attribute("dynamicAxisName", "string", "", "Name of the new dynamic axis."),),
        (Field("dynamicAxisName", "wstr", default=""),),
        in_scripts=False,
    ),
    Op(
        "ToSequenceLike",
        ("x", "like"),
        _to_sequence_like,
        "The last axis of each sample as a sequence, on the dynamic axis of like and as long as its sequences.",
        in_scripts=False,
    ),
    Op(
        "UnpackSequence",
        ("x",),
        _unpack_sequence,
        "Each sequence as one sample with the frames along a new last axis, filled up to the longest one. That axis counts "
        "as 1, as its size differs between minibatches. A second output tells frames from filling.",
        (
            Attribute("paddingValue", "number", 0.0, "Value of what is filled up."),
            Attribute("suppressMaskOutput", "boolean", False, "Whether there is no second output."),
        ),
        (Field("paddingValue", "elem", default=0.0), Field("suppressMaskOutput", "bool", default=False)),
        in_scripts=False,
    ),
    Op(
        "ToBatchAxisNode",
        ("x",),
        _to_batch,
        "The elements along the last axis of a constant as samples.",
        in_scripts=False,
    ),
    Op(
        "UnpackBatchAxis",
        ("x",),
        _unpack_batch,
        "All samples of a minibatch along a new last axis, which counts as 1, as its size differs between minibatches.",
        in_scripts=False,
    ),
)
