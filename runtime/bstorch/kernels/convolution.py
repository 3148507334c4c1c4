"""Convolution of tensors of any rank: shared and unshared weights, its transposition, both image layouts.

With the kernel over all channels, which are the last axis, [W x H x C] images and [w x h x C x maps] kernels reversed are
what torch's convolutions take, and nothing is copied. Where the window slides over the last axis as well, the image gets
a channel of its own. What torch has no function for gathers the cells of all windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.convolution import as_slid, window_of
from bsls.schema.ops.geometry import Window
from bsls.schema.ops.rules import at
from bsls.shape import Dims
from bstorch.kernels.base import Environment, Forward, has_axis, kernel, reversed_dims, shape_of
from bstorch.kernels.windows import Axis, axes_of, border, cells_of_windows

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED = {1: functional.conv_transpose1d, 2: functional.conv_transpose2d, 3: functional.conv_transpose3d}


def is_transposed(node: Node) -> bool:
    return bool(node.attributes.get("transpose", False))


def _overwrites(node: Node) -> int | None:
    return 1 if is_transposed(node) else None


@dataclass(frozen=True, slots=True)
class _Geometry:
    """What the node's attributes and the dims of its operands come to."""

    operand: Dims
    result: Dims
    window: Window
    axes: Sequence[Axis]
    maps: Dims
    legacy: bool

    @classmethod
    def of(cls, node: Node) -> _Geometry:
        legacy = node.attributes.get("imageLayout", "CHW") in ("HWC", "legacy")
        operand, result = as_slid(node.attributes, shape_of(node.inputs[1]).dims, shape_of(node).dims)
        image, moved = (result, operand) if is_transposed(node) else (operand, result)
        window = window_of(node.attributes, image)
        maps = tuple(window.maps(k, len(image)) for k in range(len(image)))
        axes = axes_of(window, image, tuple(d // m for d, m in zip(moved, maps, strict=True)))
        return cls(operand, result, window, axes, maps, legacy)

    @property
    def is_image(self) -> bool:
        """Whether the kernel lies over all channels, and torch has a function that slides along the other axes."""
        slides = _slides(self.axes[:-1], self.window) and self.axes[-1].is_whole
        return not self.legacy and slides and prod(self.maps[:-1]) == 1


@kernel("Convolution", overwrites=_overwrites)
def convolution(node: Node, environment: Environment) -> Forward:
    """y[p, m] = sum_k W[k, m] x[p * stride - lower + k], or its transposition, which makes x the larger one.

    Where `takes_bias` holds, the function also takes a bias (maps) that is added.
    """
    weights, x = node.inputs
    if has_axis(weights):
        raise BsError(
            "unsupported-operation", f"the weights of '{node.name}' differ from frame to frame", node.origin,
            help="weights of a convolution must not depend on the data",
        )  # fmt: skip
    g = _Geometry.of(node)
    if g.legacy:
        compute = _legacy(node, g.window, g.axes, g.maps)
    elif g.is_image:
        compute = _slid(
            g.axes[-2::-1],
            (g.maps[-1], g.operand[-1] if not is_transposed(node) else g.result[-1]),
            is_transposed(node),
        )
    else:
        compute = _with_maps(node, g.window, g.axes, g.maps, environment)
    return _framed(node, x, g.operand, g.result, compute)


def takes_bias(node: Node) -> bool:
    """Whether the compiled Convolution can add one number for each map."""
    return _Geometry.of(node).is_image and not is_transposed(node) and has_axis(node.inputs[1])


def _slides(axes: Sequence[Axis], window: Window) -> bool:
    """Whether torch has a function that slides along these axes."""
    return len(axes) in CONVOLUTIONS and all(window.sharing)


def _framed(node: Node, x: Node, operand: Dims, result: Dims, compute: Forward) -> Forward:
    """`compute`, which is for frames, also for an operand without; the result gets the node's own dims."""
    if has_axis(x) and shape_of(node).dims == result:
        return compute
    source, target = (-1, *operand[::-1]), reversed_dims(node)
    if has_axis(x):
        target = (-1, *target)
    return lambda w, value, *bias: compute(w, value.reshape(source), *bias).reshape(target)


def _slid(axes: Sequence[Axis], matrix: tuple[int, int], transposed: bool) -> Forward:
    """The convolution along the axes, slowest first: from (frames, channels, *cells) to (frames, maps, *positions).

    `matrix` are maps and channels. Transposed it goes the other way.
    """
    shape = (*matrix, *(a.kernel for a in axes))
    stride, spacing = tuple(a.stride for a in axes), tuple(a.spacing for a in axes)
    if transposed:
        # Axes that torch's function cannot cut as wanted are cut (or grow) afterwards.
        native = [a.lower >= 0 and 0 <= a.lower - a.upper < max(a.stride, a.spacing) for a in axes]
        padding = tuple(a.lower if n else 0 for a, n in zip(axes, native, strict=True))
        more = tuple(a.lower - a.upper if n else 0 for a, n in zip(axes, native, strict=True))
        cut = [-cells for cells in _border(axes, native)]
        deconvolve = TRANSPOSED[len(axes)]

        def transposition(w: Tensor, x: Tensor) -> Tensor:
            y = deconvolve(x, w.reshape(shape), None, stride, padding, more, 1, spacing)
            return functional.pad(y, cut) if any(cut) else y

        return transposition

    native = [a.fits for a in axes]
    padding = tuple(a.lower if n else 0 for a, n in zip(axes, native, strict=True))
    around = _border(axes, native)
    convolve = CONVOLUTIONS[len(axes)]
    # Channels last in memory is what torch's convolutions of images are fastest with; what follows keeps it.
    format = torch.channels_last if len(axes) == 2 and not any(around) else torch.contiguous_format

    def slid(w: Tensor, x: Tensor, b: Tensor | None = None) -> Tensor:
        x = functional.pad(x, around) if any(around) else x.contiguous(memory_format=format)
        return convolve(x, w.reshape(shape).contiguous(memory_format=format), b, stride, padding, spacing)

    return slid


def _border(axes: Sequence[Axis], native: Sequence[bool]) -> list[int]:
    """What is to be padded apart from what torch's function does by itself."""
    return border([Axis(a.size, positions=a.size) if n else a for a, n in zip(axes, native, strict=True)])


def _with_maps(node: Node, window: Window, axes: Sequence[Axis], maps: Dims, environment: Environment) -> Forward:
    """A convolution that slides along all axes of the image, the last one as well; any axis of the result may have maps.

    Such an axis runs over the positions first, then over its maps.
    """
    axes, maps = axes[::-1], maps[::-1]
    rank, transposed = len(axes), is_transposed(node)
    if _slides(axes, window):
        compute = _slid(axes, (prod(maps), 1), transposed)
    else:
        shared = tuple(bool(at(window.sharing, k)) for k in range(rank))[::-1]
        compute = _gathered(axes, maps, shared, transposed, environment)
    cells, positions = tuple(a.size for a in axes), tuple(a.positions for a in axes)
    pairs = tuple(d for pair in zip(maps, positions, strict=True) for d in pair)
    apart = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2))
    together = (0, *(d for k in range(1, rank + 1) for d in (k, rank + k)))

    def forward(w: Tensor, x: Tensor) -> Tensor:
        y = compute(w, x.reshape(-1, 1, *cells)).reshape(-1, *maps, *positions)
        return y.permute(together).reshape(-1, *(m * p for m, p in zip(maps, positions, strict=True)))

    def transposition(w: Tensor, x: Tensor) -> Tensor:
        x = x.reshape(-1, *pairs).permute(apart).reshape(-1, prod(maps), *positions)
        return compute(w, x).reshape(-1, *cells)

    return transposition if transposed else forward


