"""Operations that serve computing itself: change of element type, tracing, running averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import check_inputs, infer_each_other, named, unary
from bsls.shape import Shape

FORMAT_TYPES = ("real", "category", "sparse")
"""How the member `type` of a Trace's format says that values are shown."""


def _accumulator(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    return Shape(ctx.inputs[0].dims)


def _trace(ctx: ShapeContext) -> Shape:
    kind = _format(ctx.attributes).get("type", "real")
    if kind not in FORMAT_TYPES:
        raise ShapeError(f"there is no output format '{kind}'", help=f"use one of {', '.join(FORMAT_TYPES)}")
    return unary(ctx)


def _format(attributes: Mapping[str, object]) -> dict[str, object]:
    return dict(attributes.get("format", ()))  # type: ignore[call-overload]


def _stored_trace(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    """A file holds the members of the format one by one."""
    options = _format(attributes)
    kind = options.pop("type", None)
    if kind is None:
        options.pop("labelMappingFile", None)  # the reference reads it only beside a type
        return options
    return {**options, "isCategoryLabel": kind == "category", "isSparse": kind == "sparse"}


def _assign(ctx: ShapeContext) -> Shape:
    infer_each_other(ctx, 2)
    for i, shape in enumerate(ctx.inputs):
        if shape.axis is not None:
            raise ShapeError(f"{named(ctx, i)} depends on the data", i, "only parameters and constants can be assigned")
    if ctx.final and ctx.inputs[0].dims != ctx.inputs[1].dims:
        raise ShapeError(f"{named(ctx, 1)} cannot be assigned to {named(ctx, 0)}", 1, "they must have the same shape")
    return Shape(ctx.inputs[1].dims)


def _unknown(ctx: ShapeContext) -> Shape:
    raise ShapeError("what it computes is the code of another program", help="only that program can run it")


OPS: tuple[Op, ...] = (
    Op(
        "Cast",
        ("x",),
        unary,
        "x with its elements converted to another type.",
        (Attribute("precision", "string", doc="Element type.", values=("float", "double", "float16", "half")),),
    ),
    Op(
        "Trace",
        ("x",),
        _trace,
        "x itself; writes its value to the log for the first logFirst minibatches, and then for every logFrequency-th.",
        (
            Attribute("say", "string", "", "Text to write before the value."),
            Attribute("logFrequency", "integer", 100, "Minibatches from one message to the next."),
            Attribute("logFirst", "integer", 10, "Number of first minibatches that are all shown."),
            Attribute("logGradientToo", "boolean", False, "Show the gradient as well."),
            Attribute("onlyUpToRow", "integer", 100000000, "Number of elements to show."),
            Attribute("onlyUpToT", "integer", 100000000, "Number of frames to show."),
            Attribute("format", "record", (), "How to show values, as in the action write."),
        ),
        (
            Field("say", "wstr", default=""),
            Field("logFirst", "u64", default=10),
            Field("logFrequency", "u64", default=100),
            Field("logGradientToo", "bool", default=False),
            Field("isCategoryLabel", "bool", default=False),
            Field("labelMappingFile", "wstr", default=""),
            Field("isSparse", "bool", default=False),
            Field("transpose", "bool", default=True),
            Field("prologue", "str8", default=""),
            Field("epilogue", "str8", default=""),
            Field("sequenceSeparator", "str8", default=""),
            Field("sequencePrologue", "str8", default=""),
            Field("sequenceEpilogue", "str8", default="\n"),
            Field("elementSeparator", "str8", default=" "),
            Field("sampleSeparator", "str8", default="\n"),
            Field("precisionFormat", "str8", default=""),
            Field("onlyUpToRow", "u64", default=100000000),
            Field("onlyUpToT", "u64", default=100000000),
        ),
        stored=_stored_trace,
    ),
    Op(
        "EpochAccumulator",
        ("x",),
        _accumulator,
        "The mean of x over all frames since the epoch began. It has no gradient.",
    ),
    Op(
        "ConstantOp",
        ("x",),
        unary,
        "fillValue for each element of x. It has no gradient.",
        (Attribute("fillValue", "number", doc="The value."),),
        in_scripts=False,
    ),
    Op(
        "Assign",
        ("ref", "x"),
        _assign,
        "x itself; ref gets its value once the minibatch is done.",
        in_scripts=False,
    ),
    Op(
        "CustomProxyOpNode",
        ("...",),
        _unknown,
        "Stands for an operation of another program in a model that was made from ONNX.",
        in_scripts=False,
    ),
    Op(
        "UserDefinedV2Function",
        ("...",),
        _unknown,
        "A function of the program that made the model.",
        in_scripts=False,
    ),
)
