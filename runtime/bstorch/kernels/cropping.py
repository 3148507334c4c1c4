"""Crop and Padding: images cut to another one's size, tensors made larger at their borders."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.convolution import window_of
from bsls.schema.ops.cropping import NOT_SET
from bsls.schema.ops.geometry import Window
from bsls.schema.ops.rules import as_tuple, at
from bstorch.kernels.base import Environment, Forward, kernel, shape_of
from bstorch.kernels.convolution import is_transposed
from bstorch.kernels.elementwise import ARITHMETIC, COMPARISONS, UNARY

PLACE_KEEPING = frozenset((*UNARY, *ARITHMETIC, *COMPARISONS, "Pow"))
"""Operations whose result has the elements at the places of the operands' ones."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node's element (x, y) lies in the image that is cropped, or in the one it is cropped to.

    At scale * x + shift, along the width and the height.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    def after(self, inner: Place) -> Place:
        """The place of what `inner` places first."""
        return Place(
            (self.scale[0] * inner.scale[0], self.scale[1] * inner.scale[1]),
            (self.scale[0] * inner.shift[0] + self.shift[0], self.scale[1] * inner.shift[1] + self.shift[1]),
        )

    def inverse(self) -> Place:
        return Place(
            (1 / self.scale[0], 1 / self.scale[1]), (-self.shift[0] / self.scale[0], -self.shift[1] / self.scale[1])
        )


@kernel("Crop", overwrites=lambda node: 0)
def crop(node: Node, environment: Environment) -> Forward:
    """x cut to the first two axes of the reference; only x gets a gradient."""
    across, down = offsets(node)
    width, height = shape_of(node).dims[:2]

    def cut(x: Tensor, *others: Tensor) -> Tensor:
        return x[..., down : down + height, across : across + width]

    return cut


def offsets(node: Node) -> tuple[int, int]:
    """First column and row that a Crop keeps: the given ones, or where the reference image lies in x.

    Raises BsError where the two have no common source, or no such place.
    """
    x, y = (float(node.attributes.get(name, NOT_SET)) for name in ("xOffset", "yOffset"))  # type: ignore[arg-type]
    if NOT_SET in (x, y):
        place = _place_of_reference(node)
        if place.scale != (1.0, 1.0):
            raise _no_place(node, "has not the scale of the image that it is cropped to")
        if min(-s for s in place.shift) < 0:
            raise _no_place(node, "begins behind the image that it is cropped to")
        x, y = (-s for s in place.shift)
    found = int(x), int(y)
    for size, wanted, offset in zip(shape_of(node.inputs[0]).dims, shape_of(node).dims[:2], found, strict=False):
        if offset + wanted > size:
            raise _no_place(node, f"has {size} cells along an axis of which {wanted} are wanted from {offset} on")
    return found


def _no_place(node: Node, why: str) -> BsError:
    return BsError(
        "crop-place", f"'{node.name}' cannot crop '{node.inputs[0].name}', which {why}", node.origin,
        help="give xOffset and yOffset",
    )  # fmt: skip


def _place_of_reference(node: Node) -> Place:
    """How places in x become places in the result, by way of a node below both operands (or two that are alike)."""
    x, reference, *alike = node.inputs
    below_x = {x: Place()}
    stack = [x]
    while stack:
        stack.extend(_go_down(node, stack.pop(), below_x))
    below_reference = {reference: Place()}
    stack = [reference]
    while stack:
        current = stack.pop()
        other = alike[0] if current not in below_x and alike and current is alike[1] else current
        if other in below_x:
            return below_reference[current].after(below_x[other].inverse())
        stack.extend(_go_down(node, current, below_reference))
    raise _no_place(node, f"has no source in common with '{reference.name}'")


def _go_down(crop: Node, node: Node, places: dict[Node, Place]) -> list[Node]:
    """Notes the places of the node's operands; those that were not known yet."""
    new: list[Node] = []
    for source, step in _steps(node):
        place = places[node].after(step)
        if source not in places:
            places[source] = place
            new.append(source)
        elif places[source] != place:
            raise _no_place(crop, f"lies at different places by different ways from '{source.name}'")
    return new


def _steps(node: Node) -> list[tuple[Node, Place]]:
    """The operands of a node and where their elements lie in it; none for operations without such places."""
    if node.op in PLACE_KEEPING:
        return [(source, Place()) for source in node.inputs]
    if node.op == "BatchNormalization":
        return [(node.inputs[0], Place())]
    if node.op == "Crop":
        x, y = offsets(node)
        return [(node.inputs[0], Place(shift=(-x, -y)))]
    if node.op == "Pooling":
        return [(node.inputs[0], _window_place(node, node.inputs[0], pooling=True).inverse())]
    if node.op == "MaxUnpooling":
        return [(node.inputs[0], _window_place(node, node, pooling=True))]
    if node.op == "Convolution":
        x = node.inputs[1]
        return [(x, _window_place(node, node) if is_transposed(node) else _window_place(node, x).inverse())]
    return []


def _window_place(node: Node, image: Node, pooling: bool = False) -> Place:
    """Where in the image the middle of each of the node's windows is."""
    dims = shape_of(image).dims
    window = Window.of(node.attributes, dims, True) if pooling else window_of(node.attributes, dims)
    width, height = ((window.kernel[k] - 1) // 2 - window.lower_padding(k, dims) for k in (0, 1))
    return Place((at(window.stride, 0), at(window.stride, 1)), (width, height))


@kernel("Padding")
def padding(node: Node, environment: Environment) -> Forward:
    dims = shape_of(node.inputs[0]).dims
    head, foot = as_tuple(node.attributes["head"]), as_tuple(node.attributes["foot"])
    mode = str(node.attributes.get("mode", "constant"))
    if mode == "constant":
        value = float(node.attributes.get("value", 0.0))  # type: ignore[arg-type]
        cells = [c for pair in zip(head, foot, strict=True) for c in pair]
        return lambda x: functional.pad(x, cells, value=value)
    # Every cell has a source along each axis: mirrored at the border cell, or behind it.
    repeat = 1 if mode == "symmetric" else 0
    sources: list[tuple[int, Tensor]] = []
    for axis, (size, before, behind) in enumerate(zip(dims, head, foot, strict=True)):
        place = torch.arange(-before, size + behind, device=environment.device)
        place = torch.where(place < 0, -place - repeat, place)
        place = torch.where(place >= size, 2 * size - 2 + repeat - place, place)
        if before or behind:
            sources.append((-1 - axis, place))

    def mirrored(x: Tensor) -> Tensor:
        for dim, place in sources:
            x = x.index_select(dim, place)
        return x

    return mirrored
