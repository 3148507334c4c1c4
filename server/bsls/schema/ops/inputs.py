"""What the reader fills: dense and sparse inputs, and the dynamic axes that they may name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import IMAGE_LAYOUTS, SCALAR, as_tuple, dims_of, integer, is_chw
from bsls.shape import Shape


def _input(ctx: ShapeContext) -> Shape:
    axis = ctx.axis(str(ctx.attributes.get("dynamicAxis", "")))
    if not ctx.attributes.get("isImage", False):
        return Shape(dims_of(ctx, "dims"), axis)
    width, height, channels = (integer(ctx, f"image{part}") for part in ("Width", "Height", "Channels"))
    return Shape((width, height, channels) if is_chw(ctx) else (channels, width, height), axis)


def _upgrade(attributes: dict[str, object], version: int) -> None:
    """Old files may hold a number of rows that the shape does not match; the rows are right then."""
    attributes.pop("cols", None)
    rows = int(attributes.pop("rows", 0))  # type: ignore[call-overload]
    if rows and rows != Shape(as_tuple(attributes["dims"])).elements:
        attributes["dims"] = (rows,)


def _stored(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    return {"dims": shape.dims}


def _dynamic_axis(ctx: ShapeContext) -> Shape:
    return Shape((1, 1), ctx.new_axis())


def _environment(ctx: ShapeContext) -> Shape:
    name = ctx.attributes.get("propertyName")
    if name != "isTraining":
        raise ShapeError(f"there is no environment property '{name}'", help="the only one is 'isTraining'")
    return Shape(SCALAR)


_ATTRIBUTES = (
    Attribute("dims", "shape", (), "Dimensions of a sample.", key="shape"),
    Attribute("isImage", "boolean", False, "Take the dimensions from the three of the image instead."),
    Attribute("imageWidth", "integer", 0, "Width of an image."),
    Attribute("imageHeight", "integer", 0, "Height of an image."),
    Attribute("imageChannels", "integer", 0, "Number of channels of an image."),
    Attribute("imageLayout", "string", "CHW", "Order of the axes of an image.", IMAGE_LAYOUTS),
    Attribute("dynamicAxis", "axis", "", "A DynamicAxis node or its name; empty: the axis that all inputs share."),
)
_FIELDS = (
    Field("rows", "u64", default=0),
    Field("cols", "u64", default=0),
    Field("dims", "legacy_shape"),
    Field("dynamicAxis", "axis_names", since=8, default=""),
    Field("learningRateMultiplier", "f32", since=10, default=0.0),
)

OPS: tuple[Op, ...] = (
    Op(
        "InputValue",
        (),
        _input,
        "A stream of the reader: one dense sample per frame. Its value is a sample of the given shape for each step of "
        "its dynamic axis.",
        _ATTRIBUTES,
        _FIELDS,
        upgrade=_upgrade,
        stored=_stored,
    ),
    Op(
        "SparseInputValue",
        (),
        _input,
        "A stream of the reader with one sparse sample per frame, such as one-hot words.",
        _ATTRIBUTES,
        _FIELDS,
        upgrade=_upgrade,
        stored=_stored,
    ),
    Op(
        "DynamicAxis",
        (),
        _dynamic_axis,
        "Names a sequence axis. Inputs that refer to the same one have sequences of the same lengths; it cannot be "
        "used as an operand.",
    ),
    Op(
        "EnvironmentInput",
        (),
        _environment,
        "A property of the run as a number: isTraining is 1 while training, else 0.",
        (Attribute("propertyName", "string", doc="Name of the property.", values=("isTraining",)),),
        (Field("propertyName", "wstr"),),
    ),
)
