"""Convolution and pooling of images and of tensors of any rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.geometry import Window
from bsls.schema.ops.rules import (
    IMAGE_LAYOUTS,
    LAYOUT_NAMES,
    NO_SEQUENCE,
    SCALAR,
    as_tuple,
    common_axis,
    dims_of,
    infer_from,
    integer,
    is_chw,
    named,
    show,
)
from bsls.shape import Dims, Shape

POOLS = ("none", "max", "average")


def _as_image(ctx: ShapeContext, index: int) -> Dims:
    """Width, height and channels of an operand of rank 3, whatever its layout."""
    dims = ctx.inputs[index].dims
    if len(dims) != 3:
        raise ShapeError(f"{named(ctx, index)} is no image of three axes", index, "this operation is for images only")
    return dims if is_chw(ctx) else (dims[1], dims[2], dims[0])


def _in_layout(ctx: ShapeContext, image: Dims) -> Dims:
    """[W x H x C] in the order of the node's image layout."""
    if is_chw(ctx):
        return image
    if len(image) != 3:
        raise ShapeError(f"the image layout HWC needs three axes, not {show(image)}", help="use imageLayout = 'CHW'")
    return (image[2], image[0], image[1])


def legacy_window(attributes: Mapping[str, object], image: Dims) -> Window:
    """The window of a two-dimensional convolution of old models, which covers all channels at each place."""
    kernel = as_tuple(attributes["kernelShape"])
    stride = list(as_tuple(attributes.get("strideShape", 1)))
    flat = {
        **attributes,
        "kernelShape": kernel[:2],
        "strideShape": (stride[0], stride[1] if len(stride) > 1 else stride[0]),
    }
    window = Window.of(flat, image)
    count = prod(as_tuple(attributes.get("mapCount", 0)))
    return Window(
        window.kernel, window.stride, window.auto_pad, window.lower, window.upper, window.sharing, (count,)
    )  # fmt: skip


def window_of(attributes: Mapping[str, object], image: Dims) -> Window:
    """The completed window of a Convolution over `image` (for old two-dimensional ones as [W x H x C])."""
    return legacy_window(attributes, image) if attributes.get("convolution2D") else Window.of(attributes, image)


def as_slid(attributes: Mapping[str, object], operand: Dims, result: Dims) -> tuple[Dims, Dims]:
    """Operand and result of a Convolution with their axes in the order of its window, whatever the image layout is."""
    if str(attributes.get("imageLayout", "CHW")) not in LAYOUT_NAMES[0]:
        return operand, result
    if attributes.get("convolution2D"):
        operand = (*operand[1:], operand[0])
    return operand, (*result[1:], result[0])


