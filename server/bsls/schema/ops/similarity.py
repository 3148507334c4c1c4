"""Cosine similarity of vectors, frame by frame."""

from __future__ import annotations

from bsls.schema.ops.base import Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import SCALAR, common_axis, infer_each_other, named
from bsls.shape import Shape


def _cosine(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    infer_each_other(ctx, 2)
    return Shape(SCALAR, axis)


def _cosine_with_negatives(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    infer_each_other(ctx, 2)
    if ctx.final and ctx.inputs[0].elements != ctx.inputs[1].elements:
        raise ShapeError(f"{named(ctx, 0)} and {named(ctx, 1)} must have the same number of elements", 1)
    negatives = ctx.constant(3)
    if negatives is None and (ctx.final or ctx.inputs[3].known):
        raise ShapeError(
            f"the number of negative samples {named(ctx, 3)} must be a constant number",
            3,
            "use a Constant, which has a learning rate multiplier of 0",
        )
    return Shape((int(negatives or 0) + 1,), axis)


OPS: tuple[Op, ...] = (
    Op(
        "CosDistance",
        ("x", "y"),
        _cosine,
        "x . y / (|x| |y|) for each frame, where norms count as at least 1e-30.",
    ),
    Op(
        "CosDistanceWithNegativeSamples",
        ("x", "y", "shift", "numNegative"),
        _cosine_with_negatives,
        "First the cosine of x and y of a frame, then, for m from 1 to numNegative, that of x and the y of the frame "
        "shift + m - 1 columns further in the minibatch (beginning again at its end, and across sequences).",
    ),
)
