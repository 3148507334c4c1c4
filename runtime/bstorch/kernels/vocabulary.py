"""Criteria for large vocabularies, which do without the softmax over all words: word classes, noise-contrastive estimation."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, elements, kernel
from bstorch.kernels.criteria import samples

WORD, CLASS, FIRST, END = range(4)
"""Rows of the labels of ClassBasedCrossEntropyWithSoftmax."""


@kernel("ClassBasedCrossEntropyWithSoftmax")
def class_based_cross_entropy(node: Node, environment: Environment) -> Forward:
    """Words of a class have neighbouring columns in W, rows of its tensor."""
    as_labels, as_hidden, as_classes = samples(node, 0), samples(node, 1), samples(node, 3)
    size = elements(node.inputs[1])
    words = elements(node.inputs[2]) // size

    def entropy(labels: Tensor, hidden: Tensor, weights: Tensor, class_scores: Tensor) -> Tensor:
        labels, hidden = as_labels(labels).detach().long(), as_hidden(hidden)
        weights = weights.reshape(words, size)
        _check_classes(node, labels, words)
        of_class = torch.log_softmax(as_classes(class_scores), 1).gather(1, labels[:, CLASS, None]).sum()
        bounds, group = torch.unique(labels[:, FIRST:], dim=0, return_inverse=True)
        for i, (first, end) in enumerate(bounds.tolist()):
            members = (group == i).nonzero().view(-1)
            logs = torch.log_softmax(hidden[members] @ weights[first:end].t(), 1)
            of_class = of_class + logs.gather(1, labels[members, WORD, None] - first).sum()
        return -of_class.view(1)

    return entropy


def _check_classes(node: Node, labels: Tensor, words: int) -> None:
    word, first, end = labels[:, WORD], labels[:, FIRST], labels[:, END]
    wrong = (word < first) | (word >= end) | (first < 0) | (end > words)
    if bool(wrong.any()):
        frame = labels[wrong.nonzero()[0, 0]].tolist()
        raise BsError(
            "label-value",
            f"'{node.name}' has a label of word {frame[WORD]} in class {frame[CLASS]}, whose words are those from "
            f"{frame[FIRST]} up to, but without {frame[END]}, of {words} in all",
            node.origin,
            help="each label holds the word, its class, the first word of the class and the first one behind it",
        )


SOFTMAX, UNNORMALISED = 0, 1
"""How NCEBasedCrossEntropyWithSoftmax evaluates; otherwise it trains."""


class NoiseContrast(Function):
    """Minus the sum of log P(data | word) for the true words and log P(noise | word) for the noise words, where P(data) is
    exp(s) / (exp(s) + k q) for a score s, k noise words, and a probability q of the noise.

    Takes scores and log (k q) as (frames, words), the true word first. The gradient is that of the criterion itself,
    whatever comes from above.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, noise: Tensor) -> Tensor:
        both = torch.logaddexp(scores, noise)
        data = scores - both
        difference = torch.exp(data)
        difference[:, 0] -= 1
        ctx.save_for_backward(difference)
        return -(data[:, 0].sum() + (noise - both)[:, 1:].sum()).view(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.saved_tensors[0], None


@kernel("NCEBasedCrossEntropyWithSoftmax")
def noise_contrastive(node: Node, environment: Environment) -> Forward:
    """Labels are pairs of a word and a log probability under the noise, negated for noise words; or single words, for
    evaluation: those below 0 by their scores alone."""
    as_labels, as_hidden, axis = samples(node, 0), samples(node, 1), axis_of(node.inputs[0])
    size = elements(node.inputs[1])
    count = elements(node.inputs[2]) // size
    mode = int(node.attributes.get("evalMode", 2))  # type: ignore[call-overload]

    def softmax(word: Tensor, hidden: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        logs = torch.log_softmax(hidden @ weights.t() + bias, 1)
        return -logs.gather(1, word[:, None]).sum().view(1)

    def criterion(labels: Tensor, hidden: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        if environment.layouts[axis].has_gaps:
            raise BsError(
                "unsupported-operation",
                f"'{node.name}' cannot take sequences of different lengths side by side",
                node.origin,
                help="deliver single frames, with frameMode = true",
            )
        labels, hidden = as_labels(labels).detach(), as_hidden(hidden)
        weights, bias = weights.reshape(count, size), bias.reshape(-1)
        single = labels.shape[1] == 1
        unnormalised = single and bool((labels < 0).any())
        if mode == SOFTMAX or (single and not unnormalised and mode != UNNORMALISED):
            return softmax(labels[:, 0].long(), hidden, weights, bias).detach()
        if mode == UNNORMALISED or unnormalised:
            word = -labels[:, 0].long()
            return -((hidden * weights[word]).sum(1) + bias[word]).sum().view(1).detach()
        words = labels[:, 0::2].long()
        noise = -labels[:, 1::2].double()
        noise[:, 0] = -noise[:, 0]
        noise = noise + (math.log(words.shape[1] - 1) if words.shape[1] > 1 else -math.inf)
        products = torch.bmm(weights[words], hidden[:, :, None])[:, :, 0]
        return NoiseContrast.apply(products.double() + bias[words].double(), noise).to(hidden.dtype)

    return criterion
