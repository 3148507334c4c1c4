"""Pooling of images and of tensors of any rank, unpooling, pooling of regions.

Trailing axes along which the window does not reach beyond a cell, the channels first of all, are what torch calls
channels; the others are pooled in torch's two- and three-dimensional functions. The gradient of a maximum goes to the
first cell of the window that has it, the first axis running fastest, as it does there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.geometry import Window
from bsls.shape import Dims
from bstorch.kernels.base import Environment, Forward, dtype_of, has_axis, kernel, reversed_dims, shape_of
from bstorch.kernels.windows import Axis, axes_of, border, cells_of_windows

MAXIMUM = {2: functional.max_pool2d, 3: functional.max_pool3d}
AVERAGE = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


def _split(axes: Sequence[Axis]) -> tuple[tuple[Axis, ...], int]:
    """The axes to slide along, slowest first and at least two, and the number of cells of those behind them."""
    moving = max((k + 1 for k, a in enumerate(axes) if not a.is_cellwise), default=0)
    moving = min(max(moving, 2), len(axes))
    sliding = tuple(axes[moving - 1 :: -1])
    padded = (Axis(1),) * (2 - moving) + sliding
    return padded, prod(a.size for a in axes[moving:])


def _in_channels(node: Node, image: Node, sliding: Sequence[Axis], channels: int, compute: Forward) -> Forward:
    """`compute` of (frames, channels, *cells), for the image as it is; the result gets the node's dims."""
    cells = (channels, *(a.size for a in sliding))
    dims = reversed_dims(node)
    if has_axis(image) and reversed_dims(image) == cells and len(dims) == len(cells):
        return compute
    target = (-1, *dims) if has_axis(node) else dims
    return lambda x: compute(x.reshape(-1, *cells)).reshape(target)


@kernel("Pooling")
def pooling(node: Node, environment: Environment) -> Forward:
    image = node.inputs[0]
    axes = axes_of(Window.of(node.attributes, shape_of(image).dims, pooling=True), shape_of(image).dims)
    average = str(node.attributes.get("pool")).lower() == "average"
    include = bool(node.attributes.get("poolIncludePad", False))
    sliding, channels = _split(axes)
    compute = _mean(node, environment, sliding, include) if average else _maximum(environment, sliding)
    return _in_channels(node, image, sliding, channels, compute)


def _steps(axes: Sequence[Axis]) -> tuple[Dims, Dims]:
    return tuple(a.kernel for a in axes), tuple(a.stride for a in axes)


