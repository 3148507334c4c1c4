"""Matrix products and tensor contractions; the weight's dims are inferred from the other operand."""

from __future__ import annotations

from math import prod

from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError
from bsls.schema.ops.rules import NO_SEQUENCE, check_inputs, common_axis, infer_from, integer, named, show
from bsls.shape import Dims, DynamicAxis, Shape

REDUCE_SEQUENCE = -2
"""Value of inferInputRankToMap that also sums over the frames of a sequence."""


def _times(ctx: ShapeContext) -> Shape:
    return _product(ctx, transpose=False)


def _transpose_times(ctx: ShapeContext) -> Shape:
    return _product(ctx, transpose=True)


def _product(ctx: ShapeContext, transpose: bool) -> Shape:
    """Contracts all axes of the left operand but its first `outputRank` with as many leading axes of the right one."""
    output_rank = integer(ctx, "outputRank", 1)
    map_rank = integer(ctx, "inferInputRankToMap", -1)
    axis = _axis_without_sequence(ctx, transpose) if map_rank == REDUCE_SEQUENCE else common_axis(ctx)
    left, right = list(ctx.inputs[0].dims), ctx.inputs[1].dims
    if not ctx.final and not (left and right):
        return Shape((), axis)
    if transpose:
        left = _transposed(ctx, left, output_rank)
    if output_rank > len(left):
        raise ShapeError(
            f"the left operand {named(ctx, 0)} has fewer than outputRank = {output_rank} axes",
            0,
            "the first outputRank axes of the left operand are those of the result",
        )
    reduced = len(left) - output_rank
    if reduced > len(right):
        raise ShapeError(
            f"{named(ctx, 0)} with outputRank = {output_rank} reduces over {reduced} axes, but the right operand "
            f"{named(ctx, 1)} has only {len(right)}",
            1,
            _advice(ctx, left[:output_rank], right, transpose),
        )
    if len(left) == 2 and output_rank == 1 and not transpose and left[1] != right[0] and 0 not in (left[1], right[0]):
        left = _unflattened(ctx, left, right)
        reduced = len(left) - output_rank
    if 0 in left[:output_rank]:
        raise ShapeError(
            f"the output dimensions of {named(ctx, 0)} are not given",
            0,
            f"the first {output_rank} dimension(s) of the left operand cannot be inferred and must not be 0",
        )
    if map_rank >= 0 and left and left[-1] == 0:
        if map_rank >= len(right) and ctx.final:
            raise ShapeError(
                f"inferInputRankToMap = {map_rank} leaves no axis of {named(ctx, 1)} to reduce over",
                1,
                f"it must be less than {len(right)}",
            )
        while reduced + map_rank < len(right):
            left.append(0)
            reduced += 1
    for k in range(output_rank, len(left)):
        inner = right[k - output_rank]
        if left[k] == 0:
            left[k] = inner
        elif ctx.final and left[k] != inner:
            raise ShapeError(
                f"{named(ctx, 0)} and {named(ctx, 1)} cannot be multiplied: the inner dimensions are "
                f"{show(tuple(left[output_rank:]))} and {show(right[:reduced])}",
                0,
                _advice(ctx, left[:output_rank], right[:reduced], transpose),
            )
    infer_from(ctx, 0, (left[1], left[0]) if transpose else tuple(left))
    return Shape((*left[:output_rank], *right[reduced:]), axis)


def _transposed(ctx: ShapeContext, left: list[int], output_rank: int) -> list[int]:
    if len(left) == 1:
        return [1, left[0]]
    if len(left) != 2:
        raise ShapeError(
            f"only a matrix or a vector can be transposed, not {named(ctx, 0)}",
            0,
            "reshape it to two axes first",
        )
    if output_rank != 1:
        raise ShapeError(f"outputRank is {output_rank}, but must be 1 where the left operand is transposed", 0)
    return [left[1], left[0]]


def _unflattened(ctx: ShapeContext, left: list[int], right: Dims) -> list[int]:
    """A matrix [m x n] whose n is the product of the right operand's first dims gets those axes (old models)."""
    elements = 1
    for k, d in enumerate(right):
        elements *= d
        if elements == left[1] and ctx.is_parameter(0):
            dims = (left[0], *right[: k + 1])
            ctx.reshape(0, dims)
            return list(dims)
    return left


def _axis_without_sequence(ctx: ShapeContext, transpose: bool) -> DynamicAxis:
    """Checks [m x k] * [k], summed over each sequence; the result has one step per sequence."""
    check_inputs(ctx)
    a, b = ctx.inputs[0], ctx.inputs[1]
    if ctx.final:
        for i in (0, 1):
            if ctx.inputs[i].axis is None:
                raise ShapeError(
                    f"operand {named(ctx, i)} has no dynamic axis",
                    i,
                    "inferInputRankToMap = -2 sums over the frames that both operands have in common",
                )
        if transpose or a.dim(1) != b.dim(0) or b.dim(1) != 1:
            raise ShapeError(
                f"{named(ctx, 0)} and {named(ctx, 1)} are not of the form [m x k] and [k]",
                1,
                "inferInputRankToMap = -2 needs this form",
            )
    return ctx.new_axis(NO_SEQUENCE)


