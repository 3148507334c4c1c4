"""LambdaRank and NDCG1Eval against formulas over each query."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import compiled, make_node, x
from numpy.typing import NDArray

from bsls.finding import BsError
from bstorch.program.layout import MinibatchLayout

GAINS = [31, 7, 0, 3, 1, 0, 0]
SCORES = [0.3, 0.9, 0.0, 0.4, 0.5, 0.3, -1.0]
QUERIES = [0, 0, 0, 5, 5, 5, 5]
LOGS = np.log(2.0 + np.arange(10))


def columns(*values: list[float]) -> list[torch.Tensor]:
    return [torch.tensor(v, dtype=torch.float64)[:, None] for v in values]


def run(op: str, gains: list[float], scores: list[float], queries: list[float]) -> tuple[float, NDArray | None]:
    gain, score, query = columns(gains, scores, queries)
    score.requires_grad_(True)
    value = compiled(make_node(op, [x(1)] * 3), layout=MinibatchLayout.of_frames(len(gains)))(gain, score, query)
    found = torch.autograd.grad(value * 3, score)[0].numpy()[:, 0] if value.requires_grad else None
    return value.item(), found


def test_lambda_rank_is_what_is_missing_to_the_best_order():
    first = (7 / LOGS[0] + 31 / LOGS[1]) / (31 / LOGS[0] + 7 / LOGS[1])
    second = (1 / LOGS[0] + 3 / LOGS[1]) / (3 / LOGS[0] + 1 / LOGS[1])
    value, _ = run("LambdaRank", GAINS, SCORES, QUERIES)
    assert value == pytest.approx((1 - (first + second) / 2) * 100 * 7)


def test_lambdas_of_pairs():
    """Whatever the gradient from above, it is that of the criterion itself."""
    gains, scores = [3.0, 1.0, 0.0], [0.2, 0.5, 0.1]
    ranks, ideal = [1, 0, 2], 3 / LOGS[0] + 1 / LOGS[1]
    wanted = np.zeros(3)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        change = abs((gains[i] - gains[j]) * (1 / LOGS[ranks[j]] - 1 / LOGS[ranks[i]]) / ideal)
        pull = change / (1 + np.exp(scores[i] - scores[j]))
        wanted[i] -= pull
        wanted[j] += pull
    _, found = run("LambdaRank", gains, scores, [1, 1, 1])
    np.testing.assert_allclose(found, wanted)


def test_behind_equal_gains_pairs_get_an_earlier_difference():
    """Pairs are (0, 1) of equal gain, (0, 2), (1, 2): the two that count get the differences of the first two."""
    gains, scores = [2.0, 2.0, 0.0], [0.2, 0.5, 0.1]
    ranks, ideal = [1, 0, 2], 2 / LOGS[0] + 2 / LOGS[1]
    wanted = np.zeros(3)
    for (i, j), difference in zip(((0, 2), (1, 2)), (0.2 - 0.5, 0.2 - 0.1), strict=True):
        pull = abs(2 * (1 / LOGS[ranks[j]] - 1 / LOGS[ranks[i]]) / ideal) / (1 + np.exp(difference))
        wanted[i] -= pull
        wanted[j] += pull
    _, found = run("LambdaRank", gains, scores, [1, 1, 1])
    np.testing.assert_allclose(found, wanted)


def test_no_gains_no_gradient():
    value, found = run("LambdaRank", [0, 0], [1, 2], [0, 0])
    assert value == 200
    np.testing.assert_array_equal(found, 0)


def test_gain_of_the_first():
    value, found = run("NDCG1Eval", GAINS, SCORES, QUERIES)
    assert value == pytest.approx((7 / 31 + 1 / 3) / 2 * 100 * 7)
    assert found is None


def test_of_equal_scores_the_smaller_gain_comes_first():
    assert run("NDCG1Eval", [2, 1], [0.5, 0.5], [0, 0])[0] == pytest.approx(100)


def test_one_document_and_none():
    assert run("NDCG1Eval", [2], [0.5], [0])[0] == pytest.approx(100)
    assert run("LambdaRank", [2], [0.5], [0])[0] == pytest.approx(0)
    with pytest.raises(BsError, match="has none"):
        run("LambdaRank", [], [], [])


def test_documents_come_in_the_order_of_columns():
    """Two sequences of two documents: columns are the first of both, then the second of both."""
    layout = MinibatchLayout.packed([2, 2])
    node = make_node("NDCG1Eval", [x(1)] * 3)
    value = compiled(node, layout=layout)(*columns([2, 1, 4, 1], [1, 2, 2, 1], [0, 0, 1, 1]))
    assert value.item() == pytest.approx((0.5 + 1) / 2 * 100 * 4)
