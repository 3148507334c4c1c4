"""`recomputeActivations`: the same numbers as without, for less memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_networks import NETWORKS, Ready
from test_training_runs import CONFIG, finished, folder, run

from bstorch.program.checkpointing import Segment
from bstorch.program.layout import MinibatchLayout
from bstorch.program.recurrence import Recurrence

__all__ = ["folder"]

LENGTHS = [[1], [4, 2, 5], [3, 3, 1, 6]]


def both(text: str, **settings: object) -> tuple[Ready, Ready]:
    return Ready(text, **settings), Ready(text, recompute=True, **settings)  # type: ignore[arg-type]


def same(plain: Ready, recomputed: Ready, lengths: list[int], seed: int) -> None:
    minibatch = plain.minibatch(lengths, seed)
    for a, b in zip(plain.step(minibatch), recomputed.step(minibatch), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def kept(ready: Ready, lengths: list[int]) -> int:
    """The bytes that autograd keeps for the way back, without parameters and what the minibatch holds."""
    minibatch = ready.minibatch(lengths)
    there = [*minibatch.values.values(), *(ready.parameters[n] for n in ready.parameters)]
    known = {t.untyped_storage().data_ptr() for t in there if isinstance(t, torch.Tensor)}
    alive: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.layout is torch.strided and (storage := tensor.untyped_storage()).data_ptr() not in known:
            alive[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        ready.program.gradients(minibatch)
    return sum(alive.values())


@pytest.mark.parametrize("fast_random", [False, True])
@pytest.mark.parametrize("text", NETWORKS)
def test_the_same_numbers(text: str, fast_random: bool) -> None:
    plain, recomputed = both(text, fast_random=fast_random)
    assert plain.program.segments == 0
    for seed, lengths in enumerate(LENGTHS):  # random numbers and running statistics go on from one to the next
        same(plain, recomputed, lengths, seed)


CHAIN = (
    "z = Sequential (LayerStack {12, _ => Sequential (DenseLayer {16} : Tanh : DenseLayer {16} : Sigmoid)} : LinearLayer {4}) (x)"
    " ; ce = CrossEntropyWithSoftmax (label, z)"
)


def test_a_long_chain_keeps_much_less() -> None:
    plain, recomputed = both(CHAIN)
    assert recomputed.program.segments > 3
    same(plain, recomputed, [40] * 50, 1)
    assert kept(recomputed, [40] * 50) < kept(plain, [40] * 50) / 2


LOOPS = """
    h (v) = { s = Tanh (ParameterTensor {(4:4)} * v + ParameterTensor {(4:4)} * Sigmoid (PastValue (4, s))) }.s
    z = h (h (h (h (ParameterTensor {(4:3)} * x)))) ; ce = CrossEntropyWithSoftmax (label, z)
"""


@pytest.mark.parametrize("text", ["convolution", LOOPS, "attention"])
def test_other_networks_keep_less(text: str) -> None:
    plain, recomputed = both(text)
    lengths = [1] * 64 if text == "convolution" else [9, 5, 30]
    assert recomputed.program.segments > 0
    assert kept(recomputed, lengths) < 0.8 * kept(plain, lengths)


def test_dropout_masks_come_again() -> None:
    text = CHAIN.replace("Sigmoid)", "Dropout)")
    plain, recomputed = both(text)
    assert any(s._random for s in segments(recomputed))
    for seed in range(3):
        same(plain, recomputed, [7, 3], seed)
    assert kept(recomputed, [40] * 50) < kept(plain, [40] * 50) / 2


def segments(ready: Ready) -> list[Segment]:
    return [f for f, _, _ in ready.program._graded if isinstance(f, Segment)]


@pytest.mark.parametrize("blend", [0.0, 5.0, float("inf")])
def test_running_statistics_move_once(blend: float) -> None:
    text = "z = Sequential (LayerStack {6, _ => Sequential (DenseLayer {4} : BatchNormalizationLayer {normalizationTimeConstant = 10} : Tanh)} : LinearLayer {4}) (x) ; ce = CrossEntropyWithSoftmax (label, z)"
    plain, recomputed = both(text)
    for ready in (plain, recomputed):
        for node in ready.program.order:
            if node.op == "BatchNormalization":
                node.attributes["blendTimeConstant"] = blend
    assert any(s._changed for s in segments(recomputed))
    for seed in range(3):
        same(plain, recomputed, [5, 2], seed)


def test_a_trace_happens_once() -> None:
    said: list[str] = []
    text = """
        layer (v) = Tanh (ParameterTensor {(4:4)} * v) ; a = layer (layer (layer (ParameterTensor {(4:3)} * x)))
        z = layer (layer (layer (Trace (a, say = "here")))) ; ce = CrossEntropyWithSoftmax (label, z)
    """
    ready = Ready(text, recompute=True, say=said.append)
    assert ready.program.segments > 1
    ready.step(ready.minibatch([2]))
    assert sum("here" in line for line in said) == 1


def test_nothing_is_computed_again_where_sequences_go_on() -> None:
    text = "a = Tanh (ParameterTensor {(4:3)} * x + ParameterTensor {(4:4)} * PastValue (4, a)) ; z = LayerStack {6, _ => DenseLayer {4, activation = Sigmoid}} (a) ; ce = CrossEntropyWithSoftmax (label, z)"
    plain, recomputed = both(text)
    first = plain.minibatch([3, 3])
    parts = [
        MinibatchLayout([0, 1], [0, 0], [6, 6], 2, 3),
        MinibatchLayout([0, 1], [-3, -3], [6, 6], 2, 3),
    ]
    for layout in parts:
        first.layouts = dict.fromkeys(first.layouts, layout)
        for a, b in zip(plain.step(first), recomputed.step(first), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert recomputed.program.segments > 0


def test_loops_are_computed_again() -> None:
    plain, recomputed = both(LOOPS)
    same(plain, recomputed, [4, 2, 5], 1)
    inside = [f for s in segments(recomputed) for f, _, _ in s._stretch.steps]
    assert any(isinstance(f, Recurrence) for f in inside)


def test_with_detect_anomaly() -> None:
    same(*both("mlp", detect_anomaly=True), [3, 2], 1)


def test_a_run_says_so_and_gives_the_same_figures(folder: Path) -> None:
    deeper = CONFIG.replace("h = Dropout", "h0 = Tanh (ParameterTensor {(2:2)} * Sigmoid (x)) ; h = Dropout").replace(
        "(3:2)} * x", "(3:2)} * Sigmoid (Tanh (h0))"
    )
    (folder / "a.cntk").write_text(deeper.replace("SETTINGS", ""))
    (folder / "b.cntk").write_text(deeper.replace("SETTINGS", "recomputeActivations = true"))
    plain, recomputed = run(config="a.cntk"), run("out=b", config="b.cntk")
    assert finished(plain) == finished(recomputed)
    assert "computed again" not in plain
    assert "Parts of the network that are computed again on the way back (recomputeActivations = true): " in recomputed
    assert (folder / "out/m").read_bytes() == (folder / "b/m").read_bytes()
