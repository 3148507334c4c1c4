"""Products: Times, TransposeTimes and their relatives as tensor contractions.

With the left operand [out x reduced] and the right one [reduced x mapped x *], the reversed tensors are
(reduced, out) and (frames, mapped, reduced), so that the product is `right @ left` without copying anything.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, elements, has_axis, kernel, reversed_dims, shape_of
from bstorch.kernels.sequences import sequence_sums

if TYPE_CHECKING:
    from bstorch.readers.base import SparseBatch

REDUCE_SEQUENCE = -2
"""Value of `inferInputRankToMap` that sums over the sequence as well."""


def sparse_rows(weights: Tensor, batch: SparseBatch, sparse_gradient: bool = True) -> Tensor:
    """`batch @ weights` for weights (dim, out): per frame the sum of rows picked by its indices, times its values.

    The gradient of the weights is a sparse tensor that holds the picked rows only; it must be made dense where the
    weights are a view of the parameter.
    """
    return functional.embedding_bag(
        batch.indices,
        weights,
        batch.offsets,
        mode="sum",
        sparse=sparse_gradient,
        per_sample_weights=batch.values,
        include_last_offset=True,
    )


def weight_matrix(left: Node, output_rank: int) -> tuple[int, int]:
    """Rows and columns (reduced, out) of the left operand's tensor as a matrix."""
    dims = shape_of(left).dims
    return prod(dims[output_rank:]), prod(dims[:output_rank])


@kernel("Times", sparse=(1,))
def times(node: Node, environment: Environment) -> Forward:
    left, right = node.inputs
    rank = int(node.attributes.get("outputRank", 1))  # type: ignore[call-overload]
    reduced, out = weight_matrix(left, rank)
    mapped = elements(node) // max(out, 1)
    result = reversed_dims(node)
    if has_axis(left):
        product = _framewise(result, (reduced, out), (mapped, reduced), has_axis(right))
        if node.attributes.get("inferInputRankToMap") != REDUCE_SEQUENCE:
            return product
        total = sequence_sums(node, environment)
        return lambda a, x: total(product(a, x))
    simple_left = reversed_dims(left) == (reduced, out)
    if has_axis(node) and mapped == 1 and simple_left and len(result) == 1 and reversed_dims(right) == (reduced,):

        def matrix_times_vectors(a: Tensor, x: Tensor | SparseBatch) -> Tensor:
            return matrix_product(x, a) if isinstance(x, Tensor) else sparse_rows(a, x)

        return matrix_times_vectors

    shape = (-1, *result) if has_axis(node) else result

    def contraction(a: Tensor, x: Tensor | SparseBatch) -> Tensor:
        if not simple_left:
            a = a.reshape(reduced, out)
        if not isinstance(x, Tensor):
            if mapped == 1:
                return sparse_rows(a, x, simple_left).view(shape)
            x = x.dense()
        return matrix_product(x.reshape(-1, reduced), a).view(shape)

    return contraction


def matrix_product(x: Tensor, weights: Tensor) -> Tensor:
    """x @ weights; a single column goes faster as a vector."""
    return torch.mm(x, weights) if weights.shape[1] > 1 else torch.mv(x, weights.view(-1)).unsqueeze(1)


def _framewise(result: tuple[int, ...], left: tuple[int, int], right: tuple[int, int], right_has_axis: bool) -> Forward:
    """The product of one left matrix per frame with the right operand, which may be the same for all frames."""

    def product(a: Tensor, x: Tensor | SparseBatch) -> Tensor:
        if not isinstance(x, Tensor):
            x = x.dense()
        x = x.reshape(-1 if right_has_axis else 1, *right)
        return torch.matmul(x, a.reshape(-1, *left)).view(-1, *result)

    return product


@kernel("TransposeTimes")
def transpose_times(node: Node, environment: Environment) -> Forward:
    left, right = node.inputs
    dims = shape_of(left).dims
    reduced = dims[0] if dims else 1  # [reduced x out]: a vector has one column
    out = prod(dims[1:])
    mapped = elements(node) // max(out, 1)
    result = reversed_dims(node)
    if has_axis(left):
        framed = has_axis(right)

        def framewise(a: Tensor, x: Tensor) -> Tensor:
            x = x.reshape(-1 if framed else 1, mapped, reduced)
            return torch.matmul(x, a.reshape(-1, out, reduced).transpose(1, 2)).view(-1, *result)

        return framewise

    shape = (-1, *result) if has_axis(node) else result

    def contraction(a: Tensor, x: Tensor) -> Tensor:
        return torch.mm(x.reshape(-1, reduced), a.reshape(out, reduced).t()).view(shape)

    return contraction


@kernel("KhatriRaoProduct")
def khatri_rao(node: Node, environment: Environment) -> Forward:
    shape = (-1, elements(node)) if has_axis(node) else (elements(node),)
    rows = elements(node.inputs[0])

    def product(a: Tensor, b: Tensor) -> Tensor:
        # The first operand runs fastest.
        return (b.reshape(-1, elements(node) // rows, 1) * a.reshape(-1, 1, rows)).reshape(shape)

    return product


@kernel("LookupTable", sparse=())
def lookup_table(node: Node, environment: Environment) -> Forward:
    table = node.inputs[0]
    words = shape_of(table).dims[1] if shape_of(table).rank > 1 else 1
    rows = elements(table) // words
    count = elements(node) // rows

    def lookup(a: Tensor, x: Tensor) -> Tensor:
        return torch.mm(x.reshape(-1, words), a.reshape(words, rows)).view(-1, count * rows)

    return lookup


LARGEST_SHORT = 32767


class Quantizer:
    """Whole numbers of 16 bits for the elements of a tensor: x * 32767 / (max |x| * 2^shift), rounded."""

    def __init__(self, shift: int) -> None:
        self._scale = float(1 << shift)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers in double precision, which holds sums of their products exactly, and what one of them stands for."""
        largest = x.abs().amax() * self._scale if x.numel() else x.new_zeros(())
        factor = torch.where(largest == 0, 0.0, LARGEST_SHORT / largest)
        scaled = (x * factor).double()
        rounded = torch.copysign(torch.floor(scaled.abs() + 0.5), scaled)  # halves go away from zero
        return rounded, torch.where(factor == 0, 0.0, 1.0 / factor)


@kernel("QuantizedTimes", sparse=(1,))
def quantized_times(node: Node, environment: Environment) -> Forward:
    """Each operand is scaled by its largest element in the whole minibatch. It has no gradient; sparse operands are
    multiplied as they are."""
    product = times(node, environment)
    left, right = (Quantizer(int(node.attributes[name])) for name in ("bitShiftA", "bitShiftB"))  # type: ignore[call-overload]

    def quantized(a: Tensor, x: Tensor | SparseBatch) -> Tensor:
        a = a.detach()
        if not isinstance(x, Tensor):
            return product(a, x)
        (whole_a, unit_a), (whole_x, unit_x) = left(a), right(x.detach())
        return product(whole_a, whole_x).to(x.dtype) * unit_x * unit_a

    return quantized
