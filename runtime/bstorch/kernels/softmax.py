"""Softmax, LogSoftmax and Hardmax over all elements of a sample, whatever its rank."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, by_frame, has_axis, kernel, shape_of


def over_samples(node: Node, compute: Forward) -> Forward:
    """`compute`, which works along the last dim of (samples, elements), applied to the samples of the node's input."""
    if has_axis(node) and shape_of(node).rank == 1:
        return compute

    framed = has_axis(node)

    def flattened(x: Tensor) -> Tensor:
        flat = by_frame(x) if framed else x.reshape(1, -1)
        return compute(flat).view(x.shape)

    return flattened


@kernel("Softmax")
def softmax(node: Node, environment: Environment) -> Forward:
    return over_samples(node, lambda x: torch.softmax(x, 1))


@kernel("LogSoftmax")
def log_softmax(node: Node, environment: Environment) -> Forward:
    return over_samples(node, lambda x: torch.log_softmax(x, 1))


@kernel("Hardmax")
def hardmax(node: Node, environment: Environment) -> Forward:
    def one_hot(x: Tensor) -> Tensor:
        best = x.detach().argmax(1, keepdim=True)  # the first of equal ones
        return torch.zeros_like(x).scatter_(1, best, 1.0)

    return over_samples(node, one_hot)
