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

    def array(self, generator: np.random.Generator, frames: int = FRAMES) -> NDArray:
        """Of FRAMES frames the first ones, so that a smaller minibatch has the same values."""
        shape = ((FRAMES,) if self.framed else ()) + self.dims[::-1]
        if self.values is not None:
            found = np.broadcast_to(np.asarray(self.values, np.float64), shape).copy()
        else:
            found = generator.uniform(self.low, self.high, shape)
        return found[:frames] if self.framed else found


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
    gradient: bool | Sequence[int] = True,
    frames: Sequence[int] = (FRAMES, 1, 0),
) -> None:
    """Compares the kernel's value with `expected`, a numpy formula over the same arrays, and checks its gradients.

    That is done in minibatches of several frames, of one and of none. `gradient` are the operands that have one, which
    is the derivative; all others must get none. False leaves them to a test of their own.
    """
    node = make_node(op, operands, attributes)
    framed = any(o.framed for o in operands)
    for count in frames if framed else (FRAMES,):
        forward = compiled(node, layout=MinibatchLayout.of_frames(count))
        generator = np.random.default_rng(1)
        arrays = [o.array(generator, count) for o in operands]
        tensors = [torch.tensor(a) for a in arrays]
        value = forward(*tensors)
        assert tuple(value.shape) == ((count,) if shape_of(node).axis is not None else ()) + reversed_dims(node)
        if value.numel():
            wanted = np.asarray(expected(*arrays), np.float64)
            np.testing.assert_allclose(value.numpy(), wanted.reshape(value.shape), rtol=1e-12, atol=1e-14)
        if gradient is not False:
            chosen = range(len(operands)) if gradient is True else gradient
            _check_gradients(forward, tensors, chosen, check_values=count > 0 or not framed)


def _check_gradients(forward: Forward, tensors: list[torch.Tensor], chosen: Sequence[int], check_values: bool) -> None:
    """Derivatives of the chosen operands against differences; without frames there is nothing to differ, and all is 0."""
    for tensor in tensors:
        tensor.requires_grad_(True)
    value = forward(*tensors)
    assert value.requires_grad or not chosen
    found: Sequence[torch.Tensor | None] = [None] * len(tensors)
    if value.requires_grad:
        found = torch.autograd.grad(value.sum(), tensors, allow_unused=True)
    for i, each in enumerate(found):
        if i not in chosen or not check_values:
            assert each is None or not each.any()
    if chosen and check_values:
        fixed = [t.detach() for t in tensors]

        def of_chosen(*values: torch.Tensor) -> torch.Tensor:
            given = list(fixed)
            for i, each in zip(chosen, values, strict=True):
                given[i] = each
            return forward(*given)

        assert torch.autograd.gradcheck(of_chosen, [tensors[i] for i in chosen])


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
