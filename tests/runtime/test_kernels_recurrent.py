"""Stacks of recurrent layers against the formulas of their cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import check, compiled, make_node, p, x
from numpy.typing import NDArray
from test_kernels_delays import LENGTHS, packed, unpacked

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bsls.schema.ops.recurrent import GATES, weight_count
from bstorch.kernels.base import axis_of
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

CELLS = st.sampled_from(sorted(GATES))
INPUTS, HIDDEN = 3, 2


def sigmoid(a: NDArray) -> NDArray:
    return 1 / (1 + np.exp(-a))


def lstm(wx: NDArray, rh: NDArray, h: NDArray, c: NDArray) -> tuple[NDArray, NDArray]:
    i, f, g, o = np.split(wx + rh, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(wx: NDArray, rh: NDArray, h: NDArray, c: NDArray) -> tuple[NDArray, NDArray]:
    (xr, xz, xn), (hr, hz, hn) = np.split(wx, 3), np.split(rh, 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return (1 - z) * np.tanh(xn + r * hn) + z * h, c


STEPS: dict[str, Callable[[NDArray, NDArray, NDArray, NDArray], tuple[NDArray, NDArray]]] = {
    "lstm": lstm,
    "gru": gru,
    "rnnReLU": lambda wx, rh, h, c: (np.maximum(wx + rh, 0), c),
    "rnnTanh": lambda wx, rh, h, c: (np.tanh(wx + rh), c),
}


def stack(weights: NDArray, sequence: NDArray, cell: str, layers: int, directions: int) -> NDArray:
    """The last layer's states for one sequence, (steps, inputs)."""
    rows, count = GATES[cell] * HIDDEN, layers * directions
    biases = weights[len(weights) - 2 * rows * count :].reshape(count, 2, rows)
    taken = 0

    def matrix(columns: int) -> NDArray:
        nonlocal taken
        found = weights[taken : taken + rows * columns].reshape(rows, columns)
        taken += rows * columns
        return found

    values = sequence
    for layer in range(layers):
        states = np.zeros((len(values), directions * HIDDEN))
        for direction in range(directions):
            w, r = matrix(values.shape[1]), matrix(HIDDEN)
            b, d = biases[layer * directions + direction]
            h = c = np.zeros(HIDDEN)
            for t in range(len(values)) if direction == 0 else reversed(range(len(values))):
                h, c = STEPS[cell](w @ values[t] + b, r @ h + d, h, c)
                states[t, direction * HIDDEN : (direction + 1) * HIDDEN] = h
        values = states
    assert taken == len(weights) - biases.size
    return values


def options(cell: str, layers: int = 1, directions: int = 1, axis: int = -1) -> dict[str, object]:
    return {
        "recurrentOp": cell, "hiddenDims": HIDDEN, "numLayers": layers, "bidirectional": directions == 2, "axis": axis
    }  # fmt: skip


def weights_for(cell: str, layers: int, directions: int) -> tuple[int, int]:
    return HIDDEN, weight_count(cell, INPUTS, HIDDEN, layers, directions) // HIDDEN


