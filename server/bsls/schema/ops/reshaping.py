"""Operations that move elements without computing: reshape, slice, splice, repeat, transpose, diagonal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import (
    IMAGE_LAYOUTS,
    as_tuple,
    at,
    check_inputs,
    common_axis,
    dims_of,
    integer,
    is_chw,
    named,
    show,
)
from bsls.shape import Dims, Shape


def _reshape(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    dims = ctx.inputs[0].dims
    given = dims_of(ctx, "shape")
    begin, end = integer(ctx, "beginAxis"), integer(ctx, "endAxis")
    first = begin - 1 if begin > 0 else 0
    last = end - 1 if end > 0 else len(dims)
    if ctx.final and not first <= last <= len(dims):
        raise ShapeError(
            f"{named(ctx, 0)} has no axes {begin} to {end} to reshape",
            0,
            f"axes count from 1 to {len(dims)}, and endAxis is the one behind the last to be replaced",
        )
    last = min(last, len(dims))
    first = min(first, last)
    if given.count(0) > 1:
        raise ShapeError(f"only one dimension of {show(given)} may be 0", help="one 0 is inferred from the others")
    replaced, known = prod(dims[first:last]), prod(d for d in given if d)
    new = (*dims[:first], *(d or replaced // known for d in given), *dims[last:])
    if ctx.final and prod(new) != prod(dims):
        reason = f"which is not a multiple of {known}" if 0 in given else f"not {known}"
        raise ShapeError(
            f"the dimensions {show(dims[first:last])} of {named(ctx, 0)} cannot become {show(given)}: they hold "
            f"{replaced} elements, {reason}",
            0,
            "the number of elements must stay the same; one dimension may be 0 and is then inferred",
        )
    return Shape(new, axis)


def _image(attributes: Mapping[str, object], chw: bool) -> Dims:
    """The image that a LegacyReshape makes; a dimension of 0 was not given."""
    if "imageShape" in attributes:
        return as_tuple(attributes["imageShape"])
    names = ("imageWidth", "imageHeight", "imageChannels") if chw else ("imageChannels", "imageWidth", "imageHeight")
    return tuple(int(attributes.get(name, 0)) for name in names)  # type: ignore[call-overload]


def _legacy_reshape(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    x, rows = ctx.inputs[0], integer(ctx, "numRows")
    image = _image(ctx.attributes, is_chw(ctx))
    given = prod(d for d in image if d)
    if not any(image):
        image = (1, rows, 1)
    elif rows % given or image.count(0) > 1 or (0 not in image and given != rows):
        raise ShapeError(
            f"{rows} rows are not an image {show(image)}",
            help="give two of width, height and channels, whose product divides numRows, or all three",
        )
    image = tuple(d or rows // given for d in image)
    size = x.elements if x.axis else x.dim(0)
    if ctx.final and (rows == 0 or size == 0 or max(rows, size) % min(rows, size)):
        raise ShapeError(
            f"{rows} rows cannot be made of {named(ctx, 0)}",
            0,
            f"the number must be a multiple of {size}, or divide it",
        )
    if x.axis is None:
        return Shape(image)
    return Shape(image, x.axis if rows == size else ctx.new_axis())


def _stored_legacy_reshape(
    attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape
) -> Mapping[str, object]:
    return {"imageShape": shape.dims}


def slice_range(begin: int, end: int, dim: int) -> tuple[int, int]:
    """First and end index from 0 of a slice of an axis of size `dim`, where negative ones count from its end.

    An end of 0 is the end of the axis.
    """
    return begin + dim if begin < 0 else begin, end + dim if end <= 0 else end


def slices(attributes: Mapping[str, object]) -> list[tuple[int, int, int, int]]:
    """Begin, end, axis and stride of each slice; a script can only say one, with stride 1."""
    begins, ends = as_tuple(attributes["beginIndex"]), as_tuple(attributes["endIndex"])
    axes, strides = as_tuple(attributes.get("axis", 1)), as_tuple(attributes.get("stride", 1))
    return [(b, e, at(axes, i), at(strides, i)) for i, (b, e) in enumerate(zip(begins, ends, strict=True))]


def _slice(ctx: ShapeContext) -> Shape:
    result_axis = common_axis(ctx)
    dims = list(ctx.inputs[0].dims)
    for begin, end, axis, stride in slices(ctx.attributes):
        if axis < 1 or (ctx.final and axis > len(dims)):
            raise ShapeError(f"{named(ctx, 0)} has no axis {axis} to slice", 0, f"axes count from 1 to {len(dims)}")
        if axis > len(dims):
            continue
        size = dims[axis - 1]
        first, last = slice_range(begin, end, ctx.inputs[0].dims[axis - 1])
        if not 0 <= first < last <= size:
            if ctx.final:
                raise ShapeError(
                    f"the slice from {begin} to {end} does not lie in axis {axis} of {named(ctx, 0)}",
                    0,
                    f"it is empty or outside of 0 to {size}; negative indices count from the end, an end of 0 is the end",
                )
            continue
        if not 0 < abs(stride) <= last - first:
            raise ShapeError(f"a stride of {stride} does not fit into the slice from {first} to {last}", 0)
        dims[axis - 1] = -(-(last - first) // abs(stride))
    return Shape(tuple(dims), result_axis)


def _row_stack(ctx: ShapeContext) -> Shape:
    result_axis = common_axis(ctx)
    axis = integer(ctx, "axis", 1)
    if axis < 1:
        raise ShapeError(f"operands cannot be stacked along axis {axis}", help="axes count from 1; time has no number")
    k = axis - 1
    rank = max(axis, *(shape.rank for shape in ctx.inputs)) if ctx.inputs else axis
    dims = [ctx.inputs[0].dim(i) if ctx.inputs else 1 for i in range(rank)]
    dims[k] = 0
    for index, shape in enumerate(ctx.inputs):
        for i in range(rank):
            d = shape.dim(i)
            if i == k:
                dims[k] += d
                continue
            if ctx.final and d != dims[i] and 1 not in (d, dims[i]):
                raise ShapeError(
                    f"operand {named(ctx, index)} does not fit beside {named(ctx, 0)} along axis {axis}",
                    index,
                    f"dimension {i + 1} is {d} and {dims[i]}: all dimensions but the {_ordinal(axis)} must agree",
                )
            if dims[i] == 1:
                dims[i] = d
    return Shape(tuple(dims), result_axis)


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def _row_repeat(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    dims = ctx.inputs[0].dims
    return Shape((*dims[:-1], dims[-1] * integer(ctx, "numRepeats", 1)) if dims else dims, axis)


def transposition(attributes: Mapping[str, object], rank: int) -> tuple[int, ...]:
    """Which input axis (from 0) each axis of the result is; new axes of size 1 have numbers from `rank`.

    Raises ShapeError where the attributes do not describe a transposition.
    """
    axis1, axis2 = int(attributes["axis1"]), int(attributes["axis2"])  # type: ignore[call-overload]
    permutation = as_tuple(attributes.get("permutation", ()))
    if permutation:
        if axis1 or axis2:
            raise ShapeError("a transposition takes either two axes or a permutation, not both", 0)
        if sorted(permutation) != list(range(rank)):
            raise ShapeError(f"{permutation} is not a permutation of the {rank} axes of the operand", 0)
        return permutation
    if axis1 < 1 or axis2 < 1:
        raise ShapeError(f"the axes {axis1} and {axis2} cannot be swapped", 0, "axes count from 1")
    if axis1 > rank and axis2 > rank:
        raise ShapeError(
            f"neither axis {axis1} nor axis {axis2} exists",
            0,
            f"the operand has {rank}; one of the two may lie beyond and is then made with size 1",
        )
    order = list(range(max(rank, axis1, axis2)))
    order[axis1 - 1], order[axis2 - 1] = order[axis2 - 1], order[axis1 - 1]
    return tuple(order)


def _transpose(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    x = ctx.inputs[0]
    if not ctx.final and not x.dims:
        return Shape((), axis)
    return Shape(tuple(x.dim(k) for k in transposition(ctx.attributes, x.rank)), axis)


def _diagonal(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    x = ctx.inputs[0]
    rows, columns = x.dim(0), prod(x.dims[1:])
    if ctx.final:
        if x.axis is not None:
            raise ShapeError(f"the diagonal of {named(ctx, 0)} cannot be taken frame by frame", 0, "use a parameter")
        if rows != columns:
            raise ShapeError(f"{named(ctx, 0)} is not square", 0, "only a square matrix has a diagonal")
    dims: Dims = (1, columns)
    return Shape(dims)


def _upgrade_slice(attributes: dict[str, object], version: int) -> None:
    """A stride of 1 is what scripts can say; they have no attribute for it."""
    if attributes.get("stride") == 1:
        del attributes["stride"]


OPS: tuple[Op, ...] = (
    Op(
        "Reshape",
        ("x",),
        _reshape,
        "The same elements, in column-major order, with other dimensions: the axes from beginAxis up to, but not "
        "including, endAxis are replaced by shape, in which one dimension may be 0 and is then inferred.",
        (
            Attribute("shape", "shape", doc="The new dimensions; one may be 0."),
            Attribute("beginAxis", "integer", 0, "First axis to replace, from 1; 0: the first."),
            Attribute("endAxis", "integer", 0, "Axis behind the last one to replace; 0: behind the last of all."),
        ),
        (Field("beginAxis", "i32"), Field("endAxis", "i32"), Field("shape", "shape")),
    ),
    Op(
        "LegacyReshape",
        ("x",),
        _legacy_reshape,
        "The same elements in frames of numRows elements, as [1 x numRows x 1] or as an image. Where that is more than x "
        "has, several frames become one, and where it is less, one becomes several, on a new dynamic axis.",
        (
            Attribute("numRows", "integer", doc="Elements of a frame."),
            Attribute("imageWidth", "integer", 0, "Width of the image; one of the three may be left out."),
            Attribute("imageHeight", "integer", 0, "Height of the image."),
            Attribute("imageChannels", "integer", 0, "Channels of the image."),
            Attribute("imageLayout", "string", "CHW", "Order of the axes of the image.", IMAGE_LAYOUTS),
        ),
        (Field("numRows", "u64"), Field("imageShape", "legacy_shape")),
        stored=_stored_legacy_reshape,
    ),
    Op(
        "Slice",
        ("x",),
        _slice,
        "x[begin .. end) along an axis of the sample. Indices count from 0, negative ones from the end, and an "
        "endIndex of 0 is the end.",
        (
            Attribute("beginIndex", "integer", doc="First index; negative: from the end."),
            Attribute("endIndex", "integer", doc="Index behind the last; 0 or negative: from the end."),
            Attribute("axis", "integer", 1, "Axis from 1."),
        ),
        (Field("slices", "slices"),),
        ("RowSlice",),
        upgrade=_upgrade_slice,
    ),
    Op(
        "RowStack",
        ("x", "..."),
        _row_stack,
        "The operands side by side along an axis (Splice); an axis beyond their ranks is made new. In all other axes "
        "they must agree, where a 1 is repeated; an operand without a dynamic axis is repeated for every frame.",
        (Attribute("axis", "integer", 1, "Axis from 1."),),
        (Field("axis", "i32", since=3, default=1),),
    ),
    Op(
        "RowRepeat",
        ("x",),
        _row_repeat,
        "The sample repeated numRepeats times one after the other: the last axis becomes that many times as long.",
        (Attribute("numRepeats", "integer", doc="How often."),),
        (Field("numRepeats", "u64"),),
    ),
    Op(
        "TransposeDimensions",
        ("x",),
        _transpose,
        "x with two axes swapped. One of them may lie beyond the rank and is then made with size 1, so that a vector "
        "[n] can become a row [1 x n].",
        (
            Attribute("axis1", "integer", doc="Axis from 1."),
            Attribute("axis2", "integer", doc="Axis from 1."),
        ),
        (
            Field("axis1", "i32", since=3, default=1),
            Field("axis2", "i32", since=3, default=2),
            Field("permutation", "vec_u64", since=25, default=(), when=lambda a: a["axis1"] == 0 and a["axis2"] == 0),
        ),
        ("Transpose",),
    ),
    Op(
        "Diagonal",
        ("A",),
        _diagonal,
        "The diagonal of a square matrix [n x n] as a row [1 x n].",
        reference_limits="CNTK 2.7 has no gradient for it.",
    ),
)
