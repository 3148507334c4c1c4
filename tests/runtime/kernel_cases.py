"""A kernel's test in one line: operands, attributes, and what numpy says the value is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch import kernels
from bstorch.kernels.base import Environment, Forward, reversed_dims, shape_of
from bstorch.program.layout import MinibatchLayout

FRAMES = 4


@dataclass(frozen=True)
class Operand:
    """An input of the node: its dims, whether it has frames, and values (else random ones from `low` to `high`)."""

    dims: tuple[int, ...]
    framed: bool = True
    values: object = None
    low: float = -2.0
    high: float = 2.0

    def array(self, generator: np.random.Generator) -> NDArray:
        shape = ((FRAMES,) if self.framed else ()) + self.dims[::-1]
        if self.values is not None:
            return np.broadcast_to(np.asarray(self.values, np.float64), shape).copy()
        return generator.uniform(self.low, self.high, shape)


def x(*dims: int, low: float = -2.0, high: float = 2.0, values: object = None) -> Operand:
    """An operand with frames."""
    return Operand(dims, True, values, low, high)


def p(*dims: int, low: float = -2.0, high: float = 2.0, values: object = None) -> Operand:
    """A parameter."""
    return Operand(dims, False, values, low, high)


def make_node(op: str, operands: Sequence[Operand], attributes: Mapping[str, object] | None = None) -> Node:
    """A validated node of double precision over inputs and parameters."""
    network = Network("double")
    inputs: list[Node] = []
    for i, operand in enumerate(operands):
        kind = "InputValue" if operand.framed else "LearnableParameter"
        source = Node(kind, f"in{i}", attributes={"dims": operand.dims, "dynamicAxis": ""}, precision="double")
        network.add(source)
        inputs.append(source)
    node = Node(op, "node", inputs, dict(attributes or {}), precision="double")
    network.add(node)
    findings = validate(network).findings
    assert not findings, findings
    return node


def compiled(node: Node, *, training: bool = False, layout: MinibatchLayout | None = None) -> Forward:
    """The kernel of a node, with a minibatch of FRAMES frames (or the given layout)."""
    environment = Environment(training=training)
    layout = layout or MinibatchLayout.of_frames(FRAMES)
    for source in node.inputs:
        if (axis := shape_of(source).axis) is not None:
            environment.layouts[axis] = layout
    found = kernels.get(node.op)
    assert found is not None
    return found.build(node, environment)


def check(
    op: str,
    operands: Sequence[Operand],
    expected: Callable[..., object],
    attributes: Mapping[str, object] | None = None,
    *,
    gradient: bool = True,
) -> None:
    """Compares the kernel's value with `expected`, a numpy formula over the same arrays, and checks its gradients."""
    node = make_node(op, operands, attributes)
    forward = compiled(node)
    generator = np.random.default_rng(1)
    arrays = [o.array(generator) for o in operands]
    tensors = [torch.tensor(a) for a in arrays]
    value = forward(*tensors)
    frames = (FRAMES,) if shape_of(node).axis is not None else ()
    assert tuple(value.shape) == frames + reversed_dims(node)
    wanted = np.asarray(expected(*arrays), np.float64)
    np.testing.assert_allclose(value.numpy(), wanted.reshape(value.shape), rtol=1e-12, atol=1e-14)
    if gradient:
        for tensor in tensors:
            tensor.requires_grad_(True)
        assert torch.autograd.gradcheck(forward, tensors)


def gradients(
    op: str, operands: Sequence[Operand], attributes: Mapping[str, object] | None = None, *, outer: object = None
) -> list[NDArray | None]:
    """What backpropagation gives for each operand, with `outer` (default: ones) as the gradient of the node itself."""
    forward = compiled(make_node(op, operands, attributes))
    generator = np.random.default_rng(1)
    tensors = [torch.tensor(o.array(generator), requires_grad=True) for o in operands]
    value = forward(*tensors)
    if not value.requires_grad:
        return [None] * len(tensors)
    given = torch.ones_like(value) if outer is None else torch.tensor(outer, dtype=value.dtype).expand_as(value)
    found = torch.autograd.grad(value, tensors, given, allow_unused=True)
    return [None if g is None else g.numpy() for g in found]