def _convolution(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    image = ctx.inputs[1].dims
    if not ctx.final and not image:
        return Shape((), axis)
    if ctx.attributes.get("convolution2D"):
        return Shape(_legacy_convolution(ctx), axis)
    window = Window.of(ctx.attributes, image)
    transpose = bool(ctx.attributes.get("transpose", False))
    given = dims_of(ctx, "dimOutputShape", (0,))
    result = _transposed(ctx, window, image, given) if transpose else window.output(image)
    if not transpose and given not in ((), (0,)) and 0 not in image and given != result:
        raise ShapeError(
            f"the output shape {show(given)} that was asked for is not what the convolution gives, {show(result)}",
            1,
            "leave the output shape out",
        )
    _infer_weights(ctx, window)
    if ctx.final:
        _check_weights(ctx, window, result if transpose else image)
    return Shape(_in_layout(ctx, result), axis)


def _transposed(ctx: ShapeContext, window: Window, image: Dims, given: Dims) -> Dims:
    """The image from which a convolution gives the operand; several may, so that it can be given."""
    if given in ((), (0,)):
        return window.input(image)
    back = window.output(given)
    if back != image and 0 not in image:
        raise ShapeError(
            f"a convolution of the output shape {show(given)} gives {show(back)}, not the operand {named(ctx, 1)}",
            1,
            "change the output shape, the stride or the padding",
        )
    return given


def _infer_weights(ctx: ShapeContext, window: Window) -> None:
    if ctx.inputs[0].elements == 0:
        matrix = (prod(window.map_count), prod(window.kernel))
        infer_from(ctx, 0, matrix if ctx.inputs[0].rank == 2 else window.kernel + window.map_count)


def _check_weights(ctx: ShapeContext, window: Window, image: Dims) -> None:
    if ctx.inputs[0].elements != prod(window.kernel) * window.kernels(image):
        raise ShapeError(
            f"the weights {named(ctx, 0)} do not match a window {show(window.kernel)} and {prod(window.map_count)} maps",
            0,
            f"they would have to be {show(window.kernel + window.map_count)}: window, input channels, output channels",
        )
    last = len(image) - 1
    if window.lower_padding(last, image) > 0 and window.stride[-1] < image[last]:
        raise ShapeError(
            "the channels, which are the last axis, would be padded",
            1,
            "give automatic padding per axis, with false for the channels: (true:true:false)",
        )


def _legacy_convolution(ctx: ShapeContext) -> Dims:
    """The form before version 5: an image of rank 3, weights [maps x window * channels]."""
    image = _as_image(ctx, 1)
    window = legacy_window(ctx.attributes, image)
    maps, columns = prod(window.map_count), prod(window.kernel)
    infer_from(ctx, 0, (maps, columns))
    weights = ctx.inputs[0].dims
    if ctx.final and weights and (weights[0], prod(weights[1:])) != (maps, columns):
        raise ShapeError(
            f"the weights {named(ctx, 0)} must be {show((maps, columns))}", 0, "[maps x window * channels]"
        )
    result = window.output(image)
    if ctx.final:
        _check_weights(ctx, window, image)
    return _in_layout(ctx, result)


def _sequence_lengths(ctx: ShapeContext) -> Shape:
    common_axis(ctx)
    if ctx.final:
        if ctx.inputs[1].axis is None:
            raise ShapeError(f"{named(ctx, 1)} has no frames to slide over", 1, "it has no dynamic axis")
        if not ctx.inputs[1].dims:
            raise ShapeError(f"{named(ctx, 1)} has no axis", 1, "it needs channels at least")
    return Shape(SCALAR, ctx.new_axis(NO_SEQUENCE))


def _pooling(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    _check_pooling(ctx)
    image = ctx.inputs[0].dims
    if not ctx.final and not image:
        return Shape((), axis)
    return Shape(Window.of(ctx.attributes, image, pooling=True).output(image), axis)


def _check_pooling(ctx: ShapeContext) -> None:
    kind = str(ctx.attributes.get("pool", "max"))
    if kind and kind.lower() not in POOLS:
        raise ShapeError(f"there is no kind of pooling '{kind}'", help="use 'max' or 'average'")
    if not is_chw(ctx):
        raise ShapeError("pooling needs the image layout CHW", 0, "set imageLayout = 'CHW'")


def _max_unpooling(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    _check_pooling(ctx)
    x, image = ctx.inputs[0].dims, ctx.inputs[1].dims
    if not ctx.final and not (x and image):
        return Shape(image, axis)
    pooled = Window.of(ctx.attributes, x, pooling=True).output(image)
    if pooled != x and 0 not in x + image:
        raise ShapeError(
            f"{named(ctx, 0)} is not what pooling {named(ctx, 1)} with these windows gives, {show(pooled)}",
            0,
            "use the window, stride and padding of the pooling that is to be undone",
        )
    return Shape(image, axis)


def _legacy_pooling(ctx: ShapeContext) -> Shape:
    """Two-dimensional pooling without padding."""
    axis = common_axis(ctx)
    if not ctx.final and not ctx.inputs[0].dims:
        return Shape((), axis)
    width, height, channels = _as_image(ctx, 0)
    sizes: list[int] = []
    for size, window, step in (
        (width, integer(ctx, "windowWidth"), integer(ctx, "horizontalSubsample")),
        (height, integer(ctx, "windowHeight"), integer(ctx, "verticalSubsample")),
    ):
        if step < 1 or (ctx.final and window > size):
            raise ShapeError(
                f"a window of {window} in steps of {step} does not fit into {named(ctx, 0)}",
                0,
                "window and steps must be at least 1 and not larger than the image",
            )
        sizes.append((size - window) // step + 1 if size >= window else 0)
    return Shape(_in_layout(ctx, (sizes[0], sizes[1], channels)), axis)


def _roi_pooling(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    image, regions = ctx.inputs[0], ctx.inputs[1]
    size = dims_of(ctx, "roiOutputShape")
    if ctx.final:
        if len(size) != 2:
            raise ShapeError(f"the output shape {show(size)} must have two axes", help="give width and height")
        if image.rank < 3:
            raise ShapeError(f"{named(ctx, 0)} is no image of three axes", 0, "[width x height x channels]")
        if image.dims[0] < size[0] or image.dims[1] < size[1]:
            raise ShapeError(f"the output {show(size)} is larger than {named(ctx, 0)}", 0)
        if regions.rank < 2 or regions.dims[0] != 4:
            raise ShapeError(
                f"the regions {named(ctx, 1)} must be [4 x regions per image]", 1, "x1, y1, x2, y2 for each"
            )
    width, height = (*size, 0, 0)[:2]
    return Shape((width, height, image.dim(2), regions.dim(1)), axis)


def _upgrade_convolution(attributes: dict[str, object], version: int) -> None:
    """Before version 5 all convolutions were two-dimensional."""
    if version < 5:
        names = ("kernelWidth", "kernelHeight", "horizontalSubsample", "verticalSubsample", "maps", "zeroPadding")
        width, height, across, down, maps, padding = (int(attributes.pop(n)) for n in names)  # type: ignore[call-overload]
        attributes.update(
            kernelShape=(width, height, 1),
            strideShape=(across, down, 1),
            mapCount=(maps,),
            dimPadding=(bool(padding),),
            convolution2D=True,
        )


def _stored_convolution(
    attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape
) -> Mapping[str, object]:
    """A file holds the vectors completed to the image's rank."""
    image, _ = as_slid(attributes, inputs[1].dims, shape.dims)
    return window_of(attributes, image).attributes()


def _stored_pooling(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    return Window.of(attributes, inputs[0].dims, pooling=True).attributes()


_KERNEL = Attribute("kernelShape", "shape", doc="Size of the window.")
_WINDOW = (
    Attribute("strideShape", "shape", (1,), "Steps of the window; the last one is repeated."),
    Attribute("dimPadding", "booleans", (True,), "Whether to pad so that windows are centred on all cells, per axis."),
    Attribute("dimPadLower", "shape", (0,), "Cells to add before the first, where padding is not automatic."),
    Attribute("dimPadUpper", "shape", (0,), "Cells to add behind the last, where padding is not automatic."),
)
_LAYOUT = Attribute("imageLayout", "string", "CHW", "Order of image axes.", IMAGE_LAYOUTS)


def _fields(pool: str) -> tuple[Field, ...]:
    return (
        Field("kernelShape", "shape", since=5),
        Field("mapCount", "shape", since=5, default=(1,)),
        Field("strideShape", "shape", since=5, default=(1,)),
        Field("dimSharing", "vec_bool", since=5, default=(True,)),
        Field("dimPadding", "vec_bool", since=5, default=(True,)),
        Field("dimPadLower", "shape", since=5, default=(0,)),
        Field("dimPadUpper", "shape", since=5, default=(0,)),
        Field("pool", "i32", since=5, default=pool, names=tuple((name,) for name in POOLS)),
        Field("imageLayout", "i32", since=5, default="CHW", names=LAYOUT_NAMES),
        Field("maxTempMemSizeInSamples", "u64", since=5, default=0),
        Field("transpose", "bool", since=9, default=False),
        Field("dimOutputShape", "shape", since=20, default=(0,)),
        Field("ceilOut", "bool", since=21, default=False),
        Field("poolIncludePad", "bool", since=23, default=False),
    )


_CONVOLUTION_FIELDS = (
    *_fields("none"),
    Field("kernelWidth", "u64", until=4),
    Field("kernelHeight", "u64", until=4),
    Field("horizontalSubsample", "u64", until=4),
    Field("verticalSubsample", "u64", until=4),
    Field("maps", "u32", until=4),
    Field("imageLayout", "u32", until=4, names=LAYOUT_NAMES),
    Field("zeroPadding", "bool", until=4),
    Field("maxTempMemSizeInSamples", "u64", until=4),
    Field("convolution2D", "bool", since=5, default=False),
    Field("dimDilation", "shape", since=18, default=(1,)),
)

_OLD_POOLING_ATTRIBUTES = (
    Attribute("windowWidth", "integer", doc="Width of the window."),
    Attribute("windowHeight", "integer", doc="Height of the window."),
    Attribute("horizontalSubsample", "integer", doc="Steps along the width."),
    Attribute("verticalSubsample", "integer", doc="Steps along the height."),
    _LAYOUT,
)
_OLD_POOLING_FIELDS = (
    Field("windowWidth", "u32"),
    Field("imageLayout", "u32", default="CHW", names=LAYOUT_NAMES),
    Field("windowHeight", "u64"),
    Field("horizontalSubsample", "u64"),
    Field("verticalSubsample", "u64"),
)

_CONVOLUTION_ATTRIBUTES = (
    _KERNEL,
    Attribute("mapCount", "shape", (0,), "Number of output channels."),
    *_WINDOW,
    Attribute("dimSharing", "booleans", (True,), "Whether weights are the same at all places, per axis."),
    Attribute("dimDilation", "shape", (1,), "Distance of the cells of a window."),
    Attribute("transpose", "boolean", False, "Compute the transposed convolution."),
    Attribute("dimOutputShape", "shape", (0,), "Output shape of a transposed convolution; 0: the smallest."),
    _LAYOUT,
    Attribute("maxTempMemSizeInSamples", "integer", 0, "Samples to process at a time; 0: all."),
)

OPS: tuple[Op, ...] = (
    Op(
        "Convolution",
        ("W", "x"),
        _convolution,
        "Slides kernels over x [W x H x C] (or a tensor of any rank) and sums products without flipping the kernel: "
        "y[p, m] = sum_k W[k, m] x[p * stride - pad + k]. A kernel of lower rank than x covers its last axes as a "
        "whole. W is [kernel x channels x maps]; zeros in its shape are inferred. Transposed: the gradient of such a "
        "convolution to its operand, which makes x larger.",
        _CONVOLUTION_ATTRIBUTES,
        _CONVOLUTION_FIELDS,
        reference_limits="CNTK 2.7 has no dilation on the CPU, and cannot slide over the channels.",
        upgrade=_upgrade_convolution,
        stored=_stored_convolution,
    ),
    Op(
        "ConvolutionSequenceShape",
        ("W", "x"),
        _sequence_lengths,
        "How many frames a convolution along the sequences of x gives for each: floor((length + padding - window) / step) + "
        "1. It has no gradient.",
        _CONVOLUTION_ATTRIBUTES,
        _CONVOLUTION_FIELDS,
        in_scripts=False,
    ),
    Op(
        "Pooling",
        ("x",),
        _pooling,
        "The maximum or the average of each window, per channel. The average is over the cells inside the image, or "
        "with poolIncludePad over the size of the window.",
        (
            Attribute("pool", "string", doc="Kind of pooling.", values=("max", "average")),
            _KERNEL,
            *_WINDOW,
            Attribute("ceilOut", "boolean", False, "Round the number of windows up, so that the last may stick out."),
            Attribute("poolIncludePad", "boolean", False, "Count padding cells in the average."),
            _LAYOUT,
        ),
        _fields("max"),
        stored=_stored_pooling,
    ),
    Op(
        "MaxUnpooling",
        ("x", "poolInput"),
        _max_unpooling,
        "Undoes max pooling: each x goes to the place of the (first) maximum of its window in poolInput, all else is 0.",
        (_KERNEL, *_WINDOW, _LAYOUT),
        tuple(
            Field("transpose", "bool", since=9, default=True) if f.attribute == "transpose" else f
            for f in _fields("max")
        ),
        stored=_stored_pooling,
    ),
    Op(
        "MaxPooling",
        ("x",),
        _legacy_pooling,
        "The maximum of each window of an image, without padding; Pooling is the newer form.",
        _OLD_POOLING_ATTRIBUTES,
        _OLD_POOLING_FIELDS,
    ),
    Op(
        "AveragePooling",
        ("x",),
        _legacy_pooling,
        "The mean of each window of an image, without padding; Pooling is the newer form.",
        _OLD_POOLING_ATTRIBUTES,
        _OLD_POOLING_FIELDS,
    ),
    Op(
        "ROIPooling",
        ("x", "rois"),
        _roi_pooling,
        "Maxima over regions of an image: each region (x1, y1, x2, y2 in pixels of the original, times featureScale and "
        "rounded) is divided into a grid of the output shape. x [W x H x C] and rois [4 x R] give [w x h x C x R].",
        (
            Attribute("pool", "string", "max", "Kind of pooling.", ("max", "average")),
            Attribute("roiOutputShape", "shape", doc="Width and height of the grid."),
            Attribute("featureScale", "number", 0.0625, "Size of x relative to the original image."),
        ),
        (
            Field("roiOutputShape", "shape"),
            Field("pool", "i32", since=26, default="max", names=tuple((name,) for name in POOLS)),
            Field("featureScale", "f64", since=26, default=1 / 16),
        ),
        reference_limits="CNTK 2.7 has no average pooling of regions.",
    ),
)