def _advice(ctx: ShapeContext, output: list[int], inner: Dims, transpose: bool) -> str:
    """What the left operand would have to be, and whether the factors fit the other way round."""
    a, b = ctx.inputs[0].dims, ctx.inputs[1].dims
    dims = (*inner, *output) if transpose else (*output, *inner)
    advice = f"'{ctx.operand(0)}' would have to be {show(dims)}"
    if ctx.is_parameter(0):
        advice += "; a 0 in its shape is inferred"
    if not transpose and len(b) >= 2 and b[1:] == a[: len(b) - 1] and b[0] != 0:
        advice += f"; '{ctx.operand(1)} * {ctx.operand(0)}' would fit"
    return advice


def _diag_times(ctx: ShapeContext) -> Shape:
    """Operands as matrices: rows are the elements of a sample, or the first dim of a parameter."""
    axis = common_axis(ctx)
    if not ctx.final and not (ctx.inputs[0].dims and ctx.inputs[1].dims):
        return Shape(ctx.inputs[1].dims, axis)
    infer_from(ctx, 0, (_rows(ctx.inputs[1]),))
    x = ctx.inputs[1]
    infer_from(ctx, 1, (ctx.inputs[0].dim(0),) if x.axis else (ctx.inputs[0].dim(0), prod(x.dims[1:])))
    diagonal, x = ctx.inputs
    if ctx.final:
        if diagonal.dim(0) != _rows(x):
            raise ShapeError(
                f"the diagonal {named(ctx, 0)} and {named(ctx, 1)} differ in length",
                0,
                f"'{ctx.operand(0)}' would have to be {show((_rows(x),))}",
            )
        if prod(diagonal.dims[1:]) != 1:
            raise ShapeError(f"the diagonal {named(ctx, 0)} must be a vector", 0, "give it one column")
    return Shape(x.dims, axis)


def _rows(shape: Shape) -> int:
    return shape.elements if shape.axis else shape.dim(0)


def _khatri_rao(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    return Shape((ctx.inputs[0].elements * ctx.inputs[1].elements,), axis)


def _lookup_table(ctx: ShapeContext) -> Shape:
    axis = common_axis(ctx)
    table, words = ctx.inputs
    columns = prod(table.dims[1:])
    if ctx.final:
        if axis is None:
            raise ShapeError(f"{named(ctx, 1)} has no dynamic axis", 1, "words are looked up frame by frame")
        if words.elements % columns:
            raise ShapeError(
                f"the {words.elements} elements of {named(ctx, 1)} are not a multiple of the {columns} columns of "
                f"{named(ctx, 0)}",
                1,
                "they are one or several words, each with an element per column of the table",
            )
    return Shape((table.dim(0) * (words.elements // columns if columns else 0),), axis)


_FIELDS = (
    Field("outputRank", "u64", since=3, default=1),
    Field("inferInputRankToMap", "i32", since=12, default=-1),
)

_OUTPUT_RANK = Attribute("outputRank", "integer", 1, "Number of axes of A that are axes of the result.")
_MAP_RANK = Attribute(
    "inferInputRankToMap",
    "integer",
    -1,
    "Number of last axes of x to keep while the rank of A is inferred; -1: do not infer the rank; -2: sum over the "
    "sequence as well.",
)

OPS: tuple[Op, ...] = (
    Op(
        "Times",
        ("A", "x"),
        _times,
        "Matrix product A x; for tensors the contraction c[i.., m..] = sum_k.. A[i.., k..] x[k.., m..], where i.. are "
        "the first outputRank axes of A, k.. its other axes, and m.. the axes of x beyond those. Zeros among the k.. "
        "of a parameter A are taken from x; with inferInputRankToMap = m its rank as well, so that the last m axes of "
        "x are kept and all others are summed over.",
        (_OUTPUT_RANK, _MAP_RANK),
        _FIELDS,
    ),
    Op(
        "TransposeTimes",
        ("A", "x"),
        _transpose_times,
        "A^T x for a matrix A [k x n] and x [k x m..]; a vector [k] counts as [k x 1], so that two vectors give their "
        "inner product.",
        fields=_FIELDS,
        reference_limits="CNTK 2.7 accepts a vector [n] as the left operand of data, but fails when it runs; it must "
        "be declared as [n x 1].",
    ),
    Op(
        "QuantizedTimes",
        ("A", "x"),
        _times,
        "A x in 16-bit fixed point: each operand is scaled by its largest element and the bit shift, multiplied as "
        "whole numbers and scaled back. For evaluation only.",
        (
            Attribute("bitShiftA", "integer", doc="Bits by which the scale of A is reduced."),
            Attribute("bitShiftB", "integer", doc="Bits by which the scale of x is reduced."),
            _OUTPUT_RANK,
            _MAP_RANK,
        ),
        (*_FIELDS, Field("bitShiftA", "u64"), Field("bitShiftB", "u64")),
    ),
    Op(
        "DiagTimes",
        ("diagonal", "x"),
        _diag_times,
        "Row i of x times element i of the diagonal; ElementTimes is the newer form.",
    ),
    Op(
        "KhatriRaoProduct",
        ("x", "y"),
        _khatri_rao,
        "The outer product of the samples of x and y for each frame, as a vector: x_i y_j at i + j * rows(x).",
    ),
    Op(
        "LookupTable",
        ("table", "indices"),
        _lookup_table,
        "Embedding of words: indices holds one or several stacked one-hot vectors; each is multiplied by the table "
        "[dim x words], and the results are stacked.",
    ),
)
