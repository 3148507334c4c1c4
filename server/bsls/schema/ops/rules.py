"""What the shape rules of several families share: inputs checked, parameters completed, shapes broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from bsls.schema.ops.base import ShapeContext, ShapeError
from bsls.shape import Dims, DynamicAxis, Shape

SCALAR: Dims = (1,)
"""Sample shape of what is a single number."""

NO_SEQUENCE = "__noSequenceAxis"
"""Name of the dynamic axes whose sequences have one frame."""

IMAGE_LAYOUTS = ("CHW", "cudnn", "HWC", "legacy")
"""Orders of image axes: CHW (also called cudnn) is [W x H x C] here, HWC (legacy) is [C x W x H]."""

LAYOUT_NAMES = (("HWC", "legacy"), ("CHW", "cudnn"))
"""The same by their numbers in files."""


def is_chw(ctx: ShapeContext) -> bool:
    """Whether the attribute imageLayout is CHW."""
    layout = str(ctx.attributes.get("imageLayout", "CHW"))
    if layout not in IMAGE_LAYOUTS:
        raise ShapeError(f"there is no image layout '{layout}'", help=f"use one of {', '.join(IMAGE_LAYOUTS)}")
    return layout in ("CHW", "cudnn")


def show(dims: Dims) -> str:
    """`[3 x 4]`, as shapes print."""
    return str(Shape(dims))


def named(ctx: ShapeContext, index: int) -> str:
    """`'x' [3 x *]`: an operand and its shape, for messages."""
    return f"'{ctx.operand(index)}' {ctx.inputs[index]}"


def at(values: Sequence[int], index: int) -> int:
    """The value for an axis where one value stands for all axes."""
    return values[0] if len(values) == 1 else values[index]


def as_tuple(value: object) -> tuple[int, ...]:
    """A number, or several of them, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (int(value),)  # type: ignore[call-overload]


def integer(ctx: ShapeContext, name: str, default: int = 0) -> int:
    """The attribute `name` as a whole number."""
    return int(ctx.attributes.get(name, default))  # type: ignore[call-overload]


def dims_of(ctx: ShapeContext, name: str, default: Dims = ()) -> Dims:
    """The attribute `name` as dimensions."""
    return as_tuple(ctx.attributes.get(name, default))


def numbers(ctx: ShapeContext, name: str) -> tuple[float, ...]:
    """The attribute `name` as numbers."""
    value = ctx.attributes.get(name, ())
    return tuple(value) if isinstance(value, (tuple, list)) else (float(value),)  # type: ignore[arg-type]


def check_inputs(ctx: ShapeContext) -> None:
    """In the final pass no operand may be without elements."""
    if not ctx.final:
        return
    for i, shape in enumerate(ctx.inputs):
        if shape.elements == 0:
            raise ShapeError(f"operand {named(ctx, i)} has no elements", i, "a dimension of 0 could not be inferred")


def common_axis(ctx: ShapeContext) -> DynamicAxis | None:
    """Checks the inputs; the axis of the first of them that has one.

    Inputs on different axes pass: their sequences may turn out to be alike (two nodes that each pick the last frame),
    which only the data can tell.
    """
    check_inputs(ctx)
    return next((shape.axis for shape in ctx.inputs if shape.axis), None)


def infer_from(ctx: ShapeContext, index: int, dims: Dims) -> None:
    """Completes input `index`, if it is a parameter with unknown dims, from known `dims`.

    A parameter without any known dim takes `dims` as they are (even those of rank 0); otherwise its zeros are filled
    axis by axis and its rank grows, but does not shrink.
    """
    own = ctx.inputs[index].dims
    if not ctx.is_parameter(index) or prod(own) != 0 or prod(dims) == 0:
        return
    if not any(own):
        ctx.infer(index, dims)
    elif len(own) <= len(dims):
        ctx.infer(index, tuple(d or o for d, o in zip(own + (0,) * (len(dims) - len(own)), dims, strict=True)))


