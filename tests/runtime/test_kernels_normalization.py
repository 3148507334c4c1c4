"""Batch normalization: statistics, how they move, and what is normalised with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from kernel_cases import FRAMES, Operand, check, compiled, make_node, p, x

from bsls.network.node import Node
from bstorch.kernels.normalization import with_exact_sums
from bstorch.program.layout import MinibatchLayout

OPTIONS = {
    "spatial": False,
    "normalizationTimeConstant": 0.0,
    "blendTimeConstant": 0.0,
    "epsilon": 1e-5,
    "useCntkEngine": True,
    "imageLayout": "CHW",
}


def normalization(operand: Operand, channels: int, **options: object) -> Node:
    statistics = [p(channels) for _ in range(4)]
    return make_node("BatchNormalization", [operand, *statistics, p(1)], OPTIONS | options)


def state(channels: int, count: float = 0.0) -> list[torch.Tensor]:
    """Scale, bias, running mean and variance, count."""
    one = torch.ones(channels, dtype=torch.float64)
    return [2 * one, 0.5 * one, 3 * one, 4 * one, torch.tensor([count], dtype=torch.float64)]


def values(operand: Operand, seed: int = 1) -> torch.Tensor:
    return torch.tensor(operand.array(np.random.default_rng(seed)))


def test_training_normalises_with_the_minibatch():
    operand = x(3)
    a, inputs = values(operand), state(3)
    found = compiled(normalization(operand, 3), training=True)(a, *inputs)
    mean, variance = a.mean(0), a.var(0, correction=0)
    torch.testing.assert_close(found, 2 * (a - mean) / torch.sqrt(variance + 1e-5) + 0.5)
    torch.testing.assert_close(inputs[2], mean)  # the first minibatch replaces the running values
    torch.testing.assert_close(inputs[3], a.var(0, correction=1))
    assert inputs[4].item() == FRAMES


def test_inference_uses_the_running_statistics():
    operand = x(3)
    a, inputs = values(operand), state(3)
    found = compiled(normalization(operand, 3))(a, *inputs)
    torch.testing.assert_close(found, 2 * (a - 3) / math.sqrt(4 + 1e-5) + 0.5)
    assert inputs[4].item() == 0


@pytest.mark.parametrize(
    ("constant", "seen", "factor"),
    [
        (20.0, 0.0, 1.0),
        (20.0, 8.0, 1 - math.exp(-FRAMES / 20)),
        (0.0, 8.0, 1.0),
        (math.inf, 8.0, 0.0),
        (-1.0, 12.0, FRAMES / (FRAMES + 12)),
    ],
)
def test_how_far_running_statistics_move(constant, seen, factor):
    operand = x(2)
    a, inputs = values(operand), state(2, seen)
    node = normalization(operand, 2, normalizationTimeConstant=constant, blendTimeConstant=math.inf)
    compiled(node, training=True)(a, *inputs)
    torch.testing.assert_close(inputs[2], (1 - factor) * 3 + factor * a.mean(0))
    torch.testing.assert_close(inputs[3], (1 - factor) * 4 + factor * a.var(0, correction=1))
    assert inputs[4].item() == seen + (FRAMES if factor else 0)  # frozen ones do not count


def test_spatial_statistics_are_those_of_a_channel():
    """[W x H x C]: the channel is the last axis, the first one of the tensor."""
    operand = x(3, 2, 2)
    a, inputs = values(operand), state(2)
    found = compiled(normalization(operand, 2, spatial=True), training=True)(a, *inputs)
    mean, variance = a.mean((0, 2, 3)), a.var((0, 2, 3), correction=0)
    view = (1, 2, 1, 1)
    torch.testing.assert_close(found, 2 * (a - mean.view(view)) / torch.sqrt(variance.view(view) + 1e-5) + 0.5)


def test_gaps_of_a_packed_minibatch_count_as_zeros():
    """Sequences of 2 and 1 frames make a matrix of 2 x 2 columns, of which one is empty."""
    operand = x(2)
    layout = MinibatchLayout.packed([2, 1])
    a, inputs = values(operand)[:3], state(2)
    compiled(normalization(operand, 2), training=True, layout=layout)(a, *inputs)
    full = torch.cat([a, torch.zeros(1, 2, dtype=a.dtype)])
    torch.testing.assert_close(inputs[2], full.mean(0))
    torch.testing.assert_close(inputs[3], full.var(0, correction=1))
    assert inputs[4].item() == 3


def test_a_single_value_does_not_spoil_the_running_variance():
    operand = x(2)
    inputs = state(2)
    compiled(normalization(operand, 2), training=True, layout=MinibatchLayout.of_frames(1))(
        values(operand)[:1], *inputs
    )
    assert torch.isfinite(inputs[3]).all()


@pytest.mark.parametrize("training", [False, True])
def test_no_frames_change_nothing(training):
    a, inputs = values(x(3))[:0].requires_grad_(True), state(3, 8)
    scale, bias = (t.requires_grad_(True) for t in inputs[:2])
    layout = MinibatchLayout.of_frames(0)
    found = compiled(normalization(x(3), 3, normalizationTimeConstant=20.0), training=training, layout=layout)(
        a, *inputs
    )
    assert found.shape == (0, 3)
    assert not any(g.any() for g in torch.autograd.grad(found.sum(), [a, scale, bias]))
    assert [t.tolist() for t in inputs[2:]] == [[3] * 3, [4] * 3, [8]]


def test_statistics_that_were_computed_before():
    operands = [x(3), p(3), p(3, low=0.5)]
    check("PerDimMeanVarNormalization", operands, lambda a, mean, inverse: (a - mean) * inverse)
    check("PerDimMeanVarDeNormalization", operands, lambda a, mean, inverse: a / inverse + mean)
    operands = [x(1, values=2), p(1, values=3), p(1, values=0)]
    check("PerDimMeanVarDeNormalization", operands, lambda a, mean, inverse: 0 * a + 2e30, gradient=False)


def test_gradients():
    operand = x(3)
    a, inputs = values(operand).requires_grad_(True), state(3)
    forward = compiled(normalization(operand, 3), training=True)
    scale, bias = (t.requires_grad_(True) for t in inputs[:2])
    assert torch.autograd.gradcheck(lambda a, s, b: forward(a, s, b, *state(3)[2:]), (a, scale, bias))


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 6), (1, 3)], ids=str)
def test_exact_sums_in_single_precision(shape: tuple[int, ...]) -> None:
    """As torch does it in double precision, but for the rounding of the result."""
    generator = torch.Generator().manual_seed(1)
    x, scale, bias, upstream = (
        torch.randn(s, generator=generator, dtype=torch.float64) for s in (shape, (3,), (3,), shape)
    )
    x = x * 0.01 + 30  # a large mean, which single sums would not survive
    exact, plain = (
        [t.to(dtype).requires_grad_() for t in (x.float().double(), scale, bias)]
        for dtype in (torch.float32, torch.float64)
    )
    found, mean, variance = with_exact_sums(*exact, 1e-5)
    wanted = torch.native_batch_norm(*plain, None, None, True, 0.0, 1e-5)[0]
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-4)
    dims = (0, *range(2, x.dim()))
    torch.testing.assert_close((mean, variance), (plain[0].mean(dims), plain[0].var(dims, correction=0)))
    for a, b in zip(
        torch.autograd.grad(found, exact, upstream.float()), torch.autograd.grad(wanted, plain, upstream), strict=True
    ):
        torch.testing.assert_close(a.double(), b, rtol=2e-3, atol=2e-3)
