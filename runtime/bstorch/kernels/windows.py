"""Windows that slide over images, axis by axis, as convolutions and poolings need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from bsls.schema.ops.geometry import Window
from bsls.schema.ops.rules import at
from bsls.shape import Dims


@dataclass(frozen=True, slots=True)
class Axis:
    """How a window moves along one axis of an image.

    Its cells are `spacing` apart, it steps by `stride`, and the first of the `positions` begins `lower` cells before the
    image (behind its first cell, if negative).
    """

    size: int
    kernel: int = 1
    stride: int = 1
    spacing: int = 1
    positions: int = 1
    lower: int = 0

    @property
    def upper(self) -> int:
        """Cells behind the image that the last window covers; negative where it ends before."""
        return (self.positions - 1) * self.stride + (self.kernel - 1) * self.spacing + 1 - self.lower - self.size

    @property
    def is_whole(self) -> bool:
        """Whether there is one window, the whole axis."""
        return self.positions == 1 and self.kernel == self.size and self.lower == 0

    @property
    def is_cellwise(self) -> bool:
        """Whether each cell is a window of its own."""
        return self.kernel == 1 and self.stride == 1 and self.lower == 0 and self.positions == self.size

    @property
    def fits(self) -> bool:
        """Whether `lower` cells on both sides give these positions, where what is left of a last step does not count."""
        return self.lower >= 0 and self._room // self.stride == self.positions - 1

    @property
    def fits_rounded_up(self) -> bool:
        """As `fits`, but with a last window that may stick out, as long as it begins inside."""
        inside = (self.positions - 1) * self.stride < self.size + self.lower
        return self.lower >= 0 and -(-self._room // self.stride) == self.positions - 1 and inside

    @property
    def _room(self) -> int:
        return self.size + 2 * self.lower - (self.kernel - 1) * self.spacing - 1

    def cells(self) -> Tensor:
        """(positions, kernel): the cell of the image below each cell of each window; some may be outside."""
        begin = torch.arange(self.positions) * self.stride - self.lower
        return begin[:, None] + torch.arange(self.kernel) * self.spacing


def axes_of(window: Window, image: Dims, positions: Dims | None = None) -> tuple[Axis, ...]:
    """The axes of an image below a window, without the maps of a convolution."""
    window = replace(window, map_count=(1,))
    positions = window.output(image) if positions is None else positions
    return tuple(
        Axis(size, window.kernel[k], at(window.stride, k), window.spacing(k), positions[k], window.lower_padding(k, image))
        for k, size in enumerate(image)
    )  # fmt: skip


def border(axes: Sequence[Axis]) -> list[int]:
    """What `functional.pad` has to add (or to take away) so that all windows lie inside; axes slowest first."""
    return [cells for axis in reversed(axes) for cells in (axis.lower, axis.upper)]


def cells_of_windows(axes: Sequence[Axis]) -> Tensor:
    """(positions, kernel): the flat index of each cell of each window; the number of cells for those outside.

    The axes are given slowest first, and so are the positions and the cells of the window counted.
    """
    total = prod(axis.size for axis in axes)
    flat, outside = torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.bool)
    for axis in axes:
        cells = axis.cells()
        wrong = (cells < 0) | (cells >= axis.size)
        shape = (len(flat) * axis.positions, flat.shape[1] * axis.kernel)
        flat = (flat[:, None, :, None] * axis.size + cells[None, :, None, :]).reshape(shape)
        outside = (outside[:, None, :, None] | wrong[None, :, None, :]).reshape(shape)
    return torch.where(outside, total, flat)
