"""Element-wise operations: unary functions, arithmetic and comparisons with broadcasting, If, Clip."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bstorch.kernels.base import DTYPES, Environment, Forward, dtype_of, kernel
from bstorch.kernels.broadcast import broadcasting

LOG_LIMIT = 1e-37
LOG_OF_LIMIT = -85.1
"""Log of anything below LOG_LIMIT, zero and negative numbers included."""


def clipped_log(x: Tensor) -> Tensor:
    """log(x), -85.1 below 1e-37."""
    return torch.where(x < LOG_LIMIT, LOG_OF_LIMIT, torch.log(x))


class ClippedLog(Function):
    """`clipped_log` with the gradient g * exp(-y), which is finite everywhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = clipped_log(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gradients[0] * torch.exp(-y)


class ReciprocalOrZero(Function):
    """1/x, and 0 at 0; the gradient is -g * y * y."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.where(x == 0, 0.0, torch.reciprocal(x))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return -gradients[0] * y * y


class ClippedSqrt(Function):
    """The square root, 0 for negative numbers; the gradient is g / (2 y), also at y = 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.sqrt(torch.clamp(x, min=0))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gradients[0] / (2 * y)


class StraightThrough(Function):
    """1 for positive numbers, else -1; the gradient passes where |x| <= 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x > 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return torch.where(x.abs() <= 1, gradients[0], 0.0)


class TanWithGradientOfOutput(Function):
    """The tangent y; the gradient is g * (1 + tan(y)^2), though that of x would be right."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.tan(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        return gradients[0] * (1 + torch.tan(y).square())


class Power(Function):
    """x^y: 1 for y = 0, else 0 for x = 0. The gradient for y is g * x^y * log x, 0 where x is not positive."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        value = torch.where(y == 0, 1.0, torch.where(x == 0, 0.0, torch.pow(x, y)))
        ctx.save_for_backward(x, y, value)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        x, y, value = ctx.saved_tensors
        less = torch.where(y == 1, 1.0, torch.where(x == 0, 0.0, torch.pow(x, y - 1)))
        logs = torch.where(x > 0, torch.log(x.clamp(min=torch.finfo(x.dtype).tiny)), 0.0)
        return gradients[0] * y * less, gradients[0] * value * logs


def power(x: Tensor, y: Tensor) -> Tensor:
    """`Power` with broadcasting."""
    return Power.apply(*torch.broadcast_tensors(x, y))


def _same(x: Tensor) -> Tensor:
    return x


UNARY: dict[str, Forward] = {
    "Abs": torch.abs,
    "Acos": torch.acos,
    "Asin": torch.asin,
    "Asinh": torch.asinh,
    "Atan": torch.atan,
    "Atanh": torch.atanh,
    "Cosh": torch.cosh,
    "Cosine": torch.cos,
    "Exp": torch.exp,
    "ExponentialLinearUnit": torch.nn.functional.elu,
    "Floor": torch.floor,
    "LabelsToGraph": _same,
    "Log": ClippedLog.apply,
    "Negate": torch.neg,
    "Pass": _same,
    "Reciprocal": ReciprocalOrZero.apply,
    "RectifiedLinear": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Sin": torch.sin,
    "Sinh": torch.sinh,
    "Sqrt": ClippedSqrt.apply,
    "StableSigmoid": torch.sigmoid,
    "StopGradient": Tensor.detach,
    "StraightThrough": StraightThrough.apply,
    "Tan": TanWithGradientOfOutput.apply,
    "Tanh": torch.tanh,
}


@kernel(*UNARY)
def unary(node: Node, environment: Environment) -> Forward:
    return UNARY[node.op]


@kernel("Cast", overwrites=lambda node: 0)
def cast(node: Node, environment: Environment) -> Forward:
    target = DTYPES[str(node.attributes.get("precision") or node.precision)]
    return lambda x: x.to(target)


ARITHMETIC: dict[str, Forward] = {
    "Plus": torch.add,
    "Minus": torch.sub,
    "ElementTimes": torch.mul,
    "LogPlus": torch.logaddexp,
    "DiagTimes": torch.mul,
    "Pow": power,
}


@kernel(*ARITHMETIC)
def arithmetic(node: Node, environment: Environment) -> Forward:
    return broadcasting(node, ARITHMETIC[node.op])


COMPARISONS = {
    "Less": torch.lt,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterEqual": torch.ge,
    "NotEqual": torch.ne,
    "LessEqual": torch.le,
}


@kernel(*COMPARISONS)
def comparison(node: Node, environment: Environment) -> Forward:
    compare, dtype = COMPARISONS[node.op], dtype_of(node)
    return broadcasting(node, lambda a, b: compare(a, b).to(dtype))


@kernel("If")
def choose(node: Node, environment: Environment) -> Forward:
    return broadcasting(node, lambda condition, then, other: torch.where(condition != 0, then, other))


@kernel("Clip")
def clip(node: Node, environment: Environment) -> Forward:
    # The bounds never get a gradient, even if they are learnable.
    return broadcasting(node, lambda low, high, x: torch.clamp(x, low.detach(), high.detach()))
