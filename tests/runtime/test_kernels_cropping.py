"""Cropping, how its place is found, padding, and gradients that are overwritten."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from kernel_cases import Operand, check, gradients, p, x

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.kernels.cropping import offsets
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

AT = {"xOffset": 2, "yOffset": 1}


def test_crop_cuts_the_first_two_axes():
    check("Crop", [x(5, 4, 2), x(2, 3, 7)], lambda a, b: a[:, :, 1:4, 2:4], AT, gradient=False)
    check("Crop", [p(5, 4), p(2, 3)], lambda a, b: a[1:4, 2:4], AT, gradient=False)
    check("Crop", [x(5, 4), p(2, 3)], lambda a, b: a[:, 1:4, 2:4], AT, gradient=False)


def test_only_what_is_cropped_has_a_gradient():
    found, nothing = gradients("Crop", [x(4, 3), x(2, 2)], AT)
    assert nothing is None
    assert found is not None
    assert found[0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


# --- places ----------------------------------------------------------------------------------------------------------


def image(name: str = "image", dims: tuple[int, ...] = (12, 12, 1)) -> Node:
    return Node("InputValue", name, attributes={"dims": dims, "dynamicAxis": ""})


def pool(source: Node, name: str, kernel: int, stride: int, padded: bool = False, op: str = "Pooling") -> Node:
    attributes = {
        "pool": "max", "kernelShape": (kernel, kernel), "strideShape": (stride, stride), "dimPadding": padded,
    }  # fmt: skip
    if op == "Pooling":
        return Node(op, name, [source], attributes)
    weights = Node("LearnableParameter", name + ".W", attributes={"dims": (kernel, kernel, 1, 1)})
    attributes = {k: v for k, v in attributes.items() if k != "pool"} | {"mapCount": 1}
    if op == "Transposed":
        attributes |= {"transpose": True, "kernelShape": (kernel, kernel, 1), "strideShape": (stride, stride, 1),
                       "dimPadding": (padded, padded, False)}  # fmt: skip
    return Node("Convolution", name, [weights, source], attributes)


def crop(*operands: Node, **attributes: object) -> Node:
    node = Node("Crop", "crop", list(operands), attributes)
    network, pending = Network(), [node]
    while pending:
        current = pending.pop()
        if current.name not in network:
            network.add(current)
            pending += current.inputs
    assert not validate(network).findings
    return node


def test_no_padding_moves_by_half_a_window():
    x = image()
    assert offsets(crop(x, pool(x, "c", 3, 1, op="Convolution"))) == (1, 1)
    assert offsets(crop(x, pool(pool(x, "c", 5, 1), "d", 3, 1, op="Convolution"))) == (3, 3)


def test_padding_does_not():
    x = image()
    assert offsets(crop(x, pool(x, "c", 3, 1, padded=True))) == (0, 0)


def test_down_and_up_again():
    """Windows of 4 in steps of 2, transposed: cell i of 5 lies at 2 i + 1 of both, the larger and the smaller image."""
    x = image()
    up = pool(pool(x, "down", 2, 2), "up", 4, 2, op="Transposed")
    assert up.attributes["transpose"]
    node = crop(up, Node("Sigmoid", "s", [x]))
    assert offsets(node) == (1, 1)
    assert node.shape is not None
    assert node.shape.dims == (12, 12, 1)


def test_through_operations_that_keep_places():
    x = image()
    scale = Node("LearnableParameter", "scale", attributes={"dims": (1,)})
    other = Node("Tanh", "t", [Node("ElementTimes", "e", [scale, pool(x, "c", 3, 1)])])
    assert offsets(crop(Node("Plus", "plus", [x, x]), other)) == (1, 1)


def test_through_another_crop():
    x = image()
    first = Node("Crop", "first", [x, pool(x, "c", 5, 1)], {})
    assert offsets(crop(x, first)) == (2, 2)


def test_two_images_that_are_alike():
    a, b = image("a"), image("b")
    assert offsets(crop(a, pool(b, "c", 3, 1), a, b)) == (1, 1)


def test_places_that_cannot_be_found():
    x, other = image(), image("other", (4, 4, 1))
    with pytest.raises(BsError, match="no source in common with 'other'"):
        offsets(crop(x, other))
    with pytest.raises(BsError, match="has not the scale"):
        offsets(crop(x, pool(x, "c", 2, 2)))
    early = Node("Crop", "early", [pool(x, "c", 3, 1), other], {"xOffset": 0, "yOffset": 0})
    with pytest.raises(BsError, match="begins behind"):
        offsets(crop(pool(x, "d", 5, 1), early))
    late = Node("Crop", "late", [x, other], {"xOffset": 8, "yOffset": 8})
    with pytest.raises(BsError, match="4 are wanted from 8 on"):
        offsets(crop(pool(x, "d", 2, 1), late))
    ways = Node("Plus", "ways", [pool(x, "g", 3, 1), pool(pool(x, "h", 2, 1), "i", 2, 1)])
    with pytest.raises(BsError, match="different places by different ways"):
        offsets(crop(ways, pool(x, "f", 5, 1)))


# --- padding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric"])
@pytest.mark.parametrize(("head", "foot"), [((0, 0, 0), (0, 0, 0)), ((2, 1, 0), (1, 2, 1)), ((0, 0, 1), (3, 0, 1))])
def test_padding(mode, head, foot):
    width = [(h, f) for h, f in zip(head[::-1], foot[::-1], strict=True)]
    more = {"constant_values": 1.5} if mode == "constant" else {}
    attributes = {"head": head, "foot": foot, "mode": mode, "value": 1.5}
    for operand in (x(4, 3, 2), Operand((4, 3, 2), framed=False)):
        outer = [(0, 0)] if operand.framed else []
        check("Padding", [operand], lambda a, outer=outer: np.pad(a, outer + width, mode, **more), attributes)


# --- overwritten gradients -------------------------------------------------------------------------------------------


def gradient(order: Sequence[str], kind: str) -> list[float]:
    """Of w in u = w .* x, after a sum of `order`: users of u, of which the one named 'over' overwrites."""
    w = Node(
        "LearnableParameter", "w", attributes={"dims": (2, 2, 1)}, value=ArrayWeights(np.ones((1, 2, 2), np.float32))
    )
    source, small = image("x", (2, 2, 1)), image("small", (1, 1, 1))
    u = Node("ElementTimes", "u", [w, source])
    kernel = Node("LearnableParameter", "k", attributes={"dims": (1, 1, 1, 1), "learningRateMultiplier": 0},
                  value=ArrayWeights(np.full((1, 1, 1, 1), 10, np.float32)))  # fmt: skip
    window = {"kernelShape": (1, 1, 1), "strideShape": (1, 1, 1), "dimPadding": False}
    kinds = {
        "Crop": Node("Crop", "over", [u, small], {"xOffset": 1, "yOffset": 0}),
        "Convolution": Node("Convolution", "over", [kernel, u], window | {"mapCount": 1, "transpose": True}),
        "Cast": Node("Cast", "over", [u], {"precision": "float"}),
        "MaxUnpooling": Node("MaxUnpooling", "over", [u, source], window),
    }
    users = {"over": kinds[kind]}
    for name in order:
        if name != "over":
            users[name] = Node("Negate", name, [u])
    total: Node | None = None
    nodes = [w, source, small, u, kernel, *users.values()]
    for name in order:
        part = Node("ReduceElements", "sum " + name, [users[name]], {"reductionOp": "Sum", "axis": 0})
        nodes.append(part)
        total = part if total is None else Node("Plus", "plus " + name, [total, part])
        if total is not part:
            nodes.append(total)
    assert total is not None
    network = Network()
    for node in nodes:
        network.add(node)
    assert not validate(network).findings
    program = Program(network, [total], Parameters(network), criterion=total)
    values = {"x": torch.ones(3, 4), "small": torch.ones(3, 1)}
    _, (found,) = program.gradients(Minibatch(values, dict.fromkeys(values, MinibatchLayout.of_frames(3)), 3))
    assert found is not None
    return found.flatten().tolist()


@pytest.mark.parametrize(
    ("kind", "own"),
    [("Crop", [0, 3, 0, 0]), ("Convolution", [30, 30, 30, 30]), ("MaxUnpooling", [3, 3, 3, 3]), ("Cast", [3, 3, 3, 3])],
)
def test_what_is_evaluated_behind_does_not_contribute(kind, own):
    assert gradient(["over"], kind) == own
    assert gradient(["over", "behind"], kind) == own
    assert gradient(["before", "over"], kind) == [g - 3 for g in own]
    assert gradient(["before", "over", "behind", "more"], kind) == [g - 3 for g in own]
