"""Sums, means, extrema along axes; sums over a whole minibatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import NO_SEQUENCE, SCALAR, as_tuple, check_inputs, common_axis, named, reduce_all
from bsls.shape import Shape

ALL_STATIC, ALL, SEQUENCE, BATCH = 0, -1, -2, -3
"""Values of `axis` that are no static axis."""

REDUCTIONS = ("Sum", "Plus", "Mean", "LogSum", "Min", "Max", "Prod", "Argmin", "Argmax")


def keeps_dimensions(attributes: Mapping[str, object]) -> bool:
    """Whether reduced axes stay, as axes of size 1; a file may say it, else the kind of axis tells."""
    axes = as_tuple(attributes["axis"])
    return bool(attributes.get("keepDimensions", ALL_STATIC not in axes and ALL not in axes))


def _reduce(ctx: ShapeContext) -> Shape:
    axes = as_tuple(ctx.attributes["axis"])
    kind = str(ctx.attributes["reductionOp"])
    keep = keeps_dimensions(ctx.attributes)
    if kind not in REDUCTIONS:
        raise ShapeError(f"there is no reduction '{kind}'", help=f"use one of {', '.join(REDUCTIONS)}")
    if ALL in axes:
        check_inputs(ctx)
        return Shape(ctx.inputs[0].dims if keep else SCALAR)
    if SEQUENCE in axes or BATCH in axes:
        return _reduce_dynamic(ctx, SEQUENCE in axes, kind)
    axis = common_axis(ctx)
    dims = ctx.inputs[0].dims
    if ALL_STATIC in axes:
        return Shape((1,) * len(dims) if keep else SCALAR, axis)
    if not all(1 <= a <= len(dims) for a in axes):
        if ctx.final:
            wrong = next(a for a in axes if not 1 <= a <= len(dims))
            raise ShapeError(
                f"{named(ctx, 0)} has no axis {wrong} to reduce over",
                0,
                f"axes count from 1 to {len(dims)}; 0 means all axes of a sample, -1 those and all frames",
            )
        return Shape(dims, axis)
    left = (1 if k + 1 in axes else d for k, d in enumerate(dims) if keep or k + 1 not in axes)
    return Shape(tuple(left), axis)


def _reduce_dynamic(ctx: ShapeContext, sequence: bool, kind: str) -> Shape:
    """Over the frames of each sequence, or over all frames of the minibatch."""
    check_inputs(ctx)
    x = ctx.inputs[0]
    if ctx.final and x.axis is None:
        what = "a sequence" if sequence else "the minibatch"
        raise ShapeError(f"{named(ctx, 0)} has no frames, so it cannot be reduced over {what}", 0)
    if not sequence:
        return Shape(x.dims)
    if kind not in ("Sum", "Plus"):
        raise ShapeError(f"a sequence can only be reduced by Sum, not by {kind}", 0)
    return Shape(x.dims, ctx.new_axis(NO_SEQUENCE))


def _columns(ctx: ShapeContext) -> Shape:
    return Shape(SCALAR, common_axis(ctx))


def _upgrade(attributes: dict[str, object], version: int) -> None:
    """Before version 24 the kind of axis told whether the reduced axes stay."""
    attributes["keepDimensions"] = keeps_dimensions(attributes)


def _stored(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    return {"keepDimensions": keeps_dimensions(attributes)}


def reduced_elements(attributes: Mapping[str, object], x: Shape) -> int:
    """Number of elements of a sample that become one element of the result: what a Mean divides by."""
    axes = as_tuple(attributes["axis"])
    if ALL in axes or ALL_STATIC in axes:
        return x.elements
    return prod(x.dims[a - 1] for a in axes if a > 0)


OPS: tuple[Op, ...] = (
    Op(
        "ReduceElements",
        ("x",),
        _reduce,
        "Reduces x along an axis: Sum, Mean, Min, Max, Prod, LogSum = log(sum(e^x)), Argmin or Argmax (index from 0 of "
        "the first extremum). axis k >= 1 reduces that axis to size 1; 0 reduces all axes of a sample to one number; "
        "-1 these and all frames of the minibatch; -2 the frames of each sequence (Sum only); -3 all frames.",
        (
            Attribute("axis", "integer", doc="Axis from 1; 0, -1, -2 and -3 have special meanings."),
            Attribute("reductionOp", "string", doc="Kind of reduction.", values=REDUCTIONS),
        ),
        (
            Field("axis", "i32", until=26),
            Field("axis", "i32_list", since=27),
            Field("reductionOp", "wstr"),
            Field("keepDimensions", "bool", since=24),
        ),
        upgrade=_upgrade,
        stored=_stored,
    ),
    Op("SumElements", ("x",), reduce_all, "The sum of all elements of all frames: one number for a minibatch."),
    Op(
        "SumColumnElements",
        ("x",),
        _columns,
        "The sum of all elements of a sample: one number per frame. ReduceElements with axis 0 is the newer form.",
    ),
    Op("MatrixL1Reg", ("x",), reduce_all, "sum |x| over all elements of all frames: one number for a minibatch."),
    Op(
        "MatrixL2Reg",
        ("x",),
        reduce_all,
        "sqrt(sum x^2) over all elements of all frames (not squared): one number for a minibatch.",
    ),
)
