"""Broadcasting: shorter shapes are padded with 1s at the end of the dims, that is in front of a tensor's reversed dims."""

from __future__ import annotations

from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Forward, has_axis, reversed_dims, shape_of


def padding(node: Node, rank: int) -> tuple[int, ...] | None:
    """View that gives the node's tensor `rank` dims behind its frames; None where torch broadcasts as it is.

    Without frames a tensor is padded in front anyway; only the frames must not slip behind the added dims.
    """
    dims = reversed_dims(node)
    if not has_axis(node) or len(dims) >= rank:
        return None
    return (-1, *(1,) * (rank - len(dims)), *dims)


def broadcasting(node: Node, compute: Forward) -> Forward:
    """`compute` with the inputs of an element-wise node brought to the rank of its result."""
    rank = shape_of(node).rank
    views = [padding(i, rank) for i in node.inputs]
    if not any(views):
        return compute

    if len(views) == 2:
        left, right = views

        def binary(a: Tensor, b: Tensor) -> Tensor:
            return compute(a if left is None else a.reshape(left), b if right is None else b.reshape(right))

        return binary

    def general(*values: Tensor) -> Tensor:
        return compute(*(v if view is None else v.reshape(view) for v, view in zip(values, views, strict=True)))

    return general
