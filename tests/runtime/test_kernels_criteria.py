"""Criteria are sums over the frames; their gradients where these are no derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import FRAMES, check, compiled, gradients, make_node, p, x

from bstorch.readers.base import SparseBatch

ONE_HOT = x(3, values=[[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])


def log_softmax(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def test_cross_entropy_with_softmax():
    check("CrossEntropyWithSoftmax", [ONE_HOT, x(3)], lambda y, z: -(y * log_softmax(z)).sum(), gradient=False)
    _, found = gradients("CrossEntropyWithSoftmax", [ONE_HOT, x(3)], outer=2.0)
    z = x(3).array(np.random.default_rng(1))
    np.testing.assert_allclose(found, 2 * (np.exp(log_softmax(z)) - ONE_HOT.array(np.random.default_rng(1))))


def test_its_gradient_takes_labels_as_if_they_summed_to_one():
    labels = x(3, values=[[0, 2, 0]])
    _, found = gradients("CrossEntropyWithSoftmax", [labels, x(3, values=0.0)])
    np.testing.assert_allclose(found[0], [1 / 3, 1 / 3 - 2, 1 / 3])


@pytest.mark.parametrize("one_hot", [False, True])
def test_sparse_labels_give_the_same(one_hot):
    forward = compiled(make_node("CrossEntropyWithSoftmax", [ONE_HOT, x(3)]))
    z = torch.tensor(x(3).array(np.random.default_rng(1)), requires_grad=True)
    dense = torch.tensor(ONE_HOT.array(np.random.default_rng(1)))
    sparse = SparseBatch(
        torch.tensor([1, 0, 2, 1]), torch.ones(FRAMES, dtype=torch.float64), torch.arange(FRAMES + 1), 3, one_hot
    )
    values = [forward(dense, z), forward(sparse, z)]
    found = [torch.autograd.grad(v, z)[0] for v in values]
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-12)
    torch.testing.assert_close(*found)


def test_cross_entropy_of_probabilities():
    check("CrossEntropy", [x(3, low=0, high=1), x(3, low=0.1, high=0.9)], lambda y, q: -(y * np.log(q)).sum())
    check("CrossEntropy", [x(1, values=1.0), x(1, values=0.0)], lambda y, q: 85.1 * len(y), gradient=False)


def test_square_error_is_neither_halved_nor_averaged():
    check("SquareError", [x(3), x(3)], lambda a, b: ((a - b) ** 2).sum())
    check("SquareError", [x(3, 2), x(3, 2)], lambda a, b: ((a - b) ** 2).sum())


def test_logistic():
    labels = x(1, values=[[0], [1], [1], [0]])

    def loss(y, q):
        return -np.log(y * q + (1 - y) * (1 - q)).sum()

    check("Logistic", [labels, x(1, low=0.1, high=0.9)], loss, gradient=False)
    given, found = gradients("Logistic", [labels, x(1, values=0.25)])
    assert given is None
    np.testing.assert_allclose(found[:, 0], [1 / 0.75, -4, -4, 1 / 0.75])


def test_weighted_logistic_leaves_its_scale_out_of_the_gradient():
    operands = [x(1, values=1.0), x(1, values=0.5), x(1, values=[[1], [2], [3], [2]])]
    check(
        "Logistic",
        operands,
        lambda y, q, w: -(w * np.log(q)).sum() * len(w) / w.sum(),
        gradient=False,
        frames=(FRAMES, 1),
    )
    _, found, _ = gradients("Logistic", operands)
    np.testing.assert_allclose(found[:, 0], [-2, -4, -6, -4])


def test_classification_error_counts_frames():
    scores = x(3, values=[[0.1, 0.5, 0.4], [0.2, 0.5, 0.3], [0.9, 0, 0.5], [0.4, 0.4, 0.2]])
    check("ClassificationError", [ONE_HOT, scores], lambda y, z: (y.argmax(1) != z.argmax(1)).sum(), gradient=())
    check("ClassificationError", [ONE_HOT, scores, p(1, 1, values=2)], lambda y, z, n: len(z) == FRAMES, gradient=())


def test_a_dummy_criterion_hands_derivatives_on():
    node = make_node("DummyCriterion", [x(1), x(2), x(2)])
    prediction = torch.zeros(FRAMES, 2, requires_grad=True)
    derivatives = torch.arange(2.0 * FRAMES).reshape(FRAMES, 2)
    value = compiled(node)(torch.ones(FRAMES, 1), derivatives, prediction)
    value.backward()
    assert value.item() == FRAMES
    assert prediction.grad is not None and torch.equal(prediction.grad, derivatives)
