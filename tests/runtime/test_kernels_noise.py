"""Random numbers of the reference: masks of dropout, distributions, samples of classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_cases import FRAMES, make_node, p, x

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch import kernels
from bstorch.kernels.base import Environment, shape_of
from bstorch.kernels.noise import ClassSampler, Distribution, Dropout
from bstorch.program.layout import MinibatchLayout
from bstorch.random import Generator

SEED_1 = [0, 0, 0, 0, 0, 2, 0, 0, 2, 2, 0, 2, 2, 0, 0]  # with rate 0.5


def dropout(layout: MinibatchLayout | None = None, training: bool = True) -> Dropout:
    node = make_node("Dropout", [x(3)])
    node.precision = "float"
    axis = shape_of(node).axis
    assert axis is not None
    environment = Environment(training=training)
    environment.layouts[axis] = layout or MinibatchLayout.of_frames(FRAMES)
    found = kernels.get("Dropout").build(node, environment)
    assert isinstance(found, Dropout)
    found.rate = 0.5
    found.seed(1)
    return found


def test_mask_of_the_reference():
    found = dropout()(torch.ones(FRAMES, 3))
    np.testing.assert_array_equal(found.view(-1), SEED_1[:12])


def test_the_stream_runs_on_over_minibatches():
    function = dropout(MinibatchLayout.of_frames(1))
    found = torch.cat([function(torch.ones(1, 3)) for _ in range(5)])
    np.testing.assert_array_equal(found.view(-1), SEED_1)


def test_gaps_use_up_numbers():
    """Sequences of 2 and 1 frames: columns 0, 1 and 2 of a matrix of 2 x 2, packed as frames 0, 0 and 1."""
    layout = MinibatchLayout.packed([1, 2])
    found = dropout(layout)(torch.ones(3, 3))
    expected = np.array(SEED_1[:12]).reshape(4, 3)[layout.columns.numpy()]
    np.testing.assert_array_equal(found, expected)


def test_off_in_inference_and_at_rate_zero():
    ones = torch.ones(FRAMES, 3)
    assert dropout(training=False)(ones) is ones
    function = dropout()
    function.rate = 0.0
    assert function(ones) is ones


def distribution(
    kind: str, *arguments: float, fast: bool = False, layout: MinibatchLayout | None = None
) -> Distribution:
    node = make_node("RandomDistribution", [x(3)], {"distribution": kind, "arguments": list(arguments)})
    axis = shape_of(node).axis
    assert axis is not None
    environment = Environment(fast_random=fast, layouts={axis: layout or MinibatchLayout.of_frames(FRAMES)})
    found = kernels.get("RandomDistribution").build(node, environment)
    assert isinstance(found, Distribution)
    found.seed(1)
    return found


def test_distributions() -> None:
    def drawn(kind: str, *arguments: float) -> list[float]:
        return distribution(kind, *arguments)(torch.zeros(FRAMES, 3)).view(-1).tolist()

    uniform = Generator(1).uniform(12)
    assert drawn("uniform", -1, 3) == Generator(1).uniform(12, -1, 3).tolist()
    assert drawn("normal", 2, 0.5) == Generator(1).normal(12, 2, 0.5).tolist()
    np.testing.assert_allclose(drawn("gumbel", 1, 2), 1 - 2 * np.log(-np.log(1 - uniform)))
    np.testing.assert_array_equal(drawn("bernoulli", 0.25), (uniform > 0.75).astype(float))


def test_normal_numbers_are_drawn_in_pairs() -> None:
    function = distribution("normal", 0, 1, layout=MinibatchLayout.of_frames(1))
    found = [function(torch.zeros(1, 3)).view(-1) for _ in range(2)]
    np.testing.assert_array_equal(torch.cat(found), Generator(1).normal(8)[[0, 1, 2, 4, 5, 6]])


def test_distributions_in_gaps() -> None:
    layout = MinibatchLayout.packed([1, 2])
    found = distribution("uniform", 0, 1, layout=layout)(torch.zeros(3, 3))
    np.testing.assert_array_equal(found, Generator(1).uniform(12).reshape(4, 3)[layout.columns.numpy()])


@pytest.mark.parametrize(("kind", "arguments", "mean"), [
    ("uniform", (1, 3), 2), ("normal", (2, 0.5), 2), ("gumbel", (1, 2), 1 + 2 * np.euler_gamma), ("bernoulli", (0.25,), 0.25),
])  # fmt: skip
def test_fast_numbers(kind: str, arguments: tuple[float, ...], mean: float) -> None:
    function = distribution(kind, *arguments, fast=True)
    found = [function(torch.zeros(5000, 3)) for _ in range(2)]
    assert float(found[0].mean()) == pytest.approx(mean, abs=0.1)
    assert not torch.equal(*found)


def test_a_distribution_without_operand() -> None:
    network = Network("double")
    attributes = {"distribution": "uniform", "arguments": [0, 1], "shape": (2, 3)}
    node = Node("RandomDistribution", "node", [], attributes, precision="double")
    network.add(node)
    assert not validate(network).findings
    found = kernels.get("RandomDistribution").build(node, Environment())()
    np.testing.assert_array_equal(found.view(-1), Generator(0).uniform(6))


def sampler(op: str, size: int, duplicates: bool, *, fast: bool = False) -> ClassSampler:
    node = make_node(op, [p(5, 1)], {"sizeOfSampledSet": size, "allowDuplicates": duplicates})
    found = kernels.get(op).build(node, Environment(fast_random=fast))
    assert isinstance(found, ClassSampler)
    found.seed(1)
    return found


WEIGHTS = torch.tensor([[1.0, 0.0, 2.0, 3.0, 4.0]], dtype=torch.float64)


def test_classes_with_duplicates() -> None:
    function = sampler("RandomSample", 6, True)
    found = torch.cat([function(WEIGHTS) for _ in range(2)])
    wanted = np.searchsorted([1, 1, 3, 6, 10], Generator(1).uniform(12, 0, 10))
    np.testing.assert_array_equal(found, np.eye(5)[wanted])


def test_classes_without_duplicates() -> None:
    function = sampler("RandomSample", 3, False)
    found = function(WEIGHTS)
    wanted = list(dict.fromkeys(np.searchsorted([1, 1, 3, 6, 10], Generator(1).uniform(50, 0, 10)).tolist()))[:3]
    np.testing.assert_array_equal(found, np.eye(5)[wanted])


@pytest.mark.parametrize("fast", [False, True])
def test_inclusion_frequencies(fast: bool) -> None:
    p = WEIGHTS.numpy() / 10
    np.testing.assert_allclose(sampler("RandomSampleInclusionFrequency", 3, True, fast=fast)(WEIGHTS), 3 * p)
    function = sampler("RandomSampleInclusionFrequency", 3, False, fast=fast)
    found = function(WEIGHTS)
    tries = np.log1p(-found.numpy()[0, 4]) / np.log1p(-p[0, 4])
    assert tries * 10 == pytest.approx(round(tries * 10)) and tries >= 3
    np.testing.assert_allclose(found, 1 - (1 - p) ** tries)
    assert function(WEIGHTS) is found  # other weights are estimated anew
    assert function(WEIGHTS.flip(1)) is not found


@pytest.mark.parametrize("weights", [[1, 0, 0, 0, 2], [-1, 1, 1, 1, 1]])
def test_weights_that_cannot_be_drawn_from(weights: list[float]) -> None:
    with pytest.raises(BsError, match="cannot draw 3 of 5 classes"):
        sampler("RandomSample", 3, False)(torch.tensor([weights], dtype=torch.float64))
