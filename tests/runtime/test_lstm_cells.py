"""LSTMs in loops: found, and the same as their nodes one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from test_kernels_delays import packed

from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.kernels.base import Environment
from bstorch.program import lowering, lstm_layer
from bstorch.program.layout import MinibatchLayout
from bstorch.program.lstm import find_cells
from bstorch.program.lstm_layer import FusedLSTM
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

ORDERS = list(itertools.permutations(range(4)))


class Lstm:
    """An LSTM of two cells written out by hand, whose parts stand in the order `parts` (f, i, g, o)."""

    def __init__(
        self,
        parts: tuple[int, ...] = (0, 1, 2, 3),
        *,
        keep_gate: bool = False,
        precision: str = "double",
        delay: str = "PastValue",
        initial: bool = False,
        inputs: int = 1,
        bias: bool = False,
    ) -> None:
        self.network = Network(precision)
        generator = np.random.default_rng(1)
        made: list[Node] = []

        def add(op: str, name: str, *inputs: Node, **attributes: object) -> Node:
            node = Node(op, name, list(inputs), attributes, precision=precision)
            made.append(node)
            return node

        def weights(name: str, *dims: int) -> Node:
            node = add("LearnableParameter", name, dims=dims)
            node.value = ArrayWeights(generator.uniform(-1, 1, dims[::-1]))
            return node

        x = add("InputValue", "x", dims=(3,), dynamicAxis="")
        last_h = add(delay, "last_h", shape=(0,), defaultHiddenActivation=0.1)
        last_c = add(delay, "last_c", shape=(0,), defaultHiddenActivation=0.2)
        z = add("Times", "wx", weights("W", 8, 3), x)
        for k in range(1, inputs):
            z = add("Plus", f"w{k}", z, add("Times", f"w{k}x", weights(f"V{k}", 8, 3), add("Tanh", f"x{k}", x)))
        z = add("Plus", "z", z, add("Times", "rh", weights("R", 8, 2), last_h))
        if bias:
            z = add("Plus", "zb", z, weights("b", 8))
        cuts = [add("Slice", f"z{k}", z, axis=1, beginIndex=2 * p, endIndex=2 * p + 2) for k, p in enumerate(parts)]
        f, i, o = (add("Sigmoid", n, cuts[k]) for n, k in (("f", 0), ("i", 1), ("o", 3)))
        g = add("Tanh", "g", cuts[2])
        self.c = add("Plus", "c", add("ElementTimes", "fc", f, last_c), add("ElementTimes", "ig", g, i))
        self.h = add("ElementTimes", "h", add("Tanh", "tc", self.c), o)
        last_h.inputs.append(self.h)
        last_c.inputs.append(self.c)
        if initial:
            last_h.inputs.append(weights("h0", 2))
            last_c.inputs.append(weights("c0", 2))
        self.ce = add("SumElements", "ce", add("ElementTimes", "hh", self.h, self.h))
        for node in made:
            self.network.add(node)
        self.roots = [self.ce, self.h, *([f] if keep_gate else [])]
        assert not validate(self.network).findings

    def program(self) -> Program:
        return Program(self.network, self.roots, Parameters(self.network), Environment(training=True), self.ce)

    def run(self, lengths: Sequence[int] = (4, 1, 3)) -> list[torch.Tensor]:
        """The values of the roots and the gradients."""
        layout = MinibatchLayout.packed(lengths)
        generator = np.random.default_rng(2)
        x = packed(layout, [generator.uniform(-1, 1, (n, 3)) for n in lengths])
        values, gradients = self.program().gradients(Minibatch({"x": x}, {"x": layout}, layout.frames))
        return [v.detach() for v in (*values, *gradients) if v is not None]


@pytest.mark.parametrize("parts", ORDERS[::7])
def test_the_same_as_its_nodes_one_by_one(parts: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    lstm = Lstm(parts)
    users: dict[Node, list[Node]] = {n: [] for n in lstm.network}
    for node in lstm.network:
        for source in node.inputs:
            users[source].append(node)
    (cell,) = find_cells(list(lstm.network), users, lstm.roots)
    assert cell.parts == parts and (cell.state, cell.hidden) == (lstm.c, lstm.h)
    fused = lstm.run()
    monkeypatch.setattr(lowering, "find_cells", lambda *_: iter(()))
    for a, b in zip(fused, lstm.run(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_a_gate_that_is_asked_for_stays() -> None:
    assert len(Lstm(keep_gate=True).run()) == 5


def stepwise(lstm: Lstm, lengths: Sequence[int], monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    with monkeypatch.context() as patch:
        patch.setattr(lowering, "find_layer", lambda *_: None)
        return lstm.run(lengths)


LENGTHS = [[1], [3, 3], [4, 1, 3], [5, 2, 2, 9, 1, 1], [40, 3, 2, 2, 1, 1, 1, 1]]


@pytest.mark.parametrize("call", [0, 10_000])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("delay", ["PastValue", "FutureValue"])
def test_a_whole_loop_is_a_layer(delay: str, lengths: list[int], call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut into rectangles wherever one is lower than the one before (a call costs nothing), or hardly ever."""
    monkeypatch.setattr(lstm_layer, "CALL", call)
    calls: list[object] = []
    fused = torch.lstm
    monkeypatch.setattr(torch, "lstm", lambda *a: calls.append(a) or fused(*a))
    lstm = Lstm(precision="float", delay=delay)
    found = lstm.run(lengths)
    assert len(calls) == (len(set(lengths)) if call == 0 else 1)
    for a, b in zip(found, stepwise(lstm, lengths, monkeypatch), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("delay", ["PastValue", "FutureValue"])
@pytest.mark.parametrize(
    "options", [{"initial": True}, {"inputs": 2}, {"bias": True}, {"inputs": 2, "bias": True}], ids=str
)
@pytest.mark.parametrize("parts", ORDERS[::7])
def test_initial_states_inputs_biases_and_orders(
    parts: tuple[int, ...], options: dict[str, bool | int], delay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lstm = Lstm(parts, precision="float", delay=delay, **options)  # type: ignore[arg-type]
    assert any(isinstance(f, FusedLSTM) for f, _, _ in lstm.program()._all)
    lengths = [2, 7, 7, 1, 4]
    for a, b in zip(lstm.run(lengths), stepwise(lstm, lengths, monkeypatch), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_a_gate_that_is_asked_for_makes_no_layer() -> None:
    lstm = Lstm(keep_gate=True, precision="float")
    assert not any(isinstance(f, FusedLSTM) for f, _, _ in lstm.program()._all)


def test_a_cut_sequence_keeps_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second part of a sequence goes on with the state of the first."""
    x = torch.randn(6, 3)
    whole, cut = MinibatchLayout([0], [0], [6], 1, 6), [MinibatchLayout([0], [b], [6], 1, 3) for b in (0, -3)]
    lstm = Lstm(precision="float")
    _, expected = lstm.program().forward(Minibatch({"x": x}, {"x": whole}, 6))
    program = lstm.program()
    parts = [program.forward(Minibatch({"x": x[3 * k : 3 * k + 3]}, {"x": part}, 3))[1] for k, part in enumerate(cut)]
    torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-5, atol=1e-5)
