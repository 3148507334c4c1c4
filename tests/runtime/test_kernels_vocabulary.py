"""Criteria for large vocabularies against plain softmax and formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import check, compiled, gradients, make_node, p, x
from numpy.typing import NDArray

from bsls.finding import BsError
from bstorch.program.layout import MinibatchLayout

CLASS_LABELS = [[2, 0, 0, 3], [3, 1, 3, 5], [0, 0, 0, 3], [5, 2, 5, 6]]
"""Word, class, first word of the class, the first one behind it."""


def log_softmax(z: NDArray) -> NDArray:
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def test_words_by_class() -> None:
    def formula(labels: NDArray, h: NDArray, w: NDArray, c: NDArray) -> float:
        total = 0.0
        for (word, number, first, end), hidden, scores in zip(labels.astype(int), h, c, strict=True):
            total -= log_softmax(scores)[number] + log_softmax(w[first:end] @ hidden)[word - first]
        return total

    operands = [x(4, values=CLASS_LABELS), x(3), p(3, 6), x(3)]
    check("ClassBasedCrossEntropyWithSoftmax", operands, formula, gradient=False)
    forward = compiled(make_node("ClassBasedCrossEntropyWithSoftmax", operands))
    generator = np.random.default_rng(1)
    labels, *others = (torch.tensor(o.array(generator)) for o in operands)
    for other in others:
        other.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda *values: forward(labels, *values), others)


@pytest.mark.parametrize("label", [[3, 0, 0, 3], [0, 0, 0, 0], [5, 0, 5, 7], [-1, 0, -1, 3]])
def test_a_word_that_is_not_of_its_class(label: list[int]) -> None:
    operands = [x(4, values=label), x(3), p(3, 6), x(3)]
    with pytest.raises(BsError, match="has a label of word"):
        gradients("ClassBasedCrossEntropyWithSoftmax", operands)


def contrast(labels: NDArray, h: NDArray, w: NDArray, b: NDArray) -> float:
    total, noises = 0.0, labels.shape[1] // 2 - 1
    for row, hidden in zip(labels, h, strict=True):
        for i, (word, q) in enumerate(row.reshape(-1, 2)):
            score = np.exp(hidden @ w[int(word)] + b.reshape(-1)[int(word)])
            noise = noises * np.exp(q if i == 0 else -q)
            total -= np.log((score if i == 0 else noise) / (score + noise))
    return total


NOISE_LABELS = [[0, -1.5, 1, 2.0, 2, 1.0], [3, -1, 0, 1.5, 0, 1.5], [2, -1, 1, 2, 1, 2], [1, -2, 3, 1, 2, 1]]


def test_noise_contrast() -> None:
    operands = [x(6, values=NOISE_LABELS), x(3), p(3, 4), p(1, 4)]
    check("NCEBasedCrossEntropyWithSoftmax", operands, contrast, gradient=False)
    found = gradients("NCEBasedCrossEntropyWithSoftmax", operands)
    generator = np.random.default_rng(1)
    arrays = [o.array(generator) for o in operands]
    for index in (1, 2, 3):
        for place in np.ndindex(arrays[index].shape):
            values = []
            for change in (1e-6, -1e-6):
                changed = [a.copy() for a in arrays]
                changed[index][place] += change
                values.append(contrast(*changed))
            assert found[index][place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-7)  # type: ignore[index]


def test_its_gradient_does_not_depend_on_what_comes_from_above() -> None:
    operands = [x(6, values=NOISE_LABELS), x(3), p(3, 4), p(1, 4)]
    once = gradients("NCEBasedCrossEntropyWithSoftmax", operands)
    twice = gradients("NCEBasedCrossEntropyWithSoftmax", operands, outer=2.0)
    np.testing.assert_array_equal(once[1], twice[1])  # type: ignore[arg-type]


def test_single_words_are_evaluated() -> None:
    def softmax(labels: NDArray, h: NDArray, w: NDArray, b: NDArray) -> float:
        return -log_softmax(h @ w.T + b.reshape(-1))[np.arange(len(h)), labels[:, 0].astype(int)].sum()

    def scores(labels: NDArray, h: NDArray, w: NDArray, b: NDArray) -> float:
        word = -labels[:, 0].astype(int)
        return -((h * w[word]).sum() + b.reshape(-1)[word].sum())

    rest = [x(3), p(3, 4), p(1, 4)]
    op = "NCEBasedCrossEntropyWithSoftmax"
    check(op, [x(1, values=[[1], [3], [2], [1]]), *rest], softmax, gradient=False)
    check(op, [x(1, values=[[-1], [-3], [-2], [-1]]), *rest], scores, gradient=False)
    check(op, [x(1, values=[[1], [3], [2], [0]]), *rest], softmax, {"evalMode": 0}, gradient=False)
    assert gradients(op, [x(1, values=[[1], [3], [2], [1]]), *rest])[1] is None


def test_gaps_are_refused() -> None:
    operands = [x(6, values=NOISE_LABELS[0]), x(3), p(3, 4), p(1, 4)]
    forward = compiled(make_node("NCEBasedCrossEntropyWithSoftmax", operands), layout=MinibatchLayout.packed([3, 1]))
    generator = np.random.default_rng(1)
    with pytest.raises(BsError, match="different lengths"):
        forward(*(torch.tensor(o.array(generator)) for o in operands))
