"""Reductions: ReduceElements along axes of a sample or over the minibatch, and the older sums and norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, by_frame, has_axis, kernel, reversed_dims, shape_of
from bstorch.kernels.sequences import sequence_sums

STATIC, EVERYTHING, SEQUENCE, FRAMES = 0, -1, -2, -3
"""Values of `axis` that are no axis of a sample."""


class Extreme(Function):
    """Maximum or minimum along dims; each of several equal extremes gets the whole gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], largest: bool) -> Tensor:
        y = torch.amax(x, dims, keepdim=True) if largest else torch.amin(x, dims, keepdim=True)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        x, y = ctx.saved_tensors
        return torch.where(x == y, gradients[0], 0.0), None, None


class Product(Function):
    """Product along dims; the gradient is g * y / x, and 0 where x is 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        y = x
        for dim in dims:
            y = torch.prod(y, dim, keepdim=True)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        x, y = ctx.saved_tensors
        return torch.where(x == 0, 0.0, gradients[0] * y / x), None


Dims = tuple[int, ...]
OPERATIONS: dict[str, Callable[[Tensor, Dims], Tensor]] = {
    "sum": lambda x, dims: torch.sum(x, dims, keepdim=True),
    "plus": lambda x, dims: torch.sum(x, dims, keepdim=True),
    "mean": lambda x, dims: torch.mean(x, dims, keepdim=True),
    "logsum": lambda x, dims: torch.logsumexp(x, dims, keepdim=True),
    "max": lambda x, dims: Extreme.apply(x, dims, True),
    "min": lambda x, dims: Extreme.apply(x, dims, False),
    "prod": lambda x, dims: Product.apply(x, dims),
}
POSITIONS = {"argmax": torch.argmax, "argmin": torch.argmin}


def reduced_dims(node: Node, axis: int) -> Dims:
    """The dims of the input's tensor, counted from the end, that `axis` means; frames come before the others."""
    source = node.inputs[0]
    rank = shape_of(source).rank
    static = tuple(range(-rank, 0))
    frames = (-rank - 1,) if has_axis(source) else ()
    if axis == STATIC:
        return static
    if axis == EVERYTHING:
        return frames + static
    if axis == FRAMES:
        return frames
    return (-axis,)


@kernel("ReduceElements")
def reduce_elements(node: Node, environment: Environment) -> Forward:
    axis = node.attributes.get("axis", STATIC)
    axes = [int(a) for a in axis] if isinstance(axis, list | tuple) else [int(axis)]  # type: ignore[call-overload]
    if SEQUENCE in axes:
        return sequence_sums(node, environment)
    dims = tuple(d for a in axes for d in reduced_dims(node, a))
    name = str(node.attributes["reductionOp"]).lower()
    shape = (-1, *reversed_dims(node)) if has_axis(node) else reversed_dims(node)
    if name in POSITIONS:
        return _position(node, name, dims, shape)
    operation = OPERATIONS[name]
    if not dims:
        return lambda x: x.reshape(shape)
    return lambda x: operation(x, dims).reshape(shape)


def _position(node: Node, name: str, dims: Dims, shape: tuple[int, ...]) -> Forward:
    find = POSITIONS[name]
    if len(dims) == 1:
        return lambda x: find(x.detach(), dims[0]).reshape(shape).to(x.dtype)
    framed = has_axis(node.inputs[0]) and has_axis(node)

    def flattened(x: Tensor) -> Tensor:
        flat = by_frame(x.detach()) if framed else x.detach().reshape(1, -1)
        return find(flat, 1).view(shape).to(x.dtype)

    return flattened


@kernel("SumElements")
def sum_elements(node: Node, environment: Environment) -> Forward:
    return lambda x: x.sum().view(1)


@kernel("SumColumnElements")
def sum_column_elements(node: Node, environment: Environment) -> Forward:
    if has_axis(node):
        return lambda x: by_frame(x).sum(1, keepdim=True)
    return lambda x: x.sum().view(1)


@kernel("MatrixL1Reg")
def l1_norm(node: Node, environment: Environment) -> Forward:
    return lambda x: x.abs().sum().view(1)


class FrobeniusNorm(Function):
    """The square root of the sum of squares; the gradient is g * x / (y + 1e-30)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.linalg.vector_norm(x).view(1)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        return x * (gradients[0] / (y + 1e-30))


@kernel("MatrixL2Reg")
def l2_norm(node: Node, environment: Environment) -> Forward:
    return lambda x: FrobeniusNorm.apply(x)