def infer_each_other(ctx: ShapeContext, count: int) -> None:
    """Completes the first `count` inputs from one another."""
    for i in range(count):
        for other in range(count):
            if other != i:
                infer_from(ctx, i, ctx.inputs[other].dims)


def fits(dims: Dims, other: Dims) -> bool:
    """Whether `dims` go with `other` element by element, where a 1 goes with everything.

    What `other` has beyond the rank of `dims` is not looked at.
    """
    padded = other + (1,) * (len(dims) - len(other))
    return all(d == o or d == 1 or o == 1 for d, o in zip(dims, padded, strict=False))


def unary(ctx: ShapeContext) -> Shape:
    """Shape and axis of the input."""
    axis = common_axis(ctx)
    return Shape(ctx.inputs[0].dims, axis)


def broadcast(ctx: ShapeContext) -> Shape:
    """Two operands element by element: aligned at the first axis, missing axes are 1, a 1 is repeated."""
    axis = common_axis(ctx)
    infer_each_other(ctx, 2)
    left, right = ctx.inputs[0].dims, ctx.inputs[1].dims
    dims = list(left + (1,) * (len(right) - len(left)))
    for k, d in enumerate(right):
        if dims[k] <= 1 and d != 0:
            dims[k] = d
        elif d <= 1 and dims[k] != 0:
            continue
        elif ctx.final and d != dims[k]:
            raise _mismatch(ctx, 0, 1, k)
    return Shape(tuple(dims), axis)


def broadcast_all(ctx: ShapeContext) -> Shape:
    """Three and more operands element by element; differing known dims are an error in every pass."""
    axis = common_axis(ctx)
    infer_each_other(ctx, len(ctx.inputs))
    rank = max(shape.rank for shape in ctx.inputs)
    first = ctx.inputs[0].dims
    dims = list(first + (1,) * (rank - len(first)))
    for k in range(rank):
        large = [i for i, shape in enumerate(ctx.inputs) if shape.dim(k) > 1]
        for i in large[1:]:
            if ctx.inputs[i].dim(k) != ctx.inputs[large[0]].dim(k):
                raise _mismatch(ctx, large[0], i, k)
        for shape in ctx.inputs:
            if dims[k] <= 1 and k < shape.rank and shape.dims[k] != 0:
                dims[k] = shape.dims[k]
    return Shape(tuple(dims), axis)


def _mismatch(ctx: ShapeContext, first: int, second: int, axis: int) -> ShapeError:
    a, b = ctx.inputs[first], ctx.inputs[second]
    message = f"{named(ctx, first)} and {named(ctx, second)} do not fit element by element"
    sizes = f"dimension {axis + 1} is {a.dim(axis)} and {b.dim(axis)}: it must be the same in both, or 1 in one of them"
    if a.elements == b.elements:
        sizes += f"; both have {a.elements} elements, so reshaping one of them would do"
    return ShapeError(message, second, sizes)


def reduce_pair(ctx: ShapeContext) -> Shape:
    """Two minibatches of matching samples to one number for all of them."""
    check_inputs(ctx)
    infer_each_other(ctx, 2)
    if ctx.final:
        a, b = ctx.inputs[0], ctx.inputs[1]
        if not fits(a.dims, b.dims):
            raise ShapeError(
                f"the samples of {named(ctx, 0)} and {named(ctx, 1)} differ in shape",
                1,
                f"'{ctx.operand(1)}' would have to be {Shape(a.dims, b.axis)}",
            )
        for i in (0, 1):
            if ctx.inputs[i].axis is None:
                raise ShapeError(
                    f"operand {named(ctx, i)} does not depend on the data",
                    i,
                    "a criterion sums over the samples of a minibatch: compute it from an input",
                )
    return Shape(SCALAR)


def reduce_all(ctx: ShapeContext) -> Shape:
    """Everything in a minibatch to one number."""
    check_inputs(ctx)
    return Shape(SCALAR)
