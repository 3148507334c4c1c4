"""Neighbouring operations that run as one: a product and the bias added to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Forward, elements, has_axis, reversed_dims, shape_of
from bstorch.kernels.times import REDUCE_SEQUENCE, sparse_rows, weight_matrix

if TYPE_CHECKING:
    from bstorch.readers.base import SparseBatch


@dataclass(frozen=True, slots=True)
class Fused:
    """What runs in the place of a node: other inputs, another function; `sparse` as for kernels."""

    inputs: tuple[Node, ...]
    forward: Forward
    sparse: tuple[int, ...] = ()


def fuse_affine(node: Node, users: dict[Node, list[Node]], kept: Collection[Node]) -> Fused | None:
    """Plus (Times (W, x), b) as one affine map, where nothing else needs the product.

    `users` lists for each node those that use it, `kept` are nodes whose values are asked for.
    """
    if node.op != "Plus":
        return None
    for product, bias in ((node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])):
        if product.op == "Times" and users[product] == [node] and product not in kept and _fits(node, product, bias):
            weights, x = product.inputs
            return Fused((bias, weights, x), _affine(node, product), (2,))
    return None


def _fits(node: Node, product: Node, bias: Node) -> bool:
    weights, x = product.inputs
    if product.attributes.get("inferInputRankToMap") == REDUCE_SEQUENCE:
        return False
    if has_axis(weights) or has_axis(bias) or not has_axis(x) or bias is product:
        return False
    _, out = weight_matrix(weights, int(product.attributes.get("outputRank", 1)))  # type: ignore[call-overload]
    return elements(product) == out == elements(bias) == elements(node)


def _affine(node: Node, product: Node) -> Forward:
    weights, x = product.inputs
    reduced, out = weight_matrix(weights, int(product.attributes.get("outputRank", 1)))  # type: ignore[call-overload]
    matrix = reversed_dims(weights) == (reduced, out)
    if matrix and shape_of(node).rank == 1 and shape_of(x).rank == 1:

        def affine_of_vectors(b: Tensor, a: Tensor, x: Tensor | SparseBatch) -> Tensor:
            return torch.addmm(b.view(-1), x, a) if isinstance(x, Tensor) else sparse_rows(a, x).add_(b.view(-1))

        return affine_of_vectors

    shape = (-1, *reversed_dims(node))

    def affine(b: Tensor, a: Tensor, x: Tensor | SparseBatch) -> Tensor:
        b = b.reshape(-1)
        if not matrix:
            a = a.reshape(reduced, out)
        if not isinstance(x, Tensor):
            return (sparse_rows(a, x, matrix) + b).view(shape)
        return torch.addmm(b, x.reshape(-1, reduced), a).view(shape)

    return affine
