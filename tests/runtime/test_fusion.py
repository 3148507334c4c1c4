"""What runs as one gives what its nodes give one by one: values and gradients of networks described in BrainScript."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from test_kernels_delays import packed

from bsls.network.network import Network
from bsls.project.project import Project
from bstorch.kernels.base import Environment, shape_of
from bstorch.program.attention import Attend
from bstorch.program.fusion import Fused
from bstorch.program.held import Held
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.program.recurrence import LoopProduct, Recurrence
from bstorch.readers.base import Minibatch

CONFIG = """
command = train ; precision = "double"
train = {
    action = "train" ; modelPath = "m"
    BrainScriptNetworkBuilder = {
        sourceAxis = DynamicAxis ()
        x = Input {3} ; y = Input {3, dynamicAxis = sourceAxis}
        NETWORK
        ce = ReduceSum (z .* Tanh (z)) ; criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 1 ; minibatchSize = 10 }
    reader = { readerType = "CNTKTextFormatReader" ; file = "d" ; input = { x = { dim = 3 ; format = "dense" } } }
}
"""
ATTENTION = """
    encoded = { h = RecurrentLSTMLayer {4} (y) ; dim = 4 }
    attend = BS.Seq2Seq.CreateAugmentWithFixedWindowAttentionHook (5, 3, x, encoded)
    cell = BS.RNNs.LSTMBlock {4}
    state = cell (x, before, aux = attend (x, before))
    before = BS.RNNs.PreviousHC (state)
    z = state.h
"""
GATED = """
    W (n) = ParameterTensor {(n:4), initValueScale = 10}
    Rh = W (4) ; Gh = W (4) ; Ch = W (4)
    z = g .* Tanh (x4 + r .* (Ch * last)) + (1 - g) .* last
    x4 = ParameterTensor {(4:3)} * x
    r = Sigmoid (x4 + Rh * last) ; g = Sigmoid (Gh * last + x4)
    last = PastValue (4, z)
"""


OWN_ATTENTION = """
    window = BS.Sequences.PastValueWindow (3, y) ; h (n) = ParameterTensor {(n:4), initValueScale = 10}
    over (n) = BS.Sequences.BroadcastSequenceAs (x, ParameterTensor {(n:3)} * window.value)
    keys = over (5) ; values = over (2)
    weights = Softmax (ParameterTensor {(1:5)} * Tanh (SCORED), axis = 2)
    c = Times (values .* weights, ParameterTensor {3}, outputRank = 1)
    z = Tanh (ParameterTensor {(4:2)} * c + ParameterTensor {(4:3)} * x) ; last = PastValue (4, z)
