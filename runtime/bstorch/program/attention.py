"""Additive attention in a loop, as the library builds it, in one step: its gradient needs few of the values between.

Of keys k and values v of S places, a query q, a row w, and optionally a scale s and an addend m of each place:

    t = tanh (k + q)        u = (w t) .* s + m        a = softmax (u)        c = sum over the places of (a .* y) v
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bstorch.kernels.base import Environment, elements, has_axis, reversed_dims, shape_of
from bstorch.program.fusion import Fused, Users, alone, fuse_scaled_product, fuse_softmax, fuse_weighted_sum
from bstorch.program.held import Piece, Total


def fuse_attention(node: Node, users: Users, kept: Collection[Node], environment: Environment) -> Fused | None:
    """The weighted sum c, where nothing else needs what lies between the keys and it; otherwise as `fuse_affine`."""
    if (total := fuse_weighted_sum(node, users, kept, environment)) is None:
        return None
    values, weights, y = total.inputs
    if not alone(weights, total.swallowed[0], users, kept):
        return None
    if (softmax := fuse_softmax(weights, users, kept, environment)) is None:
        return None
    (score,) = softmax.inputs
    if score in kept or set(users[score]) != set(softmax.swallowed):
        return None
    between = [*total.swallowed, weights, *softmax.swallowed, score]
    mask = None
    if score.op == "Plus":
        product, mask = score.inputs if score.inputs[0].op == "Times" else score.inputs[::-1]
        if not alone(product, score, users, kept) or not has_axis(mask):
            return None
        between.append(product)
        score = product
    user, scale = score, None
    if (scaled := fuse_scaled_product(score, users, kept, environment)) is not None:
        w, squashed, scale = scaled.inputs
        between += scaled.swallowed
        (user,) = scaled.swallowed
    elif score.op == "Times" and score.attributes.get("inferInputRankToMap", -1) == -1:
        w, squashed = score.inputs
    else:
        return None
    if has_axis(w) or squashed.op != "Tanh" or not alone(squashed, user, users, kept):
        return None
    added = squashed.inputs[0]
    if added.op != "Plus" or not alone(added, squashed, users, kept):
        return None
    size, *_, places = shape_of(added).dims
    keys, query = added.inputs if shape_of(added.inputs[0]) == shape_of(added) else added.inputs[::-1]
    if shape_of(keys) != shape_of(added) or elements(keys) != size * places or not has_axis(query):
        return None
    if elements(query) != size or shape_of(query).dims[0] != size or shape_of(w).dims != (1, size):
        return None
    optional = [n for n in (scale, mask) if n is not None]
    if any(elements(n) != places for n in (weights, *optional)):
        return None
    attend = Attend(reversed_dims(node), scale is not None)
    return Fused((keys, query, w, values, y, *optional), attend, (*between, squashed, added))


class Attend:
    """Called with keys, (frames, places, ..., size), query, (frames, ..., size), w, (1, size), values, (frames, places, ...),
    y, (places), and, where they are, scale and mask, (frames, places, ...), gives c, (frames, *shape)."""

    pieces = (0, 3)
    """The operands that may be a `Piece`."""

    def __init__(self, shape: tuple[int, ...], scaled: bool) -> None:
        self._shape = shape
        self._scaled = scaled

    def __call__(
        self, keys: Tensor | Piece, query: Tensor, w: Tensor, values: Tensor | Piece, y: Tensor, *optional: Tensor
    ) -> Tensor:
        scale = optional[0] if self._scaled else None
        mask = optional[-1] if len(optional) > self._scaled else None
        of_keys, of_values = (x.total if isinstance(x, Piece) else None for x in (keys, values))
        keys, values = (x.data if isinstance(x, Piece) else x for x in (keys, values))
        return _Attention.apply(self._shape, of_keys, of_values, keys, query, w, values, y, scale, mask)


class _Attention(Function):
    """What `Attend` computes; the gradients of keys and values are added to the totals where these are given."""

    @staticmethod
    def forward(
        ctx: Any,
        shape: tuple[int, ...],
        of_keys: Total | None,
        of_values: Total | None,
        keys: Tensor,
        query: Tensor,
        w: Tensor,
        values: Tensor,
        y: Tensor,
        scale: Tensor | None,
        mask: Tensor | None,
    ) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.totals = of_keys, of_values
        ctx.shapes = [None if x is None else x.shape for x in (keys, query, w, values, y, scale, mask)]
        frames, places, size = len(keys), y.numel(), w.numel()
        w, values = w.reshape(size), values.reshape(frames, places, prod(shape))
        squashed = (keys.reshape(frames, places, size) + query.reshape(frames, 1, size)).tanh_()
        score = product = torch.mv(squashed.view(-1, size), w).view(frames, places)
        if scale is not None:
            scale = scale.reshape(frames, places)
            score = product * scale
        if mask is not None:
            score = score + mask.reshape(frames, places)
        weights = torch.softmax(score, 1)
        weighted = weights * y
        needed = product if ctx.needs_input_grad[8] else None
        ctx.save_for_backward(squashed, w, values, y, weights, weighted, scale, needed)
        return torch.bmm(weighted.unsqueeze(1), values).view(frames, *shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        if gradients[0] is None:
            return (None,) * len(ctx.needs_input_grad)
        squashed, w, values, y, weights, weighted, scale, product = ctx.saved_tensors
        of_keys, of_values = ctx.totals
        keys_wanted, query_wanted, w_wanted, values_wanted, y_wanted, scale_wanted, mask_wanted = ctx.needs_input_grad[
            3:
        ]
        gradient = gradients[0].reshape(len(values), 1, values.shape[2])
        of_weighted = torch.bmm(gradient, values.transpose(1, 2)).squeeze(1)
        of_score = torch._softmax_backward_data(of_weighted * y, weights, 1, weights.dtype)
        of_product = of_score if scale is None else of_score * scale
        of_sum = of_product.unsqueeze(2) * w
        torch.ops.aten.tanh_backward.grad_input(of_sum, squashed, grad_input=of_sum)
        found = [
            of_sum if keys_wanted and of_keys is None else None,
            of_sum.sum(1) if query_wanted else None,
            torch.mv(squashed.view(-1, len(w)).t(), of_product.view(-1)) if w_wanted else None,
            weighted.unsqueeze(2) * gradient if values_wanted and of_values is None else None,
            (of_weighted * weights).sum(0) if y_wanted else None,
            of_score * product if scale_wanted else None,
            of_score if mask_wanted else None,
        ]
        if keys_wanted and of_keys is not None:
            of_keys.first(len(of_sum)).view_as(of_sum).add_(of_sum)
        if values_wanted and of_values is not None:
            of_values.first(len(values)).view_as(values).addcmul_(weighted.unsqueeze(2), gradient)
        shaped = (None if g is None else g.view(shape) for g, shape in zip(found, ctx.shapes, strict=True))
        return None, None, None, *shaped
