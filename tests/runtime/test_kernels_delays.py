"""PastValue and FutureValue outside of loops: borders, initial states, parts of sequences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import Operand, compiled, make_node, p, x
from numpy.typing import NDArray

from bstorch.kernels.base import Environment, axis_of
from bstorch.kernels.delays import Delay
from bstorch.program.layout import MinibatchLayout

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=5)


def packed(layout: MinibatchLayout, sequences: list[NDArray]) -> torch.Tensor:
    """The sequences' frames in packed order."""
    rows = np.concatenate(sequences)
    found = np.empty_like(rows)
    found[layout.by_sequence.numpy()] = rows
    return torch.tensor(found)


def unpacked(layout: MinibatchLayout, value: torch.Tensor) -> list[NDArray]:
    rows = value.detach().numpy()[layout.by_sequence.numpy()]
    return np.split(rows, np.cumsum(layout.lengths)[:-1])


def shifted(sequence: NDArray, offset: int, border: object) -> NDArray:
    """The frames `offset` away, `border` outside."""
    result = np.empty_like(sequence)
    for t in range(len(sequence)):
        result[t] = sequence[t + offset] if 0 <= t + offset < len(sequence) else border
    return result


@given(LENGTHS, st.integers(1, 4), st.sampled_from(["PastValue", "FutureValue"]), st.booleans())
def test_shift(lengths: list[int], distance: int, op: str, trained: bool) -> None:
    operands: list[Operand] = [x(2), p(2)] if trained else [x(2)]
    node = make_node(op, operands, {"shape": (2,), "timeStep": distance, "defaultHiddenActivation": 0.25})
    layout = MinibatchLayout.packed(lengths)
    forward = compiled(node, layout=layout)
    generator = np.random.default_rng(1)
    sequences = [generator.uniform(-1, 1, (n, 2)) for n in lengths]
    border = np.array([3.0, -4.0]) if trained else 0.25
    inputs = [packed(layout, sequences), *([torch.tensor(border)] if trained else [])]
    offset = -distance if op == "PastValue" else distance
    for found, sequence in zip(unpacked(layout, forward(*inputs)), sequences, strict=True):
        np.testing.assert_array_equal(found, shifted(sequence, offset, border))
    for tensor in inputs:
        tensor.requires_grad_(True)
    assert torch.autograd.gradcheck(forward, inputs)


@pytest.mark.parametrize(("op", "there", "wanted"), [
    ("PastValue", [3, 2], [[5, 6, 0], [7, 8]]),
    ("PastValue", [1, 1], [[4, 4, 0], [5, 5]]),
    ("FutureValue", [3, 2], [[2, 4, 5], [7, 8]]),
    ("FutureValue", [1, 1], [[2, 4, 4], [5, 5]]),
])  # fmt: skip
def test_an_initial_state_with_frames(op: str, there: list[int], wanted: list[list[float]]) -> None:
    from bsls.network.network import Network
    from bsls.network.node import Node
    from bsls.network.validation import validate

    network = Network("double")
    axis = Node("DynamicAxis", "states", precision="double")
    a = Node("InputValue", "a", attributes={"dims": (1,), "dynamicAxis": ""}, precision="double")
    b = Node("InputValue", "b", attributes={"dims": (1,), "dynamicAxis": "states"}, precision="double")
    node = Node(op, "d", [a, b], {"shape": (1,), "timeStep": 2, "defaultHiddenActivation": 0.0}, precision="double")
    for n in (axis, a, b, node):
        network.add(n)
    assert not validate(network).findings
    environment = Environment()
    layout, states = MinibatchLayout.packed([3, 2]), MinibatchLayout.packed(there)
    environment.layouts.update({axis_of(a): layout, axis_of(b): states})
    x = packed(layout, [np.array([[0.0], [1.0], [2.0]]), np.array([[10.0], [11.0]])])
    flat = np.arange(4.0, 4.0 + sum(there))[:, None]
    initial = packed(states, np.split(flat, np.cumsum(there)[:-1]))
    found = Delay(node, environment)(x, initial)
    assert [v.ravel().tolist() for v in unpacked(layout, found)] == wanted


def test_a_sequence_that_goes_on_finds_what_the_minibatch_before_has_left() -> None:
    node = make_node("PastValue", [x(1)], {"shape": (1,), "timeStep": 2, "defaultHiddenActivation": -1.0})
    forward = compiled(node)
    assert isinstance(forward, Delay)
    sequence = np.arange(7.0)[:, None]
    found: list[float] = []
    for begin, end in ((0, 3), (3, 4), (4, 7)):  # the second part is shorter than the step
        layout = MinibatchLayout([0], [-begin], [7], 1, end - begin)
        forward._environment.layouts[axis_of(node)] = layout
        found += forward(torch.tensor(sequence[begin:end])).ravel().tolist()
    assert found == [-1, -1, 0, 1, 2, 3, 4]


def test_rows_of_parts_are_kept_apart() -> None:
    node = make_node("PastValue", [x(1)], {"shape": (1,), "timeStep": 1, "defaultHiddenActivation": -1.0})
    forward = compiled(node)
    assert isinstance(forward, Delay)
    first = MinibatchLayout([0, 1], [0, 0], [4, 3], 2, 2)
    second = MinibatchLayout([0, 1, 1], [-2, -2, 1], [4, 3, 1], 2, 2)
    forward._environment.layouts[axis_of(node)] = first
    forward(packed(first, [np.array([[1.0], [2.0]]), np.array([[5.0], [6.0]])]))
    forward._environment.layouts[axis_of(node)] = second
    value = forward(packed(second, [np.array([[3.0], [4.0]]), np.array([[7.0]]), np.array([[9.0]])]))
    assert [v.ravel().tolist() for v in unpacked(second, value)] == [[2, 3], [6], [-1]]


def test_behind_the_end_of_a_minibatch_there_is_zero() -> None:
    node = make_node("FutureValue", [x(1)], {"shape": (1,), "timeStep": 1, "defaultHiddenActivation": -1.0})
    layout = MinibatchLayout([0, 1], [0, 0], [4, 2], 2, 2)
    value = compiled(node, layout=layout)(packed(layout, [np.array([[1.0], [2.0]]), np.array([[5.0], [6.0]])]))
    assert [v.ravel().tolist() for v in unpacked(layout, value)] == [[2, 0], [6, -1]]
