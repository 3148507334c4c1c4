"""Operations that only move elements: Reshape, LegacyReshape, Slice, RowStack, RowRepeat, TransposeDimensions, Diagonal."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, elements, has_axis, kernel, reversed_dims, shape_of
from bstorch.program.layout import MinibatchLayout


@kernel("Reshape")
def reshape(node: Node, environment: Environment) -> Forward:
    shape = (-1, *reversed_dims(node)) if has_axis(node) else reversed_dims(node)
    return lambda x: x.reshape(shape)


@kernel("LegacyReshape")
def legacy_reshape(node: Node, environment: Environment) -> Forward:
    """Frames of k times as many elements or of a k-th: sequences of k frames become one frame each, or the other way
    round, on a dynamic axis of the node's own."""
    source, dims = node.inputs[0], reversed_dims(node)
    before, after = elements(source), elements(node)
    if not has_axis(node) and before != after:
        raise BsError(
            "unsupported-operation", f"'{node.name}' would have {after} elements, but '{source.name}' has {before}",
            node.origin, help="without a dynamic axis the number of elements must stay the same",
        )  # fmt: skip
    if before == after:
        return lambda x: x.reshape((-1, *dims) if has_axis(node) else dims)
    stacked = max(before, after) // min(before, after)
    width = stacked if after > before else 1
    from_axis, to_axis = axis_of(source), axis_of(node)

    def regrouped(x: Tensor) -> Tensor:
        if environment.step is not None:
            raise BsError(
                "unsupported-operation", f"'{node.name}' changes the number of frames, which no node of a loop can",
                node.origin, help="keep it out of the recurrent loop",
            )  # fmt: skip
        layout = environment.layouts[from_axis]
        if layout.frames and (layout.width != width or layout.has_gaps):
            raise BsError(
                "sequence-lengths",
                f"'{node.name}' makes frames of {after} elements from {before} elements, for which each sequence of "
                f"'{source.name}' needs {_counted(width)}, but there are {_lengths(layout)}",
                node.origin,
                help="give all sequences that length",
            )
        count = layout.rows if layout.frames else 0
        made = environment.layouts[to_axis] = MinibatchLayout.packed([1 if after > before else stacked] * count)
        by_row = torch.from_numpy(layout.packed_of_column).view(layout.width, layout.rows).t().flatten()
        # Row after row with its elements in order; the frames of the result go through the rows once for each time.
        rows = x.index_select(0, by_row.to(x.device)).reshape(count, made.width, *dims)
        return rows.transpose(0, 1).reshape(-1, *dims)

    return regrouped


def _counted(frames: int) -> str:
    return "one frame" if frames == 1 else f"{frames} frames"


def _lengths(layout: MinibatchLayout) -> str:
    shortest, longest = int(layout.lengths.min()), int(layout.lengths.max())
    return _counted(longest) if shortest == longest else f"{shortest} to {longest} frames"


@kernel("Slice")
def cut(node: Node, environment: Environment) -> Forward:
    """Axes count from 1; a negative begin and an end of 0 or below count from the end; a negative stride reverses."""
    dims = shape_of(node.inputs[0]).dims
    steps: list[tuple[int, int, int, int]] = []
    for axis, begin, end, stride in slices(node):
        size = dims[axis - 1] if axis <= len(dims) else 1
        first = begin + size if begin < 0 else begin
        last = end + size if end <= 0 else end
        steps.append((-axis, first, last, stride))

    def sliced(x: Tensor) -> Tensor:
        for dim, first, last, stride in steps:
            x = x.narrow(dim, first, last - first)
            if stride < 0:
                x = x.flip(dim)
            if abs(stride) != 1:
                index = torch.arange(0, x.shape[dim], abs(stride), device=x.device)
                x = x.index_select(dim, index)
        return x

    return sliced


def slices(node: Node) -> list[tuple[int, int, int, int]]:
    """(axis, begin, end, stride) of each slice of the node."""

    def column(name: str, default: int) -> list[int]:
        value = node.attributes.get(name, default)
        return [int(v) for v in value] if isinstance(value, list | tuple) else [int(value)]  # type: ignore[call-overload]

    axes, begins, ends = column("axis", 1), column("beginIndex", 0), column("endIndex", 0)
    strides = column("stride", 1)
    strides += [1] * (len(axes) - len(strides))
    return list(zip(axes, begins, ends, strides, strict=False))


@kernel("RowStack")
def stack(node: Node, environment: Environment) -> Forward:
    axis = int(node.attributes.get("axis", 1))  # type: ignore[call-overload]
    rank = shape_of(node).rank
    framed = has_axis(node)
    result = reversed_dims(node)

    def expanded(source: Node) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
        dims = reversed_dims(source)
        padded = (1,) * (rank - len(dims)) + dims
        target = (*result[: rank - axis], padded[rank - axis], *result[rank - axis + 1 :])
        return padded, target, has_axis(source)

    axis_there = axis_of(node) if framed else None
    plans = [expanded(i) for i in node.inputs]
    if all(padded == target and has_frames == framed for padded, target, has_frames in plans) and all(
        shape_of(i).rank == rank for i in node.inputs
    ):
        return lambda *values: torch.cat(values, -axis)

    def stacked(*values: Tensor) -> Tensor:
        parts: list[Tensor] = []
        frames = environment.layouts[axis_there].frames if axis_there is not None else 1
        for value, (padded, target, has_frames) in zip(values, plans, strict=True):
            part = value.reshape(-1 if has_frames else 1, *padded)
            parts.append(part.expand(frames, *target))
        joined = torch.cat(parts, -axis)
        return joined if framed else joined.view(result)

    return stacked


@kernel("RowRepeat")
def repeat(node: Node, environment: Environment) -> Forward:
    times = int(node.attributes.get("numRepeats", 1))  # type: ignore[call-overload]
    rank = shape_of(node.inputs[0]).rank
    # The last axis is the first one of the reversed dims: whole samples stand one behind the other.
    counts = ((1,) if has_axis(node) else ()) + (times,) + (1,) * (rank - 1)
    return lambda x: x.repeat(counts)


@kernel("TransposeDimensions", "Transpose")
def transpose(node: Node, environment: Environment) -> Forward:
    rank = shape_of(node).rank
    source = reversed_dims(node.inputs[0])
    framed = has_axis(node)
    padded = ((-1,) if framed else ()) + (1,) * (rank - len(source)) + source
    permutation = node.attributes.get("permutation")
    if permutation:
        order = [int(p) for p in permutation]  # type: ignore[attr-defined]
        moved = [(1 if framed else 0) + rank - p for p in reversed(order)]
        front = [0] if framed else []
        return lambda x: x.reshape(padded).permute(*front, *moved)
    first, second = int(node.attributes["axis1"]), int(node.attributes["axis2"])  # type: ignore[call-overload]
    return lambda x: x.reshape(padded).transpose(-first, -second)


@kernel("Diagonal")
def diagonal(node: Node, environment: Environment) -> Forward:
    shape = reversed_dims(node)
    return lambda x: torch.diagonal(x).reshape(shape)