@settings(deadline=None)
@given(LENGTHS, CELLS, st.integers(1, 3), st.integers(1, 2))
def test_sequences(lengths: list[int], cell: str, layers: int, directions: int) -> None:
    shape = weights_for(cell, layers, directions)
    layout = MinibatchLayout.packed(lengths)
    forward = compiled(
        make_node("OptimizedRNNStack", [p(*shape), x(INPUTS)], options(cell, layers, directions)), layout=layout
    )
    generator = np.random.default_rng(1)
    weights = generator.uniform(-1, 1, shape[::-1])
    sequences = [generator.uniform(-2, 2, (n, INPUTS)) for n in lengths]
    value = forward(torch.tensor(weights), packed(layout, sequences))
    assert tuple(value.shape) == (layout.frames, directions * HIDDEN)
    for found, sequence in zip(unpacked(layout, value), sequences, strict=True):
        np.testing.assert_allclose(
            found, stack(weights.ravel(), sequence, cell, layers, directions), rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("cell", sorted(GATES))
@pytest.mark.parametrize(("layers", "directions"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_gradients(cell: str, layers: int, directions: int) -> None:
    shape = weights_for(cell, layers, directions)
    layout = MinibatchLayout.packed([2, 3, 1])
    forward = compiled(
        make_node("OptimizedRNNStack", [p(*shape), x(INPUTS)], options(cell, layers, directions)), layout=layout
    )
    torch.manual_seed(1)
    weights = torch.randn(shape[::-1], dtype=torch.float64, requires_grad=True)
    frames = torch.randn(layout.frames, INPUTS, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(forward, [weights, frames])


@pytest.mark.parametrize("cell", sorted(GATES))
def test_along_the_second_axis_of_each_frame(cell: str) -> None:
    shape = weights_for(cell, 2, 2)

    def expected(weights: NDArray, frames: NDArray) -> NDArray:
        return np.stack([stack(weights.ravel(), frame, cell, 2, 2) for frame in frames])

    check("OptimizedRNNStack", [p(*shape), x(INPUTS, 4)], expected, options(cell, 2, 2, axis=2))


def test_one_element() -> None:
    layout = MinibatchLayout.packed([1])
    node = make_node("OptimizedRNNStack", [p(1, 4), x(1)], {**options("rnnTanh"), "hiddenDims": 1})
    value = compiled(node, layout=layout)(torch.tensor([[2.0], [5], [0.25], [-0.5]]), torch.tensor([[0.5]]))
    assert value.item() == pytest.approx(np.tanh(2 * 0.5 + 0.25 - 0.5))


@pytest.mark.parametrize("axis", [-1, 2])
def test_without_frames(axis: int) -> None:
    shape = weights_for("lstm", 1, 2)
    dims = (INPUTS, 4) if axis == 2 else (INPUTS,)
    node = make_node("OptimizedRNNStack", [p(*shape), x(*dims)], options("lstm", 1, 2, axis))
    forward = compiled(node, layout=MinibatchLayout.packed([]))
    weights = torch.ones(shape[::-1], requires_grad=True)
    value = forward(weights, torch.zeros(0, *dims[::-1]))
    assert tuple(value.shape) == (0, *dims[:0:-1], 2 * HIDDEN)
    (gradient,) = torch.autograd.grad(value.sum(), weights)
    assert not gradient.any()


def test_parts_of_sequences() -> None:
    node = make_node("OptimizedRNNStack", [p(2, 7), x(INPUTS)], options("rnnTanh"))
    forward = compiled(node)
    layouts = forward._environment.layouts  # type: ignore[attr-defined]
    weights, frames = torch.ones(7, 2), torch.ones(2, INPUTS)
    layouts[axis_of(node)] = MinibatchLayout([0], [0], [4], 1, 2)
    assert len(forward(weights, frames)) == 2
    layouts[axis_of(node)] = MinibatchLayout([0], [-2], [4], 1, 2)
    with pytest.raises(BsError, match="'node' is a stack of recurrent layers, which needs whole sequences"):
        forward(weights, frames)


def gradient(order: Sequence[str]) -> list[float]:
    """Of w in u = w .* x, after a sum of what `order` makes of u: 'over' is a stack along its second axis."""
    w = Node("LearnableParameter", "w", attributes={"dims": (1, 2)}, value=ArrayWeights(np.ones((2, 1), np.float32)))
    source = Node("InputValue", "x", attributes={"dims": (1, 2), "dynamicAxis": ""})
    u = Node("ElementTimes", "u", [w, source])
    weights = Node("LearnableParameter", "k", attributes={"dims": (1, 4), "learningRateMultiplier": 0},
                   value=ArrayWeights(np.array([[2], [0], [0], [0]], np.float32)))  # fmt: skip
    nodes = [w, source, u, weights]
    total: Node | None = None
    for name in order:
        if name == "over":
            attributes = {**options("rnnReLU", axis=2), "hiddenDims": 1}
            nodes.append(Node("OptimizedRNNStack", name, [weights, u], attributes))
        else:
            nodes.append(Node("Negate", name, [u]))
        part = Node("ReduceElements", "sum " + name, [nodes[-1]], {"reductionOp": "Sum", "axis": 0})
        nodes.append(part)
        if total is not None:
            nodes.append(Node("Plus", "plus " + name, [total, part]))
        total = nodes[-1]
    assert total is not None
    network = Network()
    for node in nodes:
        network.add(node)
    assert not validate(network).findings
    program = Program(network, [total], Parameters(network), criterion=total)
    minibatch = Minibatch({"x": torch.ones(3, 2)}, {"x": MinibatchLayout.of_frames(3)}, 3)
    _, (found,) = program.gradients(minibatch)
    assert found is not None
    return found.flatten().tolist()


def test_along_the_second_axis_the_gradient_is_set_rather_than_added() -> None:
    assert gradient(["over"]) == [6, 6]
    assert gradient(["over", "behind"]) == [6, 6]
    assert gradient(["before", "over", "behind"]) == [3, 3]
