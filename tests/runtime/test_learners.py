"""The update formulas, written once more in numpy."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from bsls.network.node import Node
from bstorch.training.learners.adagrad import AdaGradLearner
from bstorch.training.learners.adam import AdamLearner, Moments
from bstorch.training.learners.averaging import mean_factor
from bstorch.training.learners.base import Around, Learner
from bstorch.training.learners.fsadagrad import FSAdaGradLearner
from bstorch.training.learners.momentum import MomentumLearner
from bstorch.training.learners.rmsprop import RMSPropLearner, StepSizes

RATE, SAMPLES = 0.02, 5
MOMENTUM = 0.9 ** (1 / SAMPLES)


def parameter(name: str = "W", multiplier: float = 1.0) -> Node:
    return Node("LearnableParameter", name, attributes={"learningRateMultiplier": multiplier})


def learner(
    tensor: torch.Tensor, node: Node | None = None, kind: type[Learner] = MomentumLearner, **options: Any
) -> Learner:
    """`options` are fields of `Around` and settings of the rule."""
    around = {f.name: options.pop(f.name) for f in fields(Around) if f.name in options}
    return kind([node or parameter()], [tensor], Around(**around), **options)  # type: ignore[arg-type]


@pytest.fixture
def start() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(4, 3))


def gradients(steps: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(2)
    return [generator.normal(size=(4, 3)) for _ in range(steps)]


def trained(start: np.ndarray, momentum: float = MOMENTUM, node: Node | None = None, **options: Any) -> np.ndarray:
    tensor = torch.tensor(start)
    found = learner(tensor, node, **options)
    for gradient in gradients():
        found.step([torch.tensor(gradient)], SAMPLES, RATE, momentum)
    return tensor.numpy()


@pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
def test_unit_gain_momentum(start, momentum):
    w, s, m = start.copy(), np.zeros_like(start), momentum**SAMPLES
    for g in gradients():
        s = m * s + (1 - m) * RATE * g
        w = w - s
    np.testing.assert_allclose(trained(start, momentum), w, rtol=1e-13)


def test_nesterov(start):
    w, s, m = start.copy(), np.zeros_like(start), MOMENTUM**SAMPLES
    for g in gradients():
        s = m * s + (1 - m) * RATE * g
        w = w - (m * s + (1 - m) * RATE * g)
    np.testing.assert_allclose(trained(start, nesterov=True), w, rtol=1e-13)


def test_a_parameter_has_a_rate_of_its_own(start):
    single = trained(start, node=parameter(multiplier=0.5)) - start
    np.testing.assert_allclose(single, 0.5 * (trained(start) - start), rtol=1e-10)


def test_order_clip_then_l2_then_update_then_l1(start):
    l1, l2, limit = 0.01, 0.1, 0.1
    w, s, m = start.copy(), np.zeros_like(start), MOMENTUM**SAMPLES
    for g in gradients():
        g = np.clip(g, -limit * SAMPLES, limit * SAMPLES) + l2 * SAMPLES * w
        s = m * s + (1 - m) * RATE * g
        w = w - s
        w = np.sign(w) * np.maximum(np.abs(w) - RATE * l1 * SAMPLES, 0)
    found = trained(start, clipping_threshold=limit, l1=l1, l2=l2)
    np.testing.assert_allclose(found, w, rtol=1e-12)


def test_clipping_by_norm(start):
    limit = 0.2
    w, s, m = start.copy(), np.zeros_like(start), MOMENTUM**SAMPLES
    for g in gradients():
        norm = np.sqrt((g * g).sum())
        g = g * min(1, limit * SAMPLES / norm)
        s = m * s + (1 - m) * RATE * g
        w = w - s
    found = trained(start, clipping_threshold=limit, clip_by_truncation=False)
    np.testing.assert_allclose(found, w, rtol=1e-12)


def test_some_parameters_are_not_regularised(start):
    node = parameter()
    options = {"l1": 0.01, "l2": 0.1, "skipped": frozenset([node])}
    np.testing.assert_array_equal(trained(start, node=node, **options), trained(start))


def sparse(rows: list[int], values: np.ndarray) -> torch.Tensor:
    return torch.sparse_coo_tensor(torch.tensor([rows]), torch.tensor(values), (4, 3), check_invariants=True)


@pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
def test_sparse_gradients_move_their_rows_only(start, momentum):
    """The state keeps the gradient without the rate, and rests with its row."""
    tensor = torch.tensor(start)
    found = learner(tensor)
    w, s, m = start.copy(), np.zeros_like(start), momentum**SAMPLES
    for g, rows in zip(gradients(), ([1], [1, 3], [0]), strict=True):
        found.step([sparse(rows, g[rows])], SAMPLES, RATE, momentum)
        s[rows] = m * s[rows] + (1 - m) * g[rows]
        w[rows] -= RATE * (s[rows] if m else g[rows])
    np.testing.assert_allclose(tensor.numpy(), w, rtol=1e-13)


def test_no_gradient_still_moves_by_momentum(start):
    tensor = torch.tensor(start)
    found = learner(tensor)
    (g,) = gradients(1)
    m = MOMENTUM**SAMPLES
    found.step([torch.tensor(g)], SAMPLES, RATE, MOMENTUM)
    found.step([None], SAMPLES, RATE, MOMENTUM)
    np.testing.assert_allclose(tensor.numpy(), start - (1 + m) * (1 - m) * RATE * g, rtol=1e-12)


def test_32_bit_numbers():
    """Rate, momentum and their product are rounded one by one."""
    start, gradient = np.float32(0.3), np.float32(0.7)
    rate, m = np.float32(RATE), np.float32(MOMENTUM**SAMPLES)
    tensor = torch.tensor([start])
    learner(tensor).step([torch.tensor([gradient])], SAMPLES, RATE, MOMENTUM)
    gain = np.float32((np.float32(1) - m) * rate)
    assert tensor.item() == pytest.approx(float(start - gain * gradient), abs=3e-8)


def test_state_goes_through_a_checkpoint(start):
    one, other = torch.tensor(start), torch.tensor(start)
    first, second = learner(one), learner(other)
    first.step([torch.tensor(gradients()[0])], SAMPLES, RATE, MOMENTUM)
    assert second.restore(first.stored())
    assert first.stored()[0].shape == (4, 3)
    torch.testing.assert_close(first.states, second.states)
    assert not second.restore([np.zeros((2, 2))])
    assert not second.restore([])


def test_a_vector_is_stored_as_a_column():
    tensor = torch.zeros(5)
    assert learner(tensor).stored()[0].shape == (1, 5)


def test_noise_changes_parameters(start):
    assert not math.isclose(trained(start, noise_deviation=0.1)[0, 0], trained(start)[0, 0])


@pytest.mark.parametrize("average", [False, True])
def test_adagrad(start, average):
    w, a = start.copy(), np.zeros_like(start)
    for g in gradients():
        a = a + g * g
        k = 1 / np.sqrt(a + 1e-16)
        w = w - RATE / (k.mean() if average else 1) * k * g
    np.testing.assert_allclose(trained(start, kind=AdaGradLearner, average=average), w, rtol=1e-12)


def test_adagrad_of_some_rows(start):
    """The mean runs over these rows."""
    tensor = torch.tensor(start)
    found = learner(tensor, kind=AdaGradLearner)
    w, a = start.copy(), np.zeros_like(start)
    for g, rows in zip(gradients(), ([1], [1, 3], [0]), strict=True):
        found.step([sparse(rows, g[rows])], SAMPLES, RATE, MOMENTUM)
        a[rows] += g[rows] ** 2
        k = 1 / np.sqrt(a[rows] + 1e-16)
        w[rows] -= RATE / k.mean() * k * g[rows]
    np.testing.assert_allclose(tensor.numpy(), w, rtol=1e-12)


@pytest.mark.parametrize("average", [False, True])
def test_rmsprop(start, average):
    w, p, u, v = start.copy(), np.zeros_like(start), np.full_like(start, 0.02), gradients()[0] ** 2
    for g in (*gradients(), gradients()[-1]):
        v = 0.9 * v + 0.1 * g * g
        u = np.where(np.sign(g) * p > 0, np.minimum(u * 1.5, 0.16), np.maximum(u * 0.5, 0.1))
        p, k = np.sign(g), u / np.sqrt(v + 1e-6)
        w = w - RATE / (k.mean() if average else 1) * k * g
    tensor = torch.tensor(start)
    found = learner(tensor, kind=RMSPropLearner, sizes=StepSizes(1.5, 0.5, 0.16, 0.1, 0.9), average=average)
    for g in (*gradients(), gradients()[-1]):
        found.step([torch.tensor(g)], SAMPLES, RATE, MOMENTUM)
    np.testing.assert_allclose(tensor.numpy(), w, rtol=1e-12)


@pytest.mark.parametrize("momentum", [0.0, MOMENTUM])
def test_fsadagrad(start, momentum):
    w, v, s, c, m = start.copy(), np.zeros_like(start), np.zeros_like(start), 0.0, momentum**SAMPLES
    d = math.exp(-SAMPLES / 100)
    for g in gradients():
        c, v = d * c + (1 - d) * SAMPLES, d * v + (1 - d) * g * g
        g = g * np.minimum(0.5 * math.sqrt(c) / np.sqrt(v), 10)
        s = m * s + (1 - m) * g
        w = w - RATE * s
    found = trained(start, momentum, kind=FSAdaGradLearner, time_constant=100.0, target=0.5)
    np.testing.assert_allclose(found, w, rtol=1e-12)


def test_fsadagrad_without_any_gradient(start):
    tensor = torch.tensor(start)
    learner(tensor, kind=FSAdaGradLearner).step([None], SAMPLES, RATE, MOMENTUM)
    np.testing.assert_array_equal(tensor.numpy(), start)


def test_adam_corrects_always_as_in_the_first_step(start):
    w, v, s = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for g in gradients():
        s, v = 0.8 * s + 0.2 * g, 0.99 * v + 0.01 * g * g
        w = w - RATE * math.sqrt(0.01) / 0.2 * s / (np.sqrt(v) + 1e-3)
    np.testing.assert_allclose(trained(start, kind=AdamLearner, moments=Moments(0.8, 0.99, 1e-3)), w, rtol=1e-12)


@pytest.mark.parametrize("kind", [RMSPropLearner, FSAdaGradLearner, AdamLearner])
def test_rules_that_change_all_rows_take_sparse_gradients_as_dense_ones(start, kind):
    one, other = torch.tensor(start), torch.tensor(start)
    (g,) = gradients(1)
    learner(one, kind=kind).step([sparse([1], g[[1]])], SAMPLES, RATE, MOMENTUM)
    dense = np.zeros_like(g)
    dense[1] = g[1]
    learner(other, kind=kind).step([torch.tensor(dense)], SAMPLES, RATE, MOMENTUM)
    torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("kind", "parts"), [(AdaGradLearner, 1), (RMSPropLearner, 3), (FSAdaGradLearner, 2), (AdamLearner, 2)]
)
@pytest.mark.parametrize("shape", [(4, 3), (3,), ()], ids=str)
def test_state_of_each_rule_goes_through_a_checkpoint(kind, parts, shape):
    """Part stands below part, as columns by rows; with the state, training goes on to the same numbers."""
    generator = torch.Generator().manual_seed(1)
    one, g, h = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(3))
    first = learner(one, kind=kind)
    first.step([g], SAMPLES, RATE, MOMENTUM)
    other = one.clone()
    second = learner(other, kind=kind)
    stored = first.stored()
    assert stored[0].shape == (parts * (4 if len(shape) == 2 else 1), shape[-1] if shape else 1)
    assert second.restore(stored, first.counts)
    for trained_one in (first, second):
        trained_one.step([h], SAMPLES, RATE, MOMENTUM)
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_the_mean_is_added_up_in_the_element_type():
    factors = torch.full((9,), 0.1)
    expected = np.float32(0)
    for _ in range(9):
        expected = np.float32(expected + np.float32(0.1))
    assert mean_factor(factors) == float(expected / np.float32(9))
    four = np.float32(np.float32(np.float32(np.float32(0.1) + np.float32(0.1)) + np.float32(0.1)) + np.float32(0.1))
    assert mean_factor(factors, 4) == float(np.float32(np.float32(four + four) + np.float32(0.1)) / np.float32(9))
    assert mean_factor(torch.zeros(0)) == 1.0