def _padding(axes: Sequence[Axis]) -> tuple[Dims, bool] | None:
    """Padding and rounding (up or not) with which torch's functions have these windows; None where none do."""
    if len(axes) not in MAXIMUM or any(a.lower > a.kernel // 2 for a in axes):
        return None
    padding = tuple(a.lower for a in axes)
    if all(a.fits for a in axes):
        return padding, False
    return (padding, True) if all(a.fits_rounded_up for a in axes) else None


def _maximum(environment: Environment, axes: Sequence[Axis]) -> Forward:
    """(frames, channels, *cells) -> (frames, channels, *positions)"""
    if len(axes) not in MAXIMUM:
        positions = tuple(a.positions for a in axes)
        windows = _windows(environment, axes, -inf)
        return lambda x: windows(x).max(-1).values.reshape(*x.shape[:2], *positions)
    pool = MAXIMUM[len(axes)]
    size, stride = _steps(axes)
    if found := _padding(axes):
        padding, up = found
        return lambda x: pool(x, size, stride, padding, 1, up)
    around = border(axes)
    return lambda x: pool(functional.pad(x, around, value=-inf), size, stride)


def _mean(node: Node, environment: Environment, axes: Sequence[Axis], include: bool) -> Forward:
    """(frames, channels, *cells) -> (frames, channels, *positions); `include` also counts cells outside of the image."""
    size, stride = _steps(axes)
    found = _padding(axes)
    if found:
        padding, up = found
        divisor = prod(size) if include else None
        pool = AVERAGE[len(axes)]
        return lambda x: pool(x, size, stride, padding, up, False, divisor)
    index = cells_of_windows(axes)
    positions = tuple(a.positions for a in axes)
    inside = (index < prod(a.size for a in axes)).sum(1).view(positions)
    counts = (torch.full_like(inside, prod(size)) if include else inside).to(environment.device, dtype_of(node))
    if len(axes) not in AVERAGE:
        windows = _windows(environment, axes, 0.0)
        return lambda x: windows(x).sum(-1).reshape(*x.shape[:2], *positions) / counts
    around, pool = border(axes), AVERAGE[len(axes)]
    return lambda x: pool(functional.pad(x, around), size, stride, divisor_override=1) / counts


def _windows(environment: Environment, axes: Sequence[Axis], outside: float) -> Forward:
    """(frames, channels, *cells) -> (frames, channels, positions, window): the cells of each window."""
    index = cells_of_windows(axes).to(environment.device)
    shape, flat = index.shape, index.flatten()

    def windows(x: Tensor) -> Tensor:
        x = functional.pad(x.flatten(2), (0, 1), value=outside)
        return x.index_select(2, flat).view(*x.shape[:2], *shape)

    return windows


# --- unpooling -------------------------------------------------------------------------------------------------------


class Unpool(Function):
    """Values put where the maxima of an image were; the gradient of a value is the largest one in its window."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, image: Tensor, scatter: Forward, pool: Forward) -> Tensor:
        ctx.pool = pool
        return scatter(values, image)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.pool(gradients[0]), None, None, None


@kernel("MaxUnpooling", overwrites=lambda node: 0)
def max_unpooling(node: Node, environment: Environment) -> Forward:
    """Each value goes to the first maximum of its window in the image; where windows overlap, the last one wins."""
    image = node.inputs[1]
    dims = shape_of(image).dims
    axes = axes_of(Window.of(node.attributes, dims, pooling=True), dims)
    sliding, channels = _split(axes)
    pool, places = _maximum(environment, sliding), _places(environment, sliding)
    cells, positions = tuple(a.size for a in sliding), tuple(a.positions for a in sliding)
    overlapping = any(a.stride < a.kernel for a in sliding)
    target = (-1, *reversed_dims(node)) if has_axis(node) else reversed_dims(node)

    def scatter(x: Tensor, y: Tensor) -> Tensor:
        index = places(y)
        x = x.flatten(2).expand(index.shape)
        nothing = x.new_zeros(*x.shape[:2], prod(cells))
        if not overlapping:
            return nothing.scatter(2, index, x).view(*x.shape[:2], *cells)
        numbers = torch.arange(1, index.shape[2] + 1, device=x.device).expand_as(index)
        last = torch.zeros_like(nothing, dtype=torch.int64).scatter_reduce(2, index, numbers, "amax")
        return functional.pad(x, (1, 0)).gather(2, last).view(*x.shape[:2], *cells)

    def unpool(x: Tensor, y: Tensor) -> Tensor:
        x, y = x.reshape(-1, channels, *positions), y.reshape(-1, channels, *cells)
        if len(x) != len(y):  # one of them has no frames
            x, y = torch.broadcast_tensors(x, y) if x.shape == y.shape else _repeated(x, y)
        return Unpool.apply(x, y, scatter, pool).reshape(target)  # type: ignore[union-attr]

    return unpool


def _repeated(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Both with as many frames as the one that has them."""
    frames = max(len(x), len(y)) if min(len(x), len(y)) else 0
    return x.expand(frames, *x.shape[1:]), y.expand(frames, *y.shape[1:])


def _places(environment: Environment, axes: Sequence[Axis]) -> Forward:
    """(frames, channels, *cells) -> (frames, channels, positions): the flat cell of the first maximum of each window."""
    if (found := _padding(axes)) is not None:
        padding, up = found
        size, stride = _steps(axes)
        pool: Callable[..., tuple[Tensor, Tensor]] = MAXIMUM[len(axes)]
        return lambda x: pool(x, size, stride, padding, 1, up, True)[1].flatten(2)
    windows = _windows(environment, axes, -inf)
    index = cells_of_windows(axes).to(environment.device)
    rows = torch.arange(len(index), device=environment.device)
    return lambda x: index[rows, windows(x).argmax(-1)]


# --- older and special forms -----------------------------------------------------------------------------------------


@kernel("MaxPooling", "AveragePooling")
def old_pooling(node: Node, environment: Environment) -> Forward:
    """Images without padding, channels last [W x H x C] or first [C x W x H]."""
    width, height, across, down = (
        int(node.attributes[name])  # type: ignore[call-overload]
        for name in ("windowWidth", "windowHeight", "horizontalSubsample", "verticalSubsample")
    )
    dims = shape_of(node.inputs[0]).dims
    legacy = node.attributes.get("imageLayout", "CHW") in ("HWC", "legacy")
    image = (*dims[1:], dims[0]) if legacy else dims
    no = (False,)
    sliding, channels = _split(axes_of(Window((width, height, 1), (across, down, 1), no, (0,), (0,), (True,)), image))
    compute = _maximum(environment, sliding) if node.op == "MaxPooling" else _mean(node, environment, sliding, False)
    if not legacy:
        return _in_channels(node, node.inputs[0], sliding, channels, compute)
    source, target = (-1, *dims[::-1]), ((-1,) if has_axis(node) else ()) + reversed_dims(node)
    return lambda x: compute(x.reshape(source).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).reshape(target)


@kernel("ROIPooling")
def roi_pooling(node: Node, environment: Environment) -> Forward:
    """x [W x H x C] and regions [4 x R] give [w x h x C x R]: maxima over the cells of a grid laid over each region.

    A region's corners x1, y1, x2, y2, scaled and rounded, belong to it. Cell i of n over a region of size s reaches from
    floor(i s / n) to ceil((i + 1) s / n); where nothing of it is inside of the image it is 0.
    """
    if str(node.attributes.get("pool", "max")).lower() != "max":
        raise BsError(
            "unsupported-operation", f"'{node.name}': regions can only be pooled by their maxima", node.origin
        )
    image, regions = node.inputs
    wide, high, channels = shape_of(image).dims[:3]
    count = shape_of(regions).dims[1]
    columns, rows = shape_of(node).dims[:2]
    scale = float(node.attributes.get("featureScale", 1 / 16))  # type: ignore[arg-type]
    target = ((-1,) if has_axis(node) else ()) + reversed_dims(node)

    def spans(first: Tensor, last: Tensor, cells: int, limit: int) -> list[list[list[int]]]:
        """Begin and end of each cell of each region. In the node's precision, as the reference computes them."""
        size = (last - first + 1).clamp(min=1).to(dtype_of(node)) / cells
        number = torch.arange(cells + 1, device=size.device, dtype=size.dtype) * size[:, None]
        begin, end = number[:, :-1].floor() + first[:, None], number[:, 1:].ceil() + first[:, None]
        return torch.stack([begin, end], 2).clamp(0, limit).long().tolist()

    def pool(x: Tensor, r: Tensor) -> Tensor:
        x, r = _repeated(x.reshape(-1, channels, high, wide), r.reshape(-1, count, 4))
        corners = r.detach().double().flatten(0, 1) * scale
        x1, y1, x2, y2 = (torch.sign(corners) * torch.floor(corners.abs() + 0.5)).unbind(1)
        place = torch.full((len(corners), channels, rows, columns), wide * high, dtype=torch.int64, device=x.device)
        with torch.no_grad():
            grid = zip(spans(y1, y2, rows, high), spans(x1, x2, columns, wide), strict=True)
            for number, (vertical, horizontal) in enumerate(grid):
                _maxima_of_region(x[number // count], vertical, horizontal, place[number])
        padded = functional.pad(x.flatten(2), (0, 1))
        place = place.view(-1, count, channels, rows * columns).transpose(1, 2).flatten(2)
        found = padded.gather(2, place).view(-1, channels, count, rows, columns)
        return found.transpose(1, 2).reshape(target)

    return pool


def _maxima_of_region(x: Tensor, vertical: list[list[int]], horizontal: list[list[int]], place: Tensor) -> None:
    """Writes to `place` (channels, rows, columns) where in x (channels, H, W) the first maximum of each cell is.

    Cells without anything inside are left alone.
    """
    wide = x.shape[2]
    for column, (left, right) in enumerate(horizontal):
        if right <= left:
            continue
        best, across = x[:, :, left:right].max(2)
        for row, (top, bottom) in enumerate(vertical):
            if bottom > top:
                down = best[:, top:bottom].argmax(1, keepdim=True) + top
                place[:, row, column] = (down * wide + across.gather(1, down) + left).squeeze(1)
