"""LSTM cells in loops: found, and the same as their nodes one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from test_kernels_delays import packed

from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.kernels.base import Environment
from bstorch.program import program as programs
from bstorch.program.layout import MinibatchLayout
from bstorch.program.lstm import CellFunction, find_cells
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

ORDERS = list(itertools.permutations(range(4)))


@pytest.mark.parametrize("parts", ORDERS[::5])
def test_gradient(parts: tuple[int, int, int, int]) -> None:
    z = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    before = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: CellFunction.apply(a, b, parts), (z, before))


class Lstm:
    """An LSTM of two cells written out by hand, whose parts stand in the order `parts` (f, i, g, o)."""

    def __init__(self, parts: tuple[int, ...] = (0, 1, 2, 3), *, keep_gate: bool = False) -> None:
        self.network = Network("double")
        generator = np.random.default_rng(1)
        made: list[Node] = []

        def add(op: str, name: str, *inputs: Node, **attributes: object) -> Node:
            node = Node(op, name, list(inputs), attributes, precision="double")
            made.append(node)
            return node

        def weights(name: str, columns: int) -> Node:
            node = add("LearnableParameter", name, dims=(8, columns))
            node.value = ArrayWeights(generator.uniform(-1, 1, (columns, 8)))
            return node

        x = add("InputValue", "x", dims=(3,), dynamicAxis="")
        last_h = add("PastValue", "last_h", shape=(0,), defaultHiddenActivation=0.1)
        last_c = add("PastValue", "last_c", shape=(0,), defaultHiddenActivation=0.1)
        z = add("Plus", "z", add("Times", "wx", weights("W", 3), x), add("Times", "rh", weights("R", 2), last_h))
        cuts = [add("Slice", f"z{k}", z, axis=1, beginIndex=2 * p, endIndex=2 * p + 2) for k, p in enumerate(parts)]
        f, i, o = (add("Sigmoid", n, cuts[k]) for n, k in (("f", 0), ("i", 1), ("o", 3)))
        g = add("Tanh", "g", cuts[2])
        self.c = add("Plus", "c", add("ElementTimes", "fc", f, last_c), add("ElementTimes", "ig", g, i))
        self.h = add("ElementTimes", "h", add("Tanh", "tc", self.c), o)
        last_h.inputs.append(self.h)
        last_c.inputs.append(self.c)
        self.ce = add("SumElements", "ce", add("ElementTimes", "hh", self.h, self.h))
        for node in made:
            self.network.add(node)
        self.roots = [self.ce, self.h, *([f] if keep_gate else [])]
        assert not validate(self.network).findings

    def run(self) -> list[torch.Tensor]:
        parameters = Parameters(self.network)
        program = Program(self.network, self.roots, parameters, Environment(training=True), self.ce)
        lengths = [4, 1, 3]
        layout = MinibatchLayout.packed(lengths)
        generator = np.random.default_rng(2)
        x = packed(layout, [generator.uniform(-1, 1, (n, 3)) for n in lengths])
        values, gradients = program.gradients(Minibatch({"x": x}, {"x": layout}, layout.frames))
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
    monkeypatch.setattr(programs, "find_cells", lambda *_: iter(()))
    for a, b in zip(fused, lstm.run(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_a_gate_that_is_asked_for_stays() -> None:
    assert len(Lstm(keep_gate=True).run()) == 5
