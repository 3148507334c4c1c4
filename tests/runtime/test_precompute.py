"""Statistics of the training data."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.readers.base import Minibatch
from bstorch.training.precompute import check_statistics, missing_statistics, precompute


def statistics() -> tuple[Network, list[Node]]:
    network = Network("double")
    x = Node("InputValue", "x", attributes={"dims": (2,), "dynamicAxis": ""}, precision="double")
    nodes = [Node("Mean", "mean", [x], precision="double"), Node("InvStdDev", "inverse", [x], precision="double")]
    for node in (x, *nodes):
        network.add(node)
    assert not validate(network).findings
    return network, nodes


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_mean_and_deviation(sizes: list[int]) -> None:
    network, nodes = statistics()
    parameters = Parameters(network)
    data = np.random.default_rng(len(sizes)).normal(3.0, 2.0, (sum(sizes), 2))
    batches = [
        Minibatch({"x": torch.tensor(part)}, {"x": MinibatchLayout.of_frames(len(part))}, len(part))
        for part in np.split(data, np.cumsum(sizes)[:-1])
    ]
    assert set(missing_statistics(network)) == set(nodes)
    precompute(nodes, parameters, batches)
    np.testing.assert_allclose(parameters[nodes[0]].numpy(), data.mean(0), rtol=1e-6)
    if len(data) > 1:
        np.testing.assert_allclose(parameters[nodes[1]].numpy(), 1 / data.std(0), rtol=1e-5)
    assert missing_statistics(network) == []


def test_constant_data_have_the_least_variance() -> None:
    network, nodes = statistics()
    parameters = Parameters(network)
    minibatch = Minibatch({"x": torch.ones(4, 2, dtype=torch.float64)}, {"x": MinibatchLayout.of_frames(4)}, 4)
    precompute(nodes, parameters, [minibatch])
    np.testing.assert_allclose(parameters[nodes[1]].numpy(), [1e5, 1e5], rtol=1e-8)


def test_one_over_the_samples_is_rounded_to_single_precision() -> None:
    network, nodes = statistics()
    parameters = Parameters(network)
    batches = [
        Minibatch({"x": torch.tensor([[x, -x]]).double()}, {"x": MinibatchLayout.of_frames(1)}, 1) for x in (1, 2, 6)
    ]
    precompute(nodes, parameters, batches)
    third = float(np.float32(1) / np.float32(3))
    mean = 1.5 * (2 / 3) + 6 * third
    assert parameters[nodes[0]].tolist() == [mean, -mean]
    variance = (0.25 + (1.5 - mean) ** 2) * (2 / 3) + (6 - mean) ** 2 * third
    np.testing.assert_allclose(parameters[nodes[1]].numpy(), variance**-0.5, rtol=1e-15)


def test_without_data_or_without_training() -> None:
    network, nodes = statistics()
    with pytest.raises(BsError, match="there are no data to compute 'mean' from"):
        precompute(nodes, Parameters(network), [])
    with pytest.raises(BsError, match="'mean' is a Mean of the training data, which was not computed yet"):
        check_statistics(network, nodes)
