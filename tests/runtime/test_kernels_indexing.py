"""Picking elements by index."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import check, compiled, make_node, p, x
from numpy.typing import NDArray

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch import kernels
from bstorch.kernels.base import Environment
from bstorch.program.layout import MinibatchLayout


def test_gather() -> None:
    indices = np.array([[2, 0], [1, 1], [0, 2], [2, 2]])

    def formula(i: NDArray, table: NDArray) -> NDArray:
        return table[i.astype(int)]  # the last axis of [4 x 3] comes first in a tensor

    check("Gather", [x(2, values=indices), p(4, 3)], formula, gradient=(1,))


@pytest.mark.parametrize(("axis", "place"), [(0, -1), (1, 1), (-1, 1)])
def test_one_hot(axis: int, place: int) -> None:
    indices = np.array([[2, 0], [1, 5], [0, 2], [-1, 2]])

    def formula(i: NDArray) -> NDArray:
        return (np.expand_dims(i, place) == np.arange(3).reshape((-1, 1) if place == 1 else (-1,))).astype(float)

    check("OneHot", [x(2, values=indices)], formula, {"numClass": 3, "axis": axis}, gradient=())


def test_top_k() -> None:
    check("TopK", [x(5)], lambda a: -np.sort(-a, axis=1)[:, :2], {"numItems": 2})
    check("TopK", [x(4, 2)], lambda a: -np.sort(-a, axis=2)[:, :, :1], {"numItems": 1})


def test_the_indices_of_the_largest() -> None:
    network = Network("double")
    source = Node("InputValue", "x", attributes={"dims": (5,), "dynamicAxis": ""}, precision="double")
    largest = Node("TopK", "largest", [source], {"numItems": 2}, precision="double")
    indices = Node("OutputMultiplexer", "indices", [largest], precision="double")
    for node in (source, largest, indices):
        network.add(node)
    assert not validate(network).findings
    environment = Environment()
    first, second = (kernels.KERNELS[n.op].build(n, environment) for n in (largest, indices))
    values = torch.tensor(x(5).array(np.random.default_rng(1)))
    np.testing.assert_array_equal(second(first(values)), np.argsort(-values.numpy(), axis=1)[:, :2])


def test_further_outputs_of_other_operations() -> None:
    node = Node("OutputMultiplexer", "second", [Node("LSTM", "both")])
    with pytest.raises(BsError, match="'second' is the second output of LSTM, which cannot be computed yet"):
        kernels.KERNELS[node.op].build(node, Environment())


def test_ones_on_the_diagonal() -> None:
    check("EyeLikeOp", [p(3, 2)], lambda a: np.eye(2, 3), gradient=())
    check("EyeLikeOp", [x(3)], lambda a: np.eye(len(a), 3), gradient=())
    layout = MinibatchLayout.packed([1, 2])  # columns 0, 1 and 2 hold frame 0 of both, then frame 1 of the longer one
    found = compiled(make_node("EyeLikeOp", [x(3)]), layout=layout)(torch.zeros(3, 3, dtype=torch.float64))
    np.testing.assert_array_equal(found, np.eye(4)[layout.columns.numpy()][:, :3])
