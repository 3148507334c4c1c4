"""Cutting images to another one's size, and making tensors larger at their borders."""

from __future__ import annotations

import sys

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import common_axis, dims_of, named, show
from bsls.shape import Shape

NOT_SET = sys.float_info.max
"""An offset that is to be found from the convolutions and poolings between the two images."""

PADDING_MODES = ("constant", "reflect", "symmetric")


def _crop(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    if len(ctx.inputs) not in (2, 4):
        raise ShapeError(
            f"{len(ctx.inputs)} operands are not possible",
            help="give two, or four with a node above each that are alike",
        )
    x, reference = ctx.inputs[0].dims, ctx.inputs[1].dims
    if not ctx.final and min(len(x), len(reference)) < 2:
        return Shape(x, axis)
    for i, dims in enumerate((x, reference)):
        if len(dims) < 2:
            raise ShapeError(f"{named(ctx, i)} has less than two axes to crop", i, "[width x height x ...]")
    if ctx.final:
        names = ("xOffset", "yOffset")
        offsets = [float(ctx.attributes.get(name, NOT_SET)) for name in names]  # type: ignore[arg-type]
        given = len(ctx.inputs) == 2 and NOT_SET not in offsets
        for i, offset in enumerate(offsets):
            if x[i] < reference[i] + (offset if given else 0):
                place = f" from {offset:g} on" if given else ""
                raise ShapeError(
                    f"{named(ctx, 0)} is too small to be cut to {named(ctx, 1)}{place}",
                    0,
                    f"axis {i + 1} has {x[i]} elements, and {reference[i]} are wanted{place}",
                )
    return Shape((*reference[:2], *x[2:]), axis)


def _padding(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    dims, head, foot = ctx.inputs[0].dims, dims_of(ctx, "head"), dims_of(ctx, "foot")
    mode = str(ctx.attributes.get("mode", "constant"))
    if mode not in PADDING_MODES:
        raise ShapeError(f"there is no padding '{mode}'", help=f"use one of {', '.join(PADDING_MODES)}")
    if not ctx.final and not dims:
        return Shape((), axis)
    if not len(head) == len(foot) == len(dims):
        raise ShapeError(
            f"the padding {show(head)} before and {show(foot)} behind does not match the axes of {named(ctx, 0)}",
            0,
            "give a number for each axis",
        )
    if ctx.final and mode != "constant":
        for d, *cells in zip(dims, head, foot, strict=True):
            limit = d - (mode == "reflect")
            if max(cells) > limit:
                raise ShapeError(
                    f"{named(ctx, 0)} cannot be padded by {max(cells)} elements of its own",
                    0,
                    f"at most {limit} are there",
                )
    return Shape(tuple(h + d + f if d else 0 for d, h, f in zip(dims, head, foot, strict=True)), axis)


_OFFSET = "; not given: found from the convolutions and poolings between the two images."

OPS: tuple[Op, ...] = (
    Op(
        "Crop",
        ("x", "reference", "equivalence1?", "equivalence2?"),
        _crop,
        "x cut to the width and height of reference, its first two axes. Where no offsets are given they are found from "
        "the convolutions and poolings on the way from both to a common node, or to two nodes that are said to be alike.",
        (
            Attribute("xOffset", "number", NOT_SET, "First element along the width" + _OFFSET),
            Attribute("yOffset", "number", NOT_SET, "First element along the height" + _OFFSET),
        ),
        (Field("xOffset", "f64", default=NOT_SET), Field("yOffset", "f64", default=NOT_SET)),
    ),
    Op(
        "Padding",
        ("x",),
        _padding,
        "x with head elements before and foot elements behind it along each axis: a constant, or x reflected at its "
        "border, without the border itself (reflect) or with it (symmetric).",
        (
            Attribute("head", "shape", doc="Elements before, for each axis."),
            Attribute("foot", "shape", doc="Elements behind, for each axis."),
            Attribute("mode", "string", "constant", "What the new elements are.", PADDING_MODES),
            Attribute("value", "number", 0.0, "Value of new elements in the mode constant."),
        ),
        in_scripts=False,
    ),
)
