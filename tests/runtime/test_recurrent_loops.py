"""Recurrent loops, step by step over ragged sequences: values against numpy, gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from test_kernels_delays import packed, unpacked

from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.kernels.base import Environment, axis_of
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=5)
W = np.array([[0.5, -0.3], [0.2, 0.7]])


class Elman:
    """h = tanh (x + W * delayed h), its criterion the sum of h * x."""

    def __init__(self, op: str, distance: int = 1, default: float = 0.1) -> None:
        self.op, self.distance, self.default = op, distance, default
        self.network = Network("double")
        x = Node("InputValue", "x", attributes={"dims": (2,), "dynamicAxis": ""}, precision="double")
        w = Node("LearnableParameter", "w", attributes={"dims": (2, 2)}, value=ArrayWeights(W), precision="double")
        delay = Node(
            op,
            "d",
            attributes={"shape": (0,), "timeStep": distance, "defaultHiddenActivation": default},
            precision="double",
        )
        product = Node("Times", "wd", [w, delay], {"outputRank": 1, "inferInputRankToMap": -1}, precision="double")
        total = Node("Plus", "s", [x, product], precision="double")
        self.h = Node("Tanh", "h", [total], precision="double")
        delay.inputs.append(self.h)
        weighted = Node("ElementTimes", "hx", [self.h, x], precision="double")
        self.ce = Node("SumElements", "ce", [weighted], precision="double")
        for node in (x, w, delay, product, total, self.h, weighted, self.ce):
            self.network.add(node)
        assert not validate(self.network).findings
        self.parameters = Parameters(self.network)
        self.environment = Environment(training=True)
        self.program = Program(self.network, [self.ce, self.h], self.parameters, self.environment, self.ce)

    def run(self, layout: MinibatchLayout, sequences: list[NDArray]) -> tuple[float, list[NDArray], NDArray]:
        """The criterion, the states of each sequence, the gradient of w."""
        minibatch = Minibatch({"x": packed(layout, sequences)}, {"x": layout}, layout.frames)
        (loss, h), (gradient,) = self.program.gradients(minibatch)
        assert gradient is not None
        return float(loss.detach()), unpacked(layout, h), gradient.numpy()

    def states(self, w: NDArray, sequence: NDArray) -> NDArray:
        """The formula. Tensors have reversed dims, so the product is `state @ w`."""
        h = np.empty_like(sequence)
        order = range(len(sequence)) if self.op == "PastValue" else reversed(range(len(sequence)))
        for t in order:
            at = t - self.distance if self.op == "PastValue" else t + self.distance
            before = h[at] if 0 <= at < len(sequence) else np.full(2, self.default)
            h[t] = np.tanh(sequence[t] + before @ w)
        return h

    def loss(self, w: NDArray, sequences: list[NDArray]) -> float:
        return sum(float((self.states(w, s) * s).sum()) for s in sequences)


def made(lengths: list[int]) -> list[NDArray]:
    generator = np.random.default_rng(sum(lengths))
    return [generator.uniform(-1, 1, (n, 2)) for n in lengths]


@settings(deadline=None)
@given(LENGTHS, st.sampled_from(["PastValue", "FutureValue"]), st.integers(1, 3))
def test_values_and_gradients(lengths: list[int], op: str, distance: int) -> None:
    elman, sequences = Elman(op, distance), made(lengths)
    loss, states, gradient = elman.run(MinibatchLayout.packed(lengths), sequences)
    for found, sequence in zip(states, sequences, strict=True):
        np.testing.assert_allclose(found, elman.states(W, sequence), rtol=1e-12, atol=1e-14)
    assert loss == pytest.approx(elman.loss(W, sequences), rel=1e-12)
    for i in range(2):
        for j in range(2):
            step = np.zeros((2, 2))
            step[i, j] = 1e-6
            wanted = (elman.loss(W + step, sequences) - elman.loss(W - step, sequences)) / 2e-6
            assert gradient[i, j] == pytest.approx(wanted, rel=1e-6, abs=1e-8)


def test_parts_of_a_sequence_give_the_states_of_the_whole() -> None:
    elman, (sequence,) = Elman("PastValue", 2), made([7])
    found: list[NDArray] = []
    for begin, end in ((0, 3), (3, 4), (4, 7)):
        layout = MinibatchLayout([0], [-begin], [7], 1, end - begin)
        found += elman.run(layout, [sequence[begin:end]])[1]
    np.testing.assert_allclose(np.concatenate(found), elman.states(W, sequence), rtol=1e-12)


def test_the_layouts_of_the_minibatch_are_back_after_a_loop() -> None:
    elman = Elman("PastValue")
    layout = MinibatchLayout.packed([2, 3])
    elman.run(layout, made([2, 3]))
    assert elman.environment.layouts[axis_of(elman.h)] is layout
    assert elman.environment.step is None


@pytest.mark.parametrize("op", ["PastValue", "FutureValue"])
def test_dropout_in_a_loop_draws_step_after_step(op: str) -> None:
    """The masks of a time step are those of the reference's matrix columns, gaps included."""
    from bstorch.kernels.noise import Dropout
    from bstorch.random import Generator

    network = Network("double")
    x = Node("InputValue", "x", attributes={"dims": (1,), "dynamicAxis": ""}, precision="double")
    delay = Node(op, "d", attributes={"shape": (1,), "defaultHiddenActivation": 0.0}, precision="double")
    total = Node("Plus", "s", [x, delay], precision="double")
    dropped = Node("Dropout", "o", [total], precision="double")
    delay.inputs.append(dropped)
    for node in (x, delay, total, dropped):
        network.add(node)
    network.groups["output"].append(dropped)
    assert not validate(network).findings
    environment = Environment(training=True)
    program = Program(network, [dropped], Parameters(network), environment)
    (kernel,) = [f for f in program.compiled.values() if isinstance(f, Dropout)]
    kernel.rate = 0.5
    kernel.seed(3)
    layout = MinibatchLayout.packed([1, 3, 1])
    (value,) = program.forward(Minibatch({"x": torch.ones(5, 1, dtype=torch.float64)}, {"x": layout}, 5))
    assert layout.width == 3 and layout.rows == 2
    drawn = Generator(3).uniform(6, 0.0, 1.0, "float64").reshape(3, 2)
    factors = np.where(drawn <= 0.5, 0.0, 2.0)
    if op == "FutureValue":
        factors = factors[::-1]
    wanted = []
    for row, begin, length in zip(layout.row, layout.begin, layout.length, strict=True):
        states, state = np.zeros(length), 0.0
        for t in range(length) if op == "PastValue" else reversed(range(length)):
            state = states[t] = factors[begin + t, row] * (1.0 + state)
        wanted.append(states.tolist())
    assert [v.ravel().tolist() for v in unpacked(layout, value)] == wanted


def test_a_sparse_input_that_a_loop_takes_as_it_is() -> None:
    network = Network("double")
    x = Node("SparseInputValue", "x", attributes={"dims": (2,), "dynamicAxis": ""}, precision="double")
    delay = Node("PastValue", "d", attributes={"shape": (2,), "defaultHiddenActivation": 0.0}, precision="double")
    total = Node("Plus", "s", [delay, x], precision="double")
    delay.inputs.append(total)
    for node in (x, delay, total):
        network.add(node)
    network.groups["output"].append(total)
    assert not validate(network).findings
    layout = MinibatchLayout.packed([3])
    frames = SparseBatch(torch.tensor([0, 1, 0]), torch.ones(3, dtype=torch.float64), torch.arange(4), 2)
    program = Program(network, [total], Parameters(network))
    (value,) = program.forward(Minibatch({"x": frames}, {"x": layout}, 3))
    assert value.tolist() == [[1, 0], [1, 1], [2, 1]]
