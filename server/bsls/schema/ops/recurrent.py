"""Stacks of recurrent layers as one operation with one parameter."""

from __future__ import annotations

from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import check_inputs, integer, named, show
from bsls.shape import Dims, Shape

GATES = {"lstm": 4, "gru": 3, "rnnReLU": 1, "rnnTanh": 1}
"""Matrices of one layer for the input, and as many for the hidden state, by kind of cell."""

_OLD_CELLS = {"LSTM": "lstm", "GRU": "gru", "RNN_RELU": "rnnReLU", "RNN_TANH": "rnnTanh"}


def weight_count(cell: str, inputs: int, hidden: int, layers: int, directions: int) -> int:
    """Number of weights of all layers: input and hidden matrices and two biases for each gate."""
    total = 0
    for _ in range(layers):
        total += directions * GATES[cell] * hidden * (inputs + hidden + 2)
        inputs = hidden * directions
    return total


def _stack(ctx: ShapeContext) -> Shape:
    check_inputs(ctx)
    x = ctx.inputs[1]
    cell, axis = str(ctx.attributes.get("recurrentOp", "lstm")), integer(ctx, "axis", -1)
    if cell not in GATES:
        raise ShapeError(f"there is no kind of cell '{cell}'", help=f"use one of {', '.join(GATES)}")
    if axis not in (-1, 2):
        raise ShapeError(f"the axis {axis} is not possible", help="use -1, the time axis, or 2")
    directions = 2 if ctx.attributes.get("bidirectional") else 1
    hidden = integer(ctx, "hiddenDims")
    if ctx.final:
        if x.rank != (1 if axis == -1 else 2):
            raise ShapeError(f"{named(ctx, 1)} must have rank {1 if axis == -1 else 2} for axis = {axis}", 1)
        if x.axis is None:
            raise ShapeError(f"operand {named(ctx, 1)} must have a dynamic axis", 1)
    if x.dims and x.dims[0]:
        _infer_weights(ctx, weight_count(cell, x.dims[0], hidden, integer(ctx, "numLayers", 1), directions), hidden)
    return Shape((hidden * directions, *x.dims[1:]), x.axis)


def _infer_weights(ctx: ShapeContext, total: int, hidden: int) -> None:
    weights = ctx.inputs[0]
    wanted: Dims = (hidden, total // hidden)
    if ctx.is_parameter(0) and weights.rank == 2 and weights.elements == 0:
        ctx.infer(0, wanted)
    elif ctx.final and prod(weights.dims) != total:
        raise ShapeError(
            f"the weights {named(ctx, 0)} do not have {total} elements",
            0,
            f"give them the shape {show(wanted)}, or (0:0)",
        )


def _upgrade(attributes: dict[str, object], version: int) -> None:
    cell = str(attributes["recurrentOp"])
    attributes["recurrentOp"] = _OLD_CELLS.get(cell, cell)


OPS: tuple[Op, ...] = (
    Op(
        "OptimizedRNNStack",
        ("W", "x"),
        _stack,
        "Layers of a recurrent network, each in one direction or in both. W holds the weights of all layers one after "
        "another: for each layer and direction the input and the hidden matrices, then their biases.",
        (
            Attribute("hiddenDims", "integer", doc="Dimension of the hidden state."),
            Attribute("numLayers", "integer", 1, "Number of layers."),
            Attribute("bidirectional", "boolean", False, "Whether each layer also runs from the end to the beginning."),
            Attribute("recurrentOp", "string", "lstm", "Kind of cell.", tuple(GATES)),
            Attribute("axis", "integer", -1, "Axis to run along: -1 is the time axis, 2 the second one of the sample."),
        ),
        (
            Field("bidirectional", "u64", default=0),
            Field("numLayers", "u64", default=1),
            Field("hiddenDims", "u64"),
            Field("recurrentOp", "wstr", default="lstm"),
            Field("axis", "i32", since=14, default=-1),
        ),
        old_names=("RNN",),
        reference_limits="CNTK 2.7 can only compute it on a GPU.",
        upgrade=_upgrade,
    ),
)
