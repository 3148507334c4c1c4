"""PastValue and FutureValue: the operations through which a recurrent loop may close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import as_tuple, broadcast, named, unary
from bsls.shape import Dims, Shape


def first_guess(attributes: Mapping[str, object]) -> Dims:
    """Dims of a delay that was not visited yet: they let a loop begin somewhere."""
    return as_tuple(attributes.get("shape", ()))


def _delay(ctx: ShapeContext) -> Shape:
    """Shape of the operand, once it is known; the initial state may broadcast, and may widen it."""
    if not ctx.final and len(ctx.inputs) == 1 and not ctx.inputs[0].dims:
        return Shape(first_guess(ctx.attributes))
    result = unary(ctx) if len(ctx.inputs) == 1 else broadcast(ctx)
    if ctx.final:
        if ctx.inputs[0].axis is None:
            raise ShapeError(f"{named(ctx, 0)} has no frames to look back or ahead to", 0, "it has no dynamic axis")
        default = float(ctx.attributes.get("defaultHiddenActivation", 0.1))  # type: ignore[arg-type]
        if len(ctx.inputs) > 1 and ctx.inputs[1].axis is not None and default != 0:
            raise ShapeError(
                f"the initial state {named(ctx, 1)} has a dynamic axis, and defaultHiddenActivation is {default:g}",
                1,
                "set defaultHiddenActivation = 0: it would be added to the state",
            )
    return result


def _upgrade(attributes: dict[str, object], version: int) -> None:
    """Before version 4 a number of rows instead of a shape."""
    if version < 4:
        attributes["shape"] = (int(attributes.pop("rows")),)  # type: ignore[call-overload]
        attributes.pop("cols")


def _stored(attributes: Mapping[str, object], inputs: Sequence[Shape], shape: Shape) -> Mapping[str, object]:
    """A file holds the dims that validation found."""
    return {"shape": shape.dims}


_ATTRIBUTES = (
    Attribute("shape", "shape", doc="First guess at the dimensions; 0 where they are to be inferred."),
    Attribute("timeStep", "integer", 1, "Distance in frames, at least 1."),
    Attribute("defaultHiddenActivation", "number", 0.1, "Value beyond the ends of a sequence."),
)
_FIELDS = (
    Field("timeStep", "i32"),
    Field("shape", "shape", since=4),
    Field("rows", "u64", until=3),
    Field("cols", "u64", until=3),
    Field("defaultHiddenActivation", "elem", since=2, default=0.1),
)

OPS: tuple[Op, ...] = (
    Op(
        "PastValue",
        ("x", "initialState?"),
        _delay,
        "x of timeStep frames before, in the same sequence. Before its beginning: the initial state where one is given "
        "(with a dynamic axis of its own: the last of its frames), else defaultHiddenActivation, which is 0.1.",
        _ATTRIBUTES,
        _FIELDS,
        ("Delay",),
        upgrade=_upgrade,
        stored=_stored,
    ),
    Op(
        "FutureValue",
        ("x", "initialState?"),
        _delay,
        "x of timeStep frames later, in the same sequence. Behind its end: the initial state where one is given (with "
        "a dynamic axis of its own: the first of its frames), else defaultHiddenActivation, which is 0.1.",
        _ATTRIBUTES,
        _FIELDS,
        upgrade=_upgrade,
        stored=_stored,
    ),
)

DELAYS = frozenset(name for op in OPS for name in (op.name, *op.old_names))
"""The names of these operations, the old ones as well."""