def _gathered(
    axes: Sequence[Axis], maps: Dims, shared: Sequence[bool], transposed: bool, environment: Environment
) -> Forward:
    """As `_slid` with one channel, for any number of axes, and for weights that differ from position to position.

    Along an axis that does not share them there is a kernel for each position, which runs faster than the axis' maps.
    """
    index = cells_of_windows(axes).to(environment.device)
    places, size = index.shape
    flat, cells = index.flatten(), prod(a.size for a in axes)
    rank, count = len(axes), prod(maps)
    stored = [(m, 1 if s else a.positions) for m, s, a in zip(maps, shared, axes, strict=True)]
    wanted = [d for m, a in zip(maps, axes, strict=True) for d in (m, a.positions)]
    order = (*range(0, 2 * rank, 2), *range(1, 2 * rank, 2), 2 * rank)

    def kernels(w: Tensor) -> Tensor:
        """(maps, positions, kernel)"""
        w = w.reshape(*(d for pair in stored for d in pair), size).expand(*wanted, size)
        return w.permute(order).reshape(count, places, size)

    def forward(w: Tensor, x: Tensor) -> Tensor:
        # Windows see zeros outside of the image: the last cell.
        x = functional.pad(x.reshape(-1, cells), (0, 1))
        windows = x.index_select(1, flat).view(-1, places, size)
        return torch.einsum("fpk,mpk->fmp", windows, kernels(w))

    def transposition(w: Tensor, x: Tensor) -> Tensor:
        windows = torch.einsum("fmp,mpk->fpk", x.reshape(-1, count, places), kernels(w))
        image = windows.new_zeros(len(windows), cells + 1)
        return image.index_add(1, flat, windows.reshape(-1, places * size))[:, :cells]

    return transposition if transposed else forward


def _legacy(node: Node, window: Window, axes: Sequence[Axis], maps: Dims) -> Forward:
    """Images whose channels are the fastest axis, with weights [maps x kernel x channels], the maps fastest as well.

    The next axis in memory is the height, whatever the dims of the node say. A padded window of size k begins k div 2
    cells before the image, whatever is left over at the other end.
    """
    if len(axes) != 3 or not axes[2].is_whole or prod(maps[:-1]) != 1 or not all(window.sharing):
        raise BsError(
            "unsupported-operation", f"'{node.name}' convolves in the image layout HWC what is no plain image",
            node.origin, help="use imageLayout = 'CHW'",
        )  # fmt: skip
    pair = [replace(a, lower=a.kernel // 2) if at(window.auto_pad, k) else a for k, a in enumerate(axes[:2])]
    width, height, channels = axes
    transposed, count = is_transposed(node), maps[-1]
    compute = _slid(pair, (count, channels.size), transposed)
    lattice = tuple(a.positions if transposed else a.size for a in pair)
    shape = (channels.size, width.kernel, height.kernel, count)

    def forward(w: Tensor, x: Tensor) -> Tensor:
        x = x.reshape(-1, *lattice, count if transposed else channels.size).permute(0, 3, 1, 2)
        return compute(w.reshape(shape).permute(3, 0, 1, 2), x).permute(0, 2, 3, 1)

    return forward
