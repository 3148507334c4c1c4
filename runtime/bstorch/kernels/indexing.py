"""Operations of the v2 library that pick elements by their index, or make an index an element."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.execution import obstacle
from bstorch.kernels.base import (
    Environment,
    Forward,
    axis_of,
    dtype_of,
    elements,
    has_axis,
    kernel,
    reversed_dims,
    shape_of,
)


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
    """The second output are the indices, which an OutputMultiplexer hands on."""
    count = int(node.attributes["numItems"])  # type: ignore[call-overload]

    def largest(x: Tensor) -> Tensor:
        values, indices = torch.topk(x, count, dim=-1)
        environment.outputs[node] = indices.to(x.dtype)
        return values

    return largest


@kernel("OutputMultiplexer")
def output_multiplexer(node: Node, environment: Environment) -> Forward:
    source = node.inputs[0]
    if reason := obstacle(node.op, [source.op]):
        help = "the first output of an operation, and the indices of a TopK, can"
        raise BsError("unsupported-operation", f"'{node.name}' {reason}", node.origin, help=help)
    return lambda _: environment.outputs[source]


@kernel("EyeLikeOp")
def eye_like(node: Node, environment: Environment) -> Forward:
    """1 on the diagonal of the reference's matrix, which has a column for each frame, or for all but the first axis."""
    dims = reversed_dims(node)
    rows = shape_of(node).dims[0] if shape_of(node).dims else 1
    if not has_axis(node):
        return lambda x: torch.eye(x.numel() // rows, rows, dtype=x.dtype, device=x.device).view(dims)
    size, axis = elements(node), axis_of(node)

    def diagonal(x: Tensor) -> Tensor:
        columns = environment.layouts[axis].columns.to(x.device)
        return (columns[:, None] == torch.arange(size, device=x.device)).to(x.dtype).view(x.shape)

    return diagonal
