"""The update formulas, written once more in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bsls.network.node import Node
from bstorch.training.learners import MomentumLearner, Regularisation

RATE, SAMPLES = 0.02, 5
MOMENTUM = 0.9 ** (1 / SAMPLES)


def parameter(name: str = "W", multiplier: float = 1.0) -> Node:
    return Node("LearnableParameter", name, attributes={"learningRateMultiplier": multiplier})


def learner(tensor: torch.Tensor, node: Node | None = None, **options: object) -> MomentumLearner:
    return MomentumLearner([node or parameter()], [tensor], **options)  # type: ignore[arg-type]


@pytest.fixture
def start() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(4, 3))


def gradients(steps: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(2)
    return [generator.normal(size=(4, 3)) for _ in range(steps)]


def trained(start: np.ndarray, momentum: float = MOMENTUM, node: Node | None = None, **options: object) -> np.ndarray:
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
    found = trained(start, clipping_threshold=limit, regularisation=Regularisation(l1, l2))
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
    options = {"regularisation": Regularisation(0.01, 0.1, frozenset([node]))}
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
