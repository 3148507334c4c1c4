"""Random operations: dropout, and samples of classes."""

from __future__ import annotations

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import check_inputs, dims_of, integer, named, numbers, unary
from bsls.shape import Dims, Shape


def _checked_classes(ctx: ShapeContext) -> tuple[int, int]:
    """Number of classes and size of a sample."""
    check_inputs(ctx)
    classes, size = ctx.inputs[0].dim(0), integer(ctx, "sizeOfSampledSet")
    if size == 0:
        raise ShapeError("sizeOfSampledSet is 0", help="give the number of classes to draw")
    if ctx.final and not ctx.attributes["allowDuplicates"] and classes <= size:
        raise ShapeError(
            f"{size} different classes cannot be drawn from {named(ctx, 0)}",
            0,
            f"sizeOfSampledSet must be less than {classes} unless duplicates are allowed",
        )
    return classes, size


def _random_sample(ctx: ShapeContext) -> Shape:
    dims: Dims = _checked_classes(ctx)
    return Shape(dims)


def _inclusion_frequency(ctx: ShapeContext) -> Shape:
    classes, _ = _checked_classes(ctx)
    return Shape((classes, 1))


def _distribution(ctx: ShapeContext) -> Shape:
    kind, values = str(ctx.attributes["distribution"]), numbers(ctx, "arguments")
    if kind not in DISTRIBUTIONS:
        raise ShapeError(f"there is no distribution '{kind}'", help=f"use one of {', '.join(DISTRIBUTIONS)}")
    if len(values) != DISTRIBUTIONS[kind]:
        raise ShapeError(f"the distribution {kind} has {DISTRIBUTIONS[kind]} arguments, not {len(values)}")
    return unary(ctx) if ctx.inputs else Shape(dims_of(ctx, "shape"))


DISTRIBUTIONS = {"uniform": 2, "normal": 2, "gumbel": 2, "bernoulli": 1}
"""Number of arguments of each: bounds, mean and deviation, location and scale, probability."""

_SAMPLE_ATTRIBUTES = (
    Attribute("sizeOfSampledSet", "integer", doc="Number of classes to draw."),
    Attribute("allowDuplicates", "boolean", doc="Whether a class may be drawn more than once."),
)
_STATE_FIELDS = (Field("rngSeed", "u64", since=16, default=0), Field("rngOffset", "u64", since=16, default=0))
_SAMPLE_FIELDS = (Field("allowDuplicates", "bool"), Field("sizeOfSampledSet", "u64"), *_STATE_FIELDS)

OPS: tuple[Op, ...] = (
    Op(
        "Dropout",
        ("x",),
        unary,
        "While training with dropout rate p: each element of x is set to 0 with probability p and multiplied by "
        "1 / (1 - p) otherwise; else x itself. The rate is the trainer's dropoutRate.",
        fields=_STATE_FIELDS,
    ),
    Op(
        "RandomSample",
        ("weights",),
        _random_sample,
        "sizeOfSampledSet classes drawn with probabilities proportional to the weights, as one-hot columns; drawn anew "
        "for every minibatch.",
        _SAMPLE_ATTRIBUTES,
        _SAMPLE_FIELDS,
    ),
    Op(
        "RandomSampleInclusionFrequency",
        ("weights",),
        _inclusion_frequency,
        "How often each class is to be expected in a RandomSample: p n with duplicates; without them 1 - (1 - p)^T, "
        "where T is the mean number of draws needed.",
        _SAMPLE_ATTRIBUTES,
        _SAMPLE_FIELDS,
    ),
    Op(
        "RandomDistribution",
        ("like?",),
        _distribution,
        "Random numbers of the shape that is given, or of the operand's, anew for every minibatch. It has no gradient.",
        (
            Attribute("distribution", "string", doc="Kind of distribution.", values=tuple(DISTRIBUTIONS)),
            Attribute("arguments", "numbers", (), "Bounds, mean and deviation, location and scale, or probability."),
            Attribute("shape", "shape", (), "Shape where there is no operand."),
        ),
        _STATE_FIELDS,
        in_scripts=False,
    ),
)
