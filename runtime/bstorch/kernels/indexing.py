"""Operations of the v2 library that pick elements by their index, or make an index an element."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, dtype_of, has_axis, kernel, reversed_dims, shape_of


@kernel("Gather")
def gather(node: Node, environment: Environment) -> Forward:
    """The last axis of the table comes first in its tensor; the axes of the indices come before those that are left."""
    indices, table = node.inputs
    slices = shape_of(table).dims[-1]
    rest = reversed_dims(table)[1:]
    shape = ((-1,) if has_axis(indices) else ()) + reversed_dims(indices) + rest
    return lambda i, t: t.reshape(slices, *rest).index_select(0, i.detach().reshape(-1).long()).reshape(shape)


@kernel("OneHot")
def one_hot(node: Node, environment: Environment) -> Forward:
    classes = int(node.attributes["numClass"])  # type: ignore[call-overload]
    axis = int(node.attributes.get("axis", 0))  # type: ignore[call-overload]
    rank = shape_of(node.inputs[0]).rank
    axis = axis + rank + 1 if axis < 0 else axis
    dtype = dtype_of(node)

    def encoded(indices: Tensor) -> Tensor:
        shape = (classes,) + (1,) * axis
        each = torch.arange(classes, device=indices.device).view(shape)
        return (indices.detach().long().unsqueeze(indices.dim() - axis) == each).to(dtype)

    return encoded


@kernel("TopK")
def top_k(node: Node, environment: Environment) -> Forward:
    count = int(node.attributes["numItems"])  # type: ignore[call-overload]
    return lambda x: torch.topk(x, count, dim=-1).values
