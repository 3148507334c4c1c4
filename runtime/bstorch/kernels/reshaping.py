"""Operations that only move elements: Reshape, Slice, RowStack, RowRepeat, TransposeDimensions, Diagonal."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, has_axis, kernel, reversed_dims, shape_of


@kernel("Reshape", "LegacyReshape")
def reshape(node: Node, environment: Environment) -> Forward:
    shape = (-1, *reversed_dims(node)) if has_axis(node) else reversed_dims(node)
    if shape_of(node).elements != shape_of(node.inputs[0]).elements and has_axis(node):
        raise BsError(
            "unsupported-operation", f"'{node.name}' makes frames of another size, which cannot be executed yet",
            node.origin, help="give it as many rows as its operand has elements",
        )  # fmt: skip
    return lambda x: x.reshape(shape)


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
