"""Batch normalization, and normalization by the mean and variance of the training data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import (
    IMAGE_LAYOUTS,
    LAYOUT_NAMES,
    check_inputs,
    common_axis,
    fits,
    infer_from,
    is_chw,
    named,
)
from bsls.shape import Shape

SCALE, RUN_COUNT = 1, 5
"""Indices of the first parameter and of the sample count, which models before version 19 lack."""


def _batch_normalization(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    x = ctx.inputs[0]
    spatial = bool(ctx.attributes.get("spatial", False))
    if x.dims and prod(x.dims) > 0:
        elements = x.dims[-1] if spatial else x.elements
        for i in range(SCALE, RUN_COUNT):
            if ctx.inputs[i].dims == (0, 1):
                infer_from(ctx, i, (elements, 1))
    if ctx.final:
        _check_parameters(ctx, x, spatial)
    return Shape(x.dims, axis)


def _check_parameters(ctx: ShapeContext, x: Shape, spatial: bool) -> None:
    wanted = f"[{x.dims[-1] if spatial and x.dims else x.elements} x 1]"
    for i in range(SCALE, RUN_COUNT):
        if ctx.inputs[i].axis is not None:
            raise ShapeError(
                f"{named(ctx, i)} depends on the data",
                i,
                "scale, bias and running statistics of batch normalization must be parameters",
            )
        if ctx.inputs[i].dims != ctx.inputs[SCALE].dims:
            raise ShapeError(
                f"{named(ctx, i)} and {named(ctx, SCALE)} must have the same shape",
                i,
                f"scale, bias, running mean and running variance are all {wanted}; [0 x 1] is inferred",
            )
    if len(ctx.inputs) > RUN_COUNT:
        count = ctx.inputs[RUN_COUNT]
        if count.axis is not None or count.rank > 1 or count.elements != 1:
            raise ShapeError(f"the run count {named(ctx, RUN_COUNT)} must be a parameter [1]", RUN_COUNT)
    if spatial and not is_chw(ctx):
        raise ShapeError(
            "spatial batch normalization needs the image layout CHW",
            0,
            "set imageLayout = 'CHW', with data [width x height x channels]",
        )
    blend = float(ctx.attributes.get("blendTimeConstant", 0.0))  # type: ignore[arg-type]
    if blend < 0:
        raise ShapeError(f"blendTimeConstant is {blend:g}, but must not be negative")


def _upgrade_batch_normalization(attributes: dict[str, object], version: int) -> None:
    """Before version 13 minibatches were counted, and the running variance was an inverse standard deviation.

    `varianceIsInverseStdDev` tells that the parameter still has to be converted: variance = 1 / s^2 + epsilon.
    """
    for name in ("versionWritten", "versionReadable", "evaluation", "averagingFactor"):
        attributes.pop(name, None)
    if version < 13:
        attributes["runCount"] = 16 * int(attributes.pop("minibatchCount", 0))  # type: ignore[call-overload]
        attributes["varianceIsInverseStdDev"] = True
    elif version == 19:
        attributes["runCount"] = 0 if attributes.pop("runCountIsZero") else 2**64 - 1


def _stored_batch_normalization(
    attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape
) -> Mapping[str, object]:
    """On the CPU the reference turns its own engine on, whatever was asked for."""
    return {"useCntkEngine": True}


def _since(sub_version: int) -> Callable[[Mapping[str, object]], bool]:
    """Whether the header of the operation's own, used before version 6, says at least this version."""
    return lambda read: int(read["versionWritten"]) >= sub_version  # type: ignore[call-overload]


