"""Geometry of sliding windows: output sizes, padding, and the completion of short attribute vectors.

Conventions are those of the reference: with automatic padding an axis of size I and stride s gives (I - 1) // s + 1
positions, and the window is centred; without it (I + lower + upper - k) // s + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from bsls.schema.ops.base import ShapeError
from bsls.schema.ops.rules import as_tuple, at, show
from bsls.shape import Dims


def _completed(
    values: tuple[int, ...], filter_rank: int, rank: int, default: int, source: Dims = ()
) -> tuple[int, ...]:
    """Repeats the last value up to the filter's rank, then takes `source`, or `default` beyond it, up to `rank`."""
    if not values:
        return values
    filled = values + (values[-1],) * (filter_rank - len(values))
    return filled + tuple(source[k] if k < len(source) else default for k in range(len(filled), rank))


@dataclass(frozen=True, slots=True)
class Window:
    """How a window slides over an image: all vectors have the image's rank, or one element for all axes."""

    kernel: Dims
    stride: Dims
    auto_pad: tuple[bool, ...]
    lower: Dims
    upper: Dims
    sharing: tuple[bool, ...]
    map_count: Dims = (1,)
    dilation: Dims = (1,)
    ceil: bool = False

    @classmethod
    def of(cls, attributes: Mapping[str, object], image: Dims, pooling: bool = False) -> Window:
        """The window that the attributes describe, completed to the rank of `image`.

        A kernel of lower rank covers the remaining axes as a whole (convolution) or one cell of them (pooling).
        """
        kernel = as_tuple(attributes["kernelShape"])
        filter_rank, rank = len(kernel), len(image)
        source = () if pooling else image

        def vector(name: str, default: object, fill: int, source: Dims = ()) -> tuple[int, ...]:
            return _completed(as_tuple(attributes.get(name, default)), filter_rank, rank, fill, source)

        auto_pad = _completed(_booleans(attributes.get("dimPadding", True)), filter_rank, rank, False)
        sharing = _completed(_booleans(attributes.get("dimSharing", True)), filter_rank, rank, True)
        return cls(
            kernel=_completed(kernel, filter_rank, rank, 1, source),
            stride=vector("strideShape", 1, 1, source),
            auto_pad=tuple(map(bool, auto_pad)),
            lower=vector("dimPadLower", 0, 0),
            upper=vector("dimPadUpper", 0, 0),
            sharing=tuple(map(bool, sharing)),
            map_count=(1,) if pooling else as_tuple(attributes.get("mapCount", 0)),
            dilation=(1,) if pooling else as_tuple(attributes.get("dimDilation", 1)),
            ceil=bool(attributes.get("ceilOut", False)) and pooling,
        )

    def attributes(self) -> dict[str, object]:
        """The completed vectors, under the names of the attributes."""
        return {
            "kernelShape": self.kernel,
            "strideShape": self.stride,
            "dimPadding": self.auto_pad,
            "dimPadLower": self.lower,
            "dimPadUpper": self.upper,
            "dimSharing": self.sharing,
        }

    def maps(self, axis: int, rank: int) -> int:
        """Number of feature maps along an axis: all of them along the last one unless given per axis."""
        if len(self.map_count) != 1:
            return self.map_count[axis]
        return self.map_count[0] if axis == rank - 1 else 1

    def check_ranks(self, image: Dims) -> None:
        """Raises ShapeError where a vector does not go with the rank of the image."""
        rank = len(image)
        if len(self.kernel) != rank:
            raise ShapeError(
                f"a window {show(self.kernel)} of rank {len(self.kernel)} cannot slide over an operand {show(image)} of "
                f"rank {rank}",
                help=f"the window needs at most {rank} axes; an image is [width x height x channels]",
            )
        for what, values in (
            ("map count", self.map_count),
            ("stride", self.stride),
            ("sharing", self.sharing),
            ("automatic padding", self.auto_pad),
            ("lower padding", self.lower),
            ("upper padding", self.upper),
        ):
            if len(values) not in (1, rank):
                raise ShapeError(
                    f"the {what} has {len(values)} values, but the operand {show(image)} has {rank} axes",
                    help=f"give one value, or {rank}",
                )

    def output(self, image: Dims) -> Dims:
        """Size of the result of sliding over `image`; 0 along axes whose size is not known."""
        self.check_ranks(image)
        return tuple(self._positions(k, d) * self.maps(k, len(image)) for k, d in enumerate(image))

    def _positions(self, axis: int, size: int) -> int:
        if size == 0:
            return 0
        kernel, stride = self.kernel[axis], at(self.stride, axis)
        auto = bool(at(self.auto_pad, axis))
        lower, upper = (0, 0) if auto else (at(self.lower, axis), at(self.upper, axis))
        if stride == 0:
            raise ShapeError(f"the stride along axis {axis + 1} is 0")
        reach = self._reach(axis)
        room = size - 1 if auto else size + lower + upper - reach - 1
        if kernel > size + lower + upper or room < 0:
            raise ShapeError(
                f"a window of {kernel} does not fit into axis {axis + 1}, which has {size + lower + upper} cells",
                help="use a smaller window or padding",
            )
        positions = (-(-room // stride) if self.ceil else room // stride) + 1
        if not auto and (lower or upper) and (positions - 1) * stride + kernel < size + lower:
            raise ShapeError(
                f"with the given padding, windows of {kernel} in steps of {stride} leave cells of axis {axis + 1} out",
                help="change the padding so that they cover it, or let it be automatic",
            )
        return positions

    def input(self, result: Dims) -> Dims:
        """Size of an image from which sliding gives `result`: what a transposed convolution makes."""
        self.check_ranks(result)
        return tuple(self._cells(k, d // (self.maps(k, len(result)) or 1)) for k, d in enumerate(result))

    def _cells(self, axis: int, positions: int) -> int:
        if positions == 0:
            return 0
        kernel, stride = self.kernel[axis], at(self.stride, axis)
        span = (positions - 1) * stride
        if at(self.auto_pad, axis):
            return span + 1
        cells = span + kernel - at(self.lower, axis) - at(self.upper, axis)
        if cells < 1:
            raise ShapeError(f"the padding leaves nothing of axis {axis + 1}", help="reduce the padding")
        return cells

    def lower_padding(self, axis: int, image: Dims) -> int:
        """Cells before the first one that the first window covers; negative where it begins behind it."""
        if not at(self.auto_pad, axis):
            return at(self.lower, axis)
        return (self._reach(axis) // 2) - self._extra(axis, image)[0]

    def upper_padding(self, axis: int, image: Dims) -> int:
        """Cells behind the last one that the last window covers; negative where it ends before it."""
        if not at(self.auto_pad, axis):
            return at(self.upper, axis)
        return self._reach(axis) - self._reach(axis) // 2 - self._extra(axis, image)[1]

    def spacing(self, axis: int) -> int:
        """Distance of neighbouring cells of the window along an axis."""
        return at(self.dilation, axis) if len(self.dilation) in (1, len(self.kernel)) else 1

    def _reach(self, axis: int) -> int:
        return (self.kernel[axis] - 1) * self.spacing(axis)

    def _extra(self, axis: int, image: Dims) -> tuple[int, int]:
        """Cells before the first and behind the last centre of a window, maps along the axis counted as positions."""
        cells = (self.output(image)[axis] - 1) * at(self.stride, axis) + 1
        extra = image[axis] - cells
        before = int(extra / 2)  # towards zero, as it may be negative
        return before, extra - before

    def kernels(self, image: Dims) -> int:
        """Number of different kernels: one per map, and per position along axes that do not share weights."""
        result = self.output(image)
        return prod(self.maps(k, len(image)) if at(self.sharing, k) else result[k] for k in range(len(image)))


def _booleans(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (bool(value),)
