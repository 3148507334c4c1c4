"""Operations that pick, place and re-label frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from test_kernels_delays import packed, unpacked

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch import kernels
from bstorch.kernels.base import Environment, axis_of, reversed_dims
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch


def source(name: str, dims: tuple[int, ...], axis: str = "") -> Node:
    return Node("InputValue", name, attributes={"dims": dims, "dynamicAxis": axis}, precision="double")


def op(kind: str, name: str, *inputs: Node, **attributes: object) -> Node:
    return Node(kind, name, list(inputs), attributes, precision="double")


class Run:
    """A small network on given sequences; `value` gives those of a node in reading order."""

    def __init__(self, nodes: list[Node], roots: list[Node], **sequences: list[list[object]]) -> None:
        network = Network("double")
        for node in nodes:
            network.add(node)
        assert not validate(network).findings
        self.environment = Environment()
        self.program = Program(network, roots, Parameters(network), self.environment)
        layouts = {name: MinibatchLayout.packed([len(s) for s in value]) for name, value in sequences.items()}
        values = {
            n: packed(layouts[n], [np.asarray(s, np.float64).reshape(len(s), -1) for s in v])
            for n, v in sequences.items()
        }
        samples = next(iter(layouts.values())).frames
        self.values = dict(zip(roots, self.program.forward(Minibatch(dict(values), layouts, samples)), strict=True))

    def value(self, node: Node) -> list[list[float]]:
        layout = self.environment.layouts[axis_of(node)]
        return [s.ravel().tolist() for s in unpacked(layout, self.values[node])]


@pytest.mark.parametrize(("counts", "frames"), [
    ([1, 0, 1], [0, 2]),
    ([2, 0, 1], [0, 0, 2]),
    ([0.5, 0.5, 0.5, 0.5], [0, 2]),
    ([0, 0.25, 0.25], [1]),
    ([1 / 3] * 6, [0, 3]),
    ([0, 0], []),
])  # fmt: skip
def test_where(counts: list[float], frames: list[int]) -> None:
    c = source("c", (1,))
    where = op("Where", "w", c)
    run = Run([c, where], [where], c=[[1], counts])
    assert run.value(where) == [[0], frames]


@pytest.mark.parametrize("conditions", [[[0]], [[0], [0, 0]]])
def test_nothing_is_picked(conditions: list[list[object]]) -> None:
    x, c = source("x", (1,)), source("c", (1,))
    index = op("PackedIndex", "i", x, where := op("Where", "w", c))
    picked, spread = op("GatherPacked", "g", index, x), op("PackedIndex", "i2", c, where)
    spread = op("ScatterPacked", "s", c, spread, picked)
    run = Run([x, c, where, index, picked, spread.inputs[1], spread], [picked, spread], x=conditions, c=conditions)
    assert run.value(picked) == [[] for _ in conditions]
    assert run.value(spread) == conditions


def test_gather_and_scatter() -> None:
    x, c = source("x", (2,)), source("c", (1,))
    where = op("Where", "w", c)
    index = op("PackedIndex", "i", x, where)
    picked = op("GatherPacked", "g", index, x)
    spread = op("ScatterPacked", "s", c, op("PackedIndex", "i2", c, where), picked)
    nodes = [x, c, where, index, picked, spread.inputs[1], spread]
    run = Run(
        nodes, [picked, spread, index], x=[[[1, 2], [3, 4], [5, 6]], [[7, 8]], [[9, 10]]], c=[[0, 1, 1], [0], [1]]
    )
    assert run.value(picked) == [[3, 4, 5, 6], [], [9, 10]]
    assert run.value(spread) == [[0, 0, 3, 4, 5, 6], [0, 0], [9, 10]]
    # The sequences of one frame share a row: the columns are those of the reference's matrix.
    assert run.value(index) == [[2, 4], [], [3]]


def test_an_index_outside_of_the_sequence() -> None:
    x, c = source("x", (1,)), source("c", (1,))
    index = op("PackedIndex", "i", x, c)
    with pytest.raises(BsError, match="points to frames that a sequence of 'x' does not have"):
        Run([x, c, index], [index], x=[[1, 2]], c=[[0, 2]])


def test_reconcile_repeats_a_single_frame() -> None:
    axis, x, y = op("DynamicAxis", "other"), source("x", (1,), "other"), source("y", (1,))
    same = op("ReconcileDynamicAxis", "r", x, y)
    run = Run([axis, x, y, same], [same], x=[[1], [2]], y=[[0, 0], [0, 0, 0]])
    assert run.value(same) == [[1, 1], [2, 2, 2]]
    with pytest.raises(BsError, match="other lengths"):
        Run([axis, x, y, same], [same], x=[[1, 1], [2]], y=[[0, 0], [0, 0, 0]])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_sums_of_sequences(lengths: list[int]) -> None:
    x = source("x", (1,))
    total = op("ReduceElements", "t", x, axis=-2, reductionOp="Sum")
    run = Run([x, total], [total], x=[list(range(n)) for n in lengths])
    assert run.value(total) == [[sum(range(n))] for n in lengths]


def test_products_summed_over_sequences() -> None:
    a, x = source("a", (2, 1)), source("x", (1,))
    total = op("Times", "t", a, x, outputRank=1, inferInputRankToMap=-2)
    run = Run([a, x, total], [total], a=[[[1, 2], [3, 4]], [[5, 6]]], x=[[10, 100], [1000]])
    assert run.value(total) == [[310, 420], [5000, 6000]]


def test_frames_to_an_axis_and_back() -> None:
    x = source("x", (2,))
    full = op("UnpackSequence", "u", x, paddingValue=-1.0)
    back = op("ToSequenceLike", "b", full, x)
    run = Run([x, full, back], [full, back], x=[[[1, 2]], [[3, 4], [5, 6]]])
    assert run.value(full) == [[1, 2, -1, -1], [3, 4, 5, 6]]
    assert run.value(back) == [[1, 2], [3, 4, 5, 6]]


def test_an_axis_as_frames() -> None:
    """[2 x 3 *]: three frames of 2 elements in each sample, or as many as are asked for."""
    x, n = source("x", (2, 3)), source("n", (1,))
    frames = op("ToSequence", "s", x, n, dynamicAxisName="new")
    values = [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]], [[0, 0]] * 3]
    run = Run([x, n, frames], [frames], x=[[v] for v in values], n=[[2], [3], [0]])
    assert run.value(frames) == [[1, 2, 3, 4], [7, 8, 9, 10, 11, 12], []]


@pytest.mark.parametrize(("kind", "more"), [
    ("ReconcileDynamicAxis", {}), ("UnpackSequence", {"paddingValue": -1.0}), ("ToSequenceLike", {}),
    ("ToSequence", {"dynamicAxisName": "new"}), ("ToBatchAxisNode", {}), ("UnpackBatchAxis", {}), ("ScatterPacked", {}),
])  # fmt: skip
def test_derivatives(kind: str, more: dict[str, object]) -> None:
    axis, x, cells = op("DynamicAxis", "other"), source("x", (2,)), source("cells", (2, 3), "other")
    once, constant = source("once", (2,), "other"), op("LearnableParameter", "p", dims=(2, 4))
    index = op("PackedIndex", "i", x, op("Where", "w", x_mark := source("mark", (1,))))
    inputs = {
        "ReconcileDynamicAxis": [once, x], "UnpackSequence": [x], "ToSequenceLike": [cells, x], "ToSequence": [cells],
        "ToBatchAxisNode": [constant], "UnpackBatchAxis": [x], "ScatterPacked": [x, index, x],
    }[kind]  # fmt: skip
    node = op(kind, "node", *inputs, **more)
    network = Network("double")
    for each in (axis, x, cells, once, constant, x_mark, index.inputs[1], index, node):
        network.add(each)
    assert not validate(network).findings
    environment = Environment()
    environment.layouts[axis_of(x)] = MinibatchLayout.packed([1, 3])
    environment.layouts[axis_of(once)] = MinibatchLayout.packed([1, 1])
    forward = kernels.KERNELS[kind].build(node, environment)
    if kind == "ScatterPacked":
        places = torch.tensor([[3.0], [1]])
        given, moved = torch.rand(2, 2, dtype=torch.float64), lambda v: forward(v, places, v)
    else:
        frames = {x: 4, cells: 2, once: 2}
        shape = (*((frames[inputs[0]],) if inputs[0] in frames else ()), *reversed_dims(inputs[0]))
        given = torch.rand(shape, dtype=torch.float64)
        moved = (lambda v: forward(v, v)) if len(inputs) > 1 else forward
    assert torch.autograd.gradcheck(moved, [given.requires_grad_(True)])


def test_gradients_flow_back_to_the_frames() -> None:
    environment = Environment()
    x, c = source("x", (2,)), source("c", (1,))
    where = op("Where", "w", c)
    index = op("PackedIndex", "i", x, where)
    picked, spread = op("GatherPacked", "g", index, x), op("ScatterPacked", "s", c, index, x)
    network = Network("double")
    for node in (x, c, where, index, picked, spread):
        network.add(node)
    assert not validate(network).findings
    from bstorch.kernels import get

    layout = MinibatchLayout.packed([3, 2])
    environment.layouts[axis_of(x)] = layout
    kernels = {n: k.build(n, environment) for n in (where, index, picked) if (k := get(n.op)) is not None}
    condition = packed(layout, [np.array([[1.0], [0], [2]]), np.array([[1.0], [1]])])
    places = kernels[index](condition, kernels[where](condition))
    values = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: kernels[picked](places, v), [values])
