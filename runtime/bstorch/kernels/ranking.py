"""Learning to rank: LambdaRank and NDCG1Eval.

Each frame is a document with its gain, score and query; the documents of a query stand together, best gain first. The
discounted gain of a document at rank r (from 0) is gain / log(2 + r); the NDCG of a query is the sum of these in the order
of the scores, by that in the given order. Of equal scores the smaller gain comes first.

C. Burges, "From RankNet to LambdaRank to LambdaMART" (2010).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, kernel
from bstorch.program.layout import MinibatchLayout

SAME_GAIN = 1e-7
Numbers = NDArray[np.floating]


def _queries(query: Numbers) -> list[slice]:
    """Runs of documents of the same query."""
    numbers = query.astype(np.int64)
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    bounds = [0, *cuts.tolist(), len(numbers)]
    return [slice(a, b) for a, b in pairwise(bounds)]


def _ranks(gain: Numbers, score: Numbers) -> NDArray[np.int64]:
    """The rank of each document of a query by its score."""
    ranks = np.empty(len(gain), np.int64)
    ranks[np.lexsort((gain, -score))] = np.arange(len(gain))
    return ranks


def _in_columns(layout: MinibatchLayout, *values: Tensor) -> tuple[NDArray[np.int64], list[Numbers]]:
    """The documents in the order of the reference's columns, and where each stands among the frames."""
    order = np.argsort(layout.columns.numpy(), kind="stable")
    return order, [v.detach().reshape(-1).cpu().double().numpy()[order] for v in values]


def _checked(node: Node, documents: int) -> None:
    if documents == 0:
        raise BsError("no-data", f"'{node.name}' ranks documents, but the minibatch has none", node.origin)


class Ndcg(Function):
    """(1 - mean NDCG) * 100 * documents, and for the scores the lambdas of all pairs of documents."""

    @staticmethod
    def forward(ctx: Any, score: Tensor, gain: Tensor, query: Tensor, layout: MinibatchLayout) -> Tensor:
        order, (scores, gains, queries) = _in_columns(layout, score, gain, query)
        found: list[float] = []
        lambdas = _Lambdas(len(scores))
        for part in _queries(queries):
            g, s = gains[part], scores[part]
            ranks = _ranks(g, s)
            ideal = float((g / np.log(2.0 + np.arange(len(g)))).sum())
            found.append(float((g / np.log(2.0 + ranks)).sum()) / ideal if ideal != 0 else 0.0)
            lambdas.add(part.start, g, s, ranks, ideal)
        spread = np.empty(len(scores))
        spread[order] = lambdas.gradient() if (gains > 0).any() else 0.0
        ctx.save_for_backward(torch.from_numpy(spread).to(score).view(score.shape))
        return score.new_full((1,), (1.0 - float(np.mean(found))) * 100.0 * len(scores))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (lambdas,) = ctx.saved_tensors
        return lambdas, None, None, None


class _Lambdas:
    """The gradient for the scores s: for each pair of a better document i and one behind it, j, |change of NDCG if they
    changed places| / (1 + exp(s_i - s_j)), which pulls i up and j down.

    Pairs are numbered through a minibatch. Those of equal gain have no lambda; but the reference does not count them when it
    looks up the difference of scores, so that behind them each pair gets that of an earlier one. So it is here.
    """

    def __init__(self, documents: int) -> None:
        self._documents = documents
        self._differences: list[Numbers] = []
        self._better: list[NDArray[np.int64]] = []
        self._worse: list[NDArray[np.int64]] = []
        self._changes: list[Numbers] = []

    def add(self, begin: int, gain: Numbers, score: Numbers, ranks: NDArray[np.int64], ideal: float) -> None:
        """The pairs of a query whose first document is `begin`."""
        i, j = np.triu_indices(len(gain), 1)
        above = gain[i] > gain[-1]
        i, j = i[above], j[above]
        self._differences.append(score[i] - score[j])
        different = np.abs(gain[i] - gain[j]) >= SAME_GAIN
        i, j = i[different], j[different]
        discounts = np.log(2.0 + ranks)
        changes = (gain[i] - gain[j]) * (discounts[i] - discounts[j]) / (discounts[i] * discounts[j])
        self._better.append(i + begin)
        self._worse.append(j + begin)
        self._changes.append(np.abs(changes / ideal) if ideal != 0 else np.zeros(len(i)))

    def gradient(self) -> Numbers:
        better, worse = np.concatenate(self._better), np.concatenate(self._worse)
        differences = np.concatenate(self._differences)[: len(better)]
        lambdas = np.concatenate(self._changes) * 0.5 * (1.0 - np.tanh(differences / 2))  # 1 / (1 + exp(difference))
        gradient = np.zeros(self._documents)
        np.add.at(gradient, worse, lambdas)
        np.subtract.at(gradient, better, lambdas)
        return gradient


@kernel("LambdaRank")
def lambda_rank(node: Node, environment: Environment) -> Forward:
    """The gradient is that of the criterion itself, whatever comes from above."""
    axis = axis_of(node.inputs[0])

    def criterion(gain: Tensor, score: Tensor, query: Tensor) -> Tensor:
        _checked(node, len(gain))
        return Ndcg.apply(score, gain, query, environment.layouts[axis])

    return criterion


@kernel("NDCG1Eval")
def ndcg_of_first(node: Node, environment: Environment) -> Forward:
    axis = axis_of(node.inputs[0])

    def metric(gain: Tensor, score: Tensor, query: Tensor) -> Tensor:
        _checked(node, len(gain))
        _, (gains, scores, queries) = _in_columns(environment.layouts[axis], gain, score, query)
        found = []
        for part in _queries(queries):
            g = gains[part]
            first = int(np.argmin(_ranks(g, scores[part])))
            found.append(g[first] / g[0] if g[0] != 0 else 0.0)
        return score.new_full((1,), float(np.mean(found)) * 100.0 * len(gains))

    return metric