def _statistic(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    x = ctx.inputs[0]
    if ctx.final and x.axis is None:
        raise ShapeError(f"{named(ctx, 0)} does not depend on the data", 0, "statistics are taken over all samples")
    return Shape(x.dims)


def _normalize(ctx: ShapeContext) -> Shape:
    return _per_dimension(ctx, legacy=True)


def _denormalize(ctx: ShapeContext) -> Shape:
    return _per_dimension(ctx, legacy=False)


def _per_dimension(ctx: ShapeContext, legacy: bool) -> Shape:
    axis = common_axis(ctx)
    x = ctx.inputs[0].dims
    for i in (1, 2):
        infer_from(ctx, i, x)
    column = (x[-1], 1) if x else ()
    if legacy and len(x) == 3 and x[:2] == (1, 1) and ctx.inputs[1].dims == ctx.inputs[2].dims == column:
        for i in (1, 2):
            if ctx.is_parameter(i):  # statistics of old models are columns
                ctx.reshape(i, x)
        return Shape(x, axis)
    for i in (1, 2):
        if ctx.final and not fits(x, ctx.inputs[i].dims):
            raise ShapeError(
                f"{named(ctx, i)} does not fit {named(ctx, 0)}",
                i,
                f"mean and inverse standard deviation have the shape of a sample, {Shape(x)}",
            )
    return Shape(x, axis)


_STATISTIC_FIELDS = (Field("hasComputed", "bool", default=False), Field("value", "matrix"))

OPS: tuple[Op, ...] = (
    Op(
        "BatchNormalization",
        ("x", "scale", "bias", "runMean", "runVariance", "runCount?"),
        _batch_normalization,
        "scale * (x - m) / sqrt(v + epsilon) + bias, per element of a sample, or per channel (last axis) if spatial. "
        "While training, m and v are the mean and the variance of the minibatch, blended with the running ones, which "
        "then move towards them by 1 - e^(-N / normalizationTimeConstant) for N samples; otherwise they are the "
        "running ones. Parameters of shape [0 x 1] are inferred.",
        (
            Attribute("spatial", "boolean", False, "One mean and variance per channel instead of per element."),
            Attribute(
                "normalizationTimeConstant",
                "number",
                0.0,
                "Time constant of the running statistics in samples; 0: those of the last minibatch; negative: the "
                "average of all.",
            ),
            Attribute("blendTimeConstant", "number", 0.0, "Weight of the running statistics in samples; 0: none."),
            Attribute("epsilon", "number", 1e-5, "Added to the variance."),
            Attribute("useCntkEngine", "boolean", True, "Which implementation to use on a GPU; no effect on values."),
            Attribute("disableRegularization", "boolean", False, "Leave scale and bias out of L1 and L2."),
            Attribute("imageLayout", "string", "CHW", "Order of image axes; must be CHW if spatial.", IMAGE_LAYOUTS),
        ),
        (
            Field("versionWritten", "i32", until=5),
            Field("versionReadable", "i32", until=5),
            Field("evaluation", "bool", until=5),
            Field("spatial", "bool"),
            Field("averagingFactor", "f64", until=5, when=lambda read: not _since(0x00010004)(read)),
            Field("normalizationTimeConstant", "f64", until=5, default=0.0, when=_since(0x00010004)),
            Field("normalizationTimeConstant", "f64", since=6, default=0.0),
            Field("blendTimeConstant", "f64", since=6, default=0.0),
            Field("imageLayout", "i32", until=5, default="CHW", names=LAYOUT_NAMES, when=_since(0x00010002)),
            Field("minibatchCount", "u64", until=5, default=0, when=_since(0x00010002)),
            Field("epsilon", "f64", until=5, default=0.0, when=_since(0x00010003)),
            Field("useCntkEngine", "bool", until=5, default=True, when=_since(0x00010003)),
            Field("imageLayout", "i32", since=6, default="CHW", names=LAYOUT_NAMES),
            Field("minibatchCount", "u64", since=6, until=12),
            Field("runCount", "u64", since=13, until=18),
            Field("runCountIsZero", "bool", since=19, until=19),
            Field("runCount", "u64", since=20, default=0),
            Field("epsilon", "f64", since=6, default=1e-5),
            Field("useCntkEngine", "bool", since=6, default=True),
        ),
        upgrade=_upgrade_batch_normalization,
        stored=_stored_batch_normalization,
    ),
    Op(
        "Mean",
        ("x",),
        _statistic,
        "The mean of x over all frames of the training data, computed once before training.",
        fields=_STATISTIC_FIELDS,
        reference_limits="CNTK 2.7 computes it only when it trains; writing a fresh network with it fails.",
    ),
    Op(
        "InvStdDev",
        ("x",),
        _statistic,
        "1 / sqrt(max(variance, 1e-10)) of x over all frames of the training data, computed once before training.",
        fields=_STATISTIC_FIELDS,
        reference_limits="CNTK 2.7 computes it only when it trains; writing a fresh network with it fails.",
    ),
    Op(
        "PerDimMeanVarNormalization",
        ("x", "mean", "invStdDev"),
        _normalize,
        "(x - mean) * invStdDev. It has no gradient.",
        old_names=("PerDimMeanVarNormalizationNode",),
    ),
    Op(
        "PerDimMeanVarDeNormalization",
        ("x", "mean", "invStdDev"),
        _denormalize,
        "x / invStdDev + mean. It has no gradient.",
        old_names=("PerDimMeanVarDeNormalizationNode",),
    ),
)

STATISTICS = frozenset(op.name for op in OPS if op.shape is _statistic)
"""Operations on all frames of the training data, which are computed once before training."""
