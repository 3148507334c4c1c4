"""Neighbouring operations that run as one: products and convolutions with their bias, the parts of a softmax, sums."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, elements, has_axis, reversed_dims, shape_of
from bstorch.kernels.convolution import convolution, takes_bias
from bstorch.kernels.times import REDUCE_SEQUENCE, matrix_product, sparse_rows, weight_matrix

if TYPE_CHECKING:
    from bstorch.readers.base import SparseBatch


Users = Mapping[Node, list[Node]]
"""For each node those that use it."""


@dataclass(frozen=True, slots=True)
class Fused:
    """What runs in the place of a node and of those that only it needs: other inputs, another function; `sparse` as for
    kernels."""

    inputs: tuple[Node, ...]
    forward: Forward
    swallowed: tuple[Node, ...]
    sparse: tuple[int, ...] = ()


def fuse_affine(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """Plus (Times (W, x), b) as one affine map, where nothing else needs the product.

    `kept` are nodes whose values are asked for.
    """
    if node.op != "Plus":
        return None
    for product, bias in ((node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])):
        if product.op == "Times" and alone(product, node, users, kept) and _fits(node, product, bias):
            weights, x = product.inputs
            return Fused((bias, weights, x), _affine(node, product), (product,), (2,))
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


def fuse_convolution(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """Convolution plus one number for each map."""
    if node.op != "Plus":
        return None
    for image, bias in (node.inputs, node.inputs[::-1]):
        if image.op != "Convolution" or not alone(image, node, users, kept) or has_axis(bias):
            continue
        dims, maps = shape_of(image).dims, shape_of(bias).dims
        if dims == shape_of(node).dims and maps == (*(1,) * (len(dims) - 1), dims[-1]) and takes_bias(image):
            break
    else:
        return None
    convolve = convolution(image, environment)
    return Fused((*image.inputs, bias), lambda w, x, b: convolve(w, x, b.view(-1)), (image,))


FRESH = frozenset({"BatchNormalization", "Convolution", "Minus", "Plus", "Times"})
"""Operations whose results nobody else holds, and that do not need them for their gradients."""


def fuse_in_place(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """RectifiedLinear in the memory of its operand, which nothing else needs; not where it may run twice or is compiled."""
    if environment.recompute or environment.compile:
        return None
    if node.op != "RectifiedLinear" or (x := node.inputs[0]).op not in FRESH or not has_axis(x):
        return None
    if not alone(x, node, users, kept):
        return None
    return Fused((x,), lambda x: torch.relu(x) if x._is_view() else torch.relu_(x), ())


def fuse_softmax(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """Exp (x - ReduceLogSum (x)) along an axis of the sample."""
    if node.op != "Exp" or (difference := node.inputs[0]).op != "Minus":
        return None
    x, total = difference.inputs
    if total.op != "ReduceElements" or total.inputs[0] is not x or not has_axis(x):
        return None
    axis = total.attributes.get("axis", 0)
    if str(total.attributes["reductionOp"]).lower() != "logsum" or not isinstance(axis, int) or axis < 1:
        return None
    if shape_of(total).rank != shape_of(x).rank or shape_of(difference) != shape_of(x):
        return None
    if not alone(difference, node, users, kept) or not alone(total, difference, users, kept):
        return None
    return Fused((x,), lambda x: torch.softmax(x, -axis), (difference, total))


def fuse_weighted_sum(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """Times (values .* weights, y) along the last axis, where the weights have no other one: a small product per frame."""
    if node.op != "Times" or (weighted := node.inputs[0]).op != "ElementTimes" or not has_axis(weighted):
        return None
    y, rank = node.inputs[1], shape_of(weighted).rank
    if has_axis(y) or node.attributes.get("outputRank", 1) != rank - 1 or not alone(weighted, node, users, kept):
        return None
    count = shape_of(weighted).dims[-1]
    if shape_of(y).dims != (count,) or node.attributes.get("inferInputRankToMap", -1) != -1:
        return None
    for values, weights in (weighted.inputs, weighted.inputs[::-1]):
        dims = shape_of(weights).dims
        if (
            shape_of(values) == shape_of(weighted)
            and has_axis(weights)
            and dims[-1:] == (count,)
            and len(dims) == rank
            and elements(weights) == count
        ):
            break
    else:
        return None
    shape = (-1, *reversed_dims(node))

    def total(v: Tensor, w: Tensor, y: Tensor) -> Tensor:
        w = w.reshape(-1, 1, count) * y
        return torch.bmm(w, v.reshape(len(w), count, -1)).view(shape)

    return Fused((values, weights, y), total, (weighted,))


def fuse_scaled_product(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """Times (W, values .* scale) with one scale for each column of values: there are fewer products to scale."""
    if node.op != "Times" or (scaled := node.inputs[1]).op != "ElementTimes" or not has_axis(scaled):
        return None
    weights = node.inputs[0]
    if has_axis(weights) or shape_of(weights).rank != 2 or node.attributes.get("outputRank", 1) != 1:
        return None
    out, reduced = shape_of(weights).dims
    if out >= reduced or node.attributes.get("inferInputRankToMap", -1) != -1 or not alone(scaled, node, users, kept):
        return None
    rank = shape_of(scaled).rank
    for values, scale in (scaled.inputs, scaled.inputs[::-1]):
        dims = shape_of(scale).dims
        if shape_of(values) == shape_of(scaled) and has_axis(scale) and len(dims) == rank and dims[0] == 1:
            break
    else:
        return None
    shape = (-1, *reversed_dims(node))

    def scaled_product(w: Tensor, v: Tensor, s: Tensor) -> Tensor:
        return matrix_product(v.reshape(-1, reduced), w).view(shape) * s

    return Fused((weights, values, scale), scaled_product, (scaled,))


def alone(node: Node, user: Node, users: Users, kept: Collection[Node]) -> bool:
    return users[node] == [user] and node not in kept


IN_LOOPS = (fuse_softmax, fuse_weighted_sum, fuse_scaled_product)
"""What may also be made in a loop, which has products of its own."""
EVERYWHERE = (*IN_LOOPS, fuse_affine, fuse_convolution, fuse_in_place)
