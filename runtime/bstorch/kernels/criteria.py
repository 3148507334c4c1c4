"""Criteria: sums over all frames of a minibatch, never means; and what is only evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, elements, has_axis, kernel, shape_of
from bstorch.kernels.elementwise import clipped_log

if TYPE_CHECKING:
    from bstorch.readers.base import SparseBatch

SMALLEST_DIVISOR = 1e-30


def away_from_zero(x: Tensor) -> Tensor:
    """`x` with absolute values of at least 1e-30, to divide by."""
    return torch.where(x.abs() < SMALLEST_DIVISOR, torch.copysign(torch.full_like(x, SMALLEST_DIVISOR), x), x)


def samples(node: Node, index: int) -> Forward:
    """Brings an input to the form (samples, elements)."""
    source = node.inputs[index]
    if has_axis(source) and shape_of(source).rank == 1:
        return lambda x: x
    framed, width = has_axis(source), elements(source)
    return lambda x: x.reshape(x.shape[0] if framed else 1, width)


class SoftmaxCrossEntropy(Function):
    """-sum(labels * logsoftmax(z)). The gradient for z is softmax - labels even where labels do not sum to one."""

    @staticmethod
    def forward(ctx: Any, labels: Tensor, z: Tensor) -> Tensor:
        logs = torch.log_softmax(z, 1)
        ctx.save_for_backward(labels, logs)
        return torch.dot(labels.reshape(-1), logs.view(-1)).neg_().view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        labels, logs = ctx.saved_tensors
        (g,) = gradients
        for_labels = logs * -g if ctx.needs_input_grad[0] else None
        for_z = torch.exp(logs).sub_(labels).mul_(g) if ctx.needs_input_grad[1] else None
        return for_labels, for_z


class SparseSoftmaxCrossEntropy(Function):
    """The same for labels given as (frame, class, value) triples."""

    @staticmethod
    def forward(ctx: Any, frame: Tensor, label: Tensor, value: Tensor, z: Tensor) -> Tensor:
        logs = torch.log_softmax(z, 1)
        ctx.save_for_backward(frame, label, value, logs)
        return torch.dot(value, logs[frame, label]).neg_().view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, None, Tensor]:
        frame, label, value, logs = ctx.saved_tensors
        for_z = torch.exp(logs).index_put_((frame, label), -value, accumulate=True)
        return None, None, None, for_z.mul_(gradients[0])


@kernel("CrossEntropyWithSoftmax", sparse=(0,))
def cross_entropy_with_softmax(node: Node, environment: Environment) -> Forward:
    as_labels, as_scores = samples(node, 0), samples(node, 1)
    same_width = elements(node.inputs[0]) == elements(node.inputs[1])

    def entropy(labels: Tensor | SparseBatch, z: Tensor) -> Tensor:
        z = as_scores(z)
        if not isinstance(labels, Tensor):
            if labels.one_hot:
                return functional.cross_entropy(z, labels.indices, reduction="sum").view(1)
            return SparseSoftmaxCrossEntropy.apply(labels.sample_of_value(), labels.indices, labels.values, z)
        labels = as_labels(labels)
        return SoftmaxCrossEntropy.apply(labels if same_width else labels.expand_as(z), z)

    return entropy


class CrossEntropy(Function):
    """-sum(labels * log p) with a clipped log; the gradient for p divides by at least 1e-30."""

    @staticmethod
    def forward(ctx: Any, labels: Tensor, p: Tensor) -> Tensor:
        logs = clipped_log(p)
        ctx.save_for_backward(labels, p, logs)
        return -(labels * logs).sum().view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        labels, p, logs = ctx.saved_tensors
        (g,) = gradients
        divisor = away_from_zero(p)
        for_labels = logs * -g if ctx.needs_input_grad[0] else None
        for_p = labels / divisor * -g if ctx.needs_input_grad[1] else None
        return for_labels, for_p


@kernel("CrossEntropy")
def cross_entropy(node: Node, environment: Environment) -> Forward:
    as_labels, as_p = samples(node, 0), samples(node, 1)
    return lambda labels, p: CrossEntropy.apply(as_labels(labels), as_p(p))


@kernel("SquareError")
def square_error(node: Node, environment: Environment) -> Forward:
    left, right = samples(node, 0), samples(node, 1)

    def error(a: Tensor, b: Tensor) -> Tensor:
        difference = (left(a) - right(b)).view(-1)
        return torch.dot(difference, difference).view(1)

    return error


@kernel("DummyCriterion")
def dummy(node: Node, environment: Environment) -> Forward:
    """The gradient of the prediction is what the derivatives say."""

    def objective(objectives: Tensor, derivatives: Tensor, prediction: Tensor) -> Tensor:
        surrogate = torch.dot(derivatives.detach().reshape(-1), prediction.reshape(-1))
        return (objectives.detach().sum() + surrogate - surrogate.detach()).view(1)

    return objective


class Logistic(Function):
    """-sum(log(y p + (1 - y)(1 - p))), optionally weighted and scaled by frames / sum of weights.

    Only p gets a gradient, that of the weighted form without the scale.
    """

    @staticmethod
    def forward(ctx: Any, labels: Tensor, p: Tensor, weights: Tensor | None) -> Tensor:
        q = labels * p + (1 - labels) * (1 - p)
        logs = clipped_log(q)
        ctx.save_for_backward(labels, q, *(() if weights is None else (weights,)))
        if weights is None:
            return -logs.sum().view(1)
        return (-(weights * logs).sum() * (p.shape[0] / weights.sum())).view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, None]:
        labels, q, *weights = ctx.saved_tensors
        for_p = (2 * labels - 1) / away_from_zero(q) * -gradients[0]
        return None, for_p * weights[0] if weights else for_p, None


@kernel("Logistic")
def logistic(node: Node, environment: Environment) -> Forward:
    as_labels, as_p = samples(node, 0), samples(node, 1)
    if len(node.inputs) < 3:
        return lambda labels, p: Logistic.apply(as_labels(labels), as_p(p), None)
    as_weights = samples(node, 2)
    return lambda labels, p, weights: Logistic.apply(as_labels(labels), as_p(p), as_weights(weights))


@kernel("ClassificationError", "ErrorPrediction", sparse=(0,))
def classification_error(node: Node, environment: Environment) -> Forward:
    as_labels, as_scores = samples(node, 0), samples(node, 1)

    def best_label(labels: Tensor | SparseBatch) -> Tensor:
        dense = labels if isinstance(labels, Tensor) else labels.dense()
        return as_labels(dense).argmax(1)  # the first of equal ones

    if len(node.inputs) < 3:

        def errors(labels: Tensor | SparseBatch, z: Tensor) -> Tensor:
            wrong = best_label(labels) != as_scores(z).argmax(1)
            return wrong.sum().to(z.dtype).view(1)

        return errors

    def errors_of_top(labels: Tensor | SparseBatch, z: Tensor, top: Tensor) -> Tensor:
        z = as_scores(z)
        score = z.gather(1, best_label(labels)[:, None])
        better = (z > score).sum(1)
        return (better >= top.view(-1)[0]).sum().to(z.dtype).view(1)

    return errors_of_top


def running_mean(mean: Tensor, seen: int, x: Tensor) -> Tensor:
    """The mean over `seen` frames and those of `x`, where `mean` is that over the `seen` ones.

    The reference rounds the weight of the new frames to single precision, in a network of double precision as well.
    """
    total = max(seen + len(x), 1)
    return mean * (seen / total) + x.sum(0) * float(np.float32(1) / np.float32(total))


class EpochAccumulator:
    """The compiled EpochAccumulator: the mean of its input over all frames since the epoch began."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begins a new epoch."""
        self._mean: Tensor | None = None
        self._frames = 0

    def state(self) -> tuple[Tensor | None, int]:
        """The mean so far, and of how many frames; `restore` takes it back."""
        return self._mean, self._frames

    def restore(self, state: tuple[Tensor | None, int]) -> None:
        """Goes on from such a `state`."""
        self._mean, self._frames = state

    def __call__(self, x: Tensor) -> Tensor:
        x = x.detach()
        before = x.new_zeros(x.shape[1:]) if self._mean is None else self._mean
        self._mean = running_mean(before, self._frames, x)
        self._frames += len(x)
        return self._mean


@kernel("EpochAccumulator")
def epoch_accumulator(node: Node, environment: Environment) -> Forward:
    return EpochAccumulator()