"""
"""Attention written out, without mask, whose weighted sum is weighted once more."""


def network(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    (folder / "c.cntk").write_text(CONFIG.replace("NETWORK", text))
    monkeypatch.chdir(folder)
    project = Project(["configFile=c.cntk"])
    evaluation = project.network(project.commands()[0])
    assert evaluation.network is not None
    return evaluation.network


def run(program: Program, lengths: list[int], others: list[int], seed: int = 1) -> list[torch.Tensor]:
    """Values of the roots and gradients, for sequences x of `lengths` and y of `others`."""
    generator = np.random.default_rng(seed)
    values, layouts = {}, {}
    for node in program.order:
        if node.is_input:
            axis = shape_of(node).axis
            assert axis is not None
            layout = MinibatchLayout.packed(others if node.name == "y" else lengths)
            layouts[node.name] = layout
            values[node.name] = packed(layout, [generator.uniform(-1, 1, (n, 3)) for n in layout.lengths])
    found, gradients = program.gradients(Minibatch(values, layouts, sum(lengths)))
    return [v.detach() for v in (*found, *gradients) if v is not None]


def programs(net: Network) -> tuple[Program, Program]:
    """With everything fused, and node by node (as all is looked at)."""
    roots = [*net.groups["criterion"], *net.groups["output"]]
    return tuple(
        Program(net, roots, Parameters(net), Environment(training=True, detect_anomaly=watch), roots[0])
        for watch in (False, True)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    "text",
    [
        "z = Softmax (ParameterTensor {(4:3)} * x, axis = 1)",
        "h = SplitDimension (ParameterTensor {(4:3)} * x, 1, 2) ; z = Softmax (h, axis = 2) .* h",
        "v = SplitDimension (ParameterTensor {(6:3)} * x, 1, 3) ; w = SplitDimension (ParameterTensor {(3:3)} * x, 1, 3)"
        " ; z = Times (v .* w, ParameterTensor {3}, outputRank = 1)",
        "v = SplitDimension (ParameterTensor {(6:3)} * x, 1, 3) ; w = SplitDimension (ParameterTensor {(3:3)} * x, 1, 3)"
        " ; z = ParameterTensor {(1:2)} * (v .* w)",
        "z = BS.Sequences.PastValueWindow (3, ParameterTensor {(2:3)} * x).value",
        "w = BS.Sequences.PastValueWindow (3, y) ; z = BS.Sequences.BroadcastSequenceAs (x, ParameterTensor {(2:3)} * w.value)",
        "h = BS.Sequences.BroadcastSequenceAs (x, BS.Sequences.Last (y)) ; z = PastValue (4, Tanh (ParameterTensor {(4:3)} * h + ParameterTensor {(4:4)} * z))",
        "z = BS.Boolean.If (Greater (Slice (0, 1, x), 0.2), ParameterTensor {(2:3)} * x, PastValue (2, z))",
        "z = BS.Boolean.If (Greater (Slice (0, 1, x), -2), ParameterTensor {(2:3)} * x, FutureValue (2, z))",
        "z = BS.Boolean.If (BS.Loop.IsLast (x), ParameterTensor {(2:3)} * x, FutureValue (2, z))",
        "h = NewReshape (ParameterTensor {(32:3)} * x, (4:4:2)) ; z = ReLU (ConvolutionalLayer {3, (3:3), pad = true} (h))",
        "h = NewReshape (ParameterTensor {(32:3)} * x, (4:4:2)) ; z = ReLU (ConvolutionalLayer {1, (3:3), bias = false} (h) + ParameterTensor {(1:1:1)})",
        "z = ReLU (ParameterTensor {(4:3)} * x + ParameterTensor {4}) .* ReLU (BatchNormalizationLayer {normalizationTimeConstant = 10} (ParameterTensor {(4:3)} * x))",
        GATED,
        ATTENTION,
        OWN_ATTENTION.replace("SCORED", "keys + h (5) * last"),
        OWN_ATTENTION.replace("SCORED", "keys + ParameterTensor {(5:3)} * x"),
    ],
)
@pytest.mark.parametrize("lengths", [[1], [4, 2, 5], [3, 3, 1]], ids=str)
def test_as_node_by_node(text: str, lengths: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fused, plain = programs(network(text, tmp_path, monkeypatch))
    assert fused.lowered.fused or fused.lowered.held or any(isinstance(f, Recurrence) for f, _, _ in fused._all)
    assert not plain.lowered.fused and not plain.lowered.held
    others = [n + 1 for n in reversed(lengths)]
    for a, b in zip(run(fused, lengths, others), run(plain, lengths, others), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_an_attention_loop_holds_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What attention looks at is kept once for each sequence, and the loop has few steps."""
    fused, _ = programs(network(ATTENTION, tmp_path, monkeypatch))
    run(fused, [4, 2, 5], [3, 3, 3])
    held = {n.name.split(".")[-2] + "." + n.name.split(".")[-1] for n in fused.lowered.held if n.op == "If"}
    assert held == {"value.out", "projectedValue.out", "valid.out"}
    windows = [n for n, f in fused.lowered.fused.items() if isinstance(f, Fused) and n.op == "RowStack"]
    assert len(windows) == 2
    (loop,) = (f for f, _, _ in fused._all if isinstance(f, Recurrence))
    assert len([f for f, _, _ in loop._steps if isinstance(f, Attend)]) == 1
    assert len([f for f, _, _ in loop._steps if isinstance(f, LoopProduct)]) == 2


@pytest.mark.parametrize("scored", ["keys + h (5) * last", "keys + ParameterTensor {(5:3)} * x"])
def test_attention_is_found_in_loops_and_outside(scored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fused, _ = programs(network(OWN_ATTENTION.replace("SCORED", scored), tmp_path, monkeypatch))
    assert any(isinstance(f.forward, Attend) for f in fused.lowered.fused.values())


def test_a_product_with_zero_hands_no_gradient_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be zero anyway."""
    text = "h = ParameterTensor {(4:3)} * x ; z = (h .* Constant (0)) + ParameterTensor {4}"
    for program in programs(network(text, tmp_path, monkeypatch)):
        assert [n.shape.dims for n in program.learnable if n.shape] == [(4, 3), (4,)]
        criterion, z, of_bias = run(program, [2, 3], [1, 1])
        assert (z == z[0]).all() and of_bias.shape == (4,) and of_bias.any() and len(criterion) == 5


def test_nodes_that_compute_the_same_are_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        over (v) = BS.Sequences.BroadcastSequenceAs (x, v)
        z = ParameterTensor {(4:3)} * (over (BS.Sequences.Last (y)) + over (BS.Sequences.First (y)))
    """
    fused, plain = programs(network(text, tmp_path, monkeypatch))
    counts = [[n.op for n, _ in p.lowered.steps].count("Where") for p in (fused, plain)]
    assert counts == [3, 4]


def test_rows_of_the_sequences_are_taken_without_copies() -> None:
    layout = MinibatchLayout.packed([2, 4, 1])
    rows = np.arange(layout.frames) - layout.step_starts[layout.frame_time]
    data = torch.randn(5, 2)
    order = np.array([3, 0, 4])  # of the longest sequence, the next, the shortest
    held = Held.of(data, order[rows], layout)
    pieces = held.split(layout.batch_sizes.tolist())
    assert [len(p) for p in pieces] == [3, 2, 1, 1]
    assert {p.untyped_storage().data_ptr() for p in pieces} == {held.data.untyped_storage().data_ptr()}
    torch.testing.assert_close(torch.cat(pieces), data[order[rows]])
    torch.testing.assert_close(held.dense(), data[order[rows]])


def test_rows_in_any_order_are_picked() -> None:
    layout = MinibatchLayout.packed([2, 3])
    index = np.array([0, 1, 1, 0, 2])
    data = torch.randn(3, 2)
    held = Held.of(data, index, layout)
    torch.testing.assert_close(torch.cat(held.split(layout.batch_sizes.tolist())), data[index])
