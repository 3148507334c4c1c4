"""Cosines of vectors, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, elements, has_axis, kernel
from bstorch.kernels.criteria import SMALLEST_DIVISOR


def _length(x: Tensor) -> Tensor:
    """The length of each row, (rows, 1), to divide by."""
    return torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp(min=SMALLEST_DIVISOR)


@kernel("CosDistance")
def cos_distance(node: Node, environment: Environment) -> Forward:
    shape = (-1, 1) if has_axis(node) else (1,)
    left, right = elements(node.inputs[0]), elements(node.inputs[1])

    def cosine(a: Tensor, b: Tensor) -> Tensor:
        a, b = a.reshape(-1, left), b.reshape(-1, right)
        return ((a * b).sum(1, keepdim=True) / _length(a) / _length(b)).view(shape)

    return cosine


@kernel("CosDistanceWithNegativeSamples")
def cos_distance_with_negatives(node: Node, environment: Environment) -> Forward:
    """Negative samples are other columns of the reference's matrix, whose gaps are vectors of zeros."""
    axis, size = axis_of(node), elements(node.inputs[0])
    negatives = elements(node) - 1

    def cosines(a: Tensor, b: Tensor, shift: Tensor, _: Tensor) -> Tensor:
        layout = environment.layouts[axis]
        a, b = a.reshape(-1, size), b.reshape(-1, size)
        a, b = a / _length(a), b / _length(b)
        columns = layout.columns.to(a.device)
        matrix = b.new_zeros((layout.matrix_columns, size)).index_copy(0, columns, b)
        offsets = int(shift.reshape(-1)[0]) + torch.arange(negatives, device=a.device)
        others = (columns[:, None] + offsets) % max(layout.matrix_columns, 1)
        pairs = torch.cat([b[:, None], matrix[others]], 1)
        return (pairs * a[:, None]).sum(2)

    return cosines
