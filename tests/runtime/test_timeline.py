"""The order of sequences: against a plain reading of the rules, and against what the reference learned from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bsls.config.assemble import parse_config
from bsls.network.node import Node
from bsls.shape import Shape
from bstorch.initialisation import initial_values
from bstorch.random import Generator
from bstorch.readers.base import SparseBatch
from bstorch.readers.text_format import TextFormatReader, from_section
from bstorch.readers.timeline import Shuffling, Timeline

GOLDEN = Path(__file__).parent.parent / "golden" / "sgd" / "shuffled"


def numbers(seed: int) -> Iterator[int]:
    generator = Generator(seed)
    while True:
        yield int(generator.words(1)[0])


def plain_order(chunks: list[list[int]], samples: list[int], window: int, in_samples: bool, seed: int) -> list[int]:
    """The shuffled sequences, one step after another."""
    draw = numbers(seed)
    n = len(chunks)
    order = list(range(n))
    for i in range(n):
        j = next(draw) % n
        order[i], order[j] = order[j], order[i]
    placed = [chunks[c] for c in order]
    sizes = [sum(samples[s] for s in chunk) for chunk in placed]
    starts = [sum(sizes[:i]) for i in range(n)]
    half, windows = window // 2, []
    for i in range(n):
        if in_samples:
            begin, end = windows[-1] if windows else (0, 1)
            while starts[i] - starts[begin] > half:
                begin += 1
            begin, end = min(begin, i), max(end, i + 1)
            while end < n and starts[end] + sizes[end] - starts[i] < half:
                end += 1
        else:
            begin = max(i - half, 0)
            end = begin + max(window, 1)
            if end > n:
                begin, end = max(n - max(window, 1), 0), n
        windows.append((begin, end))
    row = [(s, i) for i, chunk in enumerate(placed) for s in chunk]
    home = [i for i, chunk in enumerate(placed) for _ in chunk]
    draw = numbers(seed)

    def fits(owner: int, place: int) -> bool:
        return windows[place][0] <= owner < windows[place][1]

    for t in range(len(row)):
        begin, end = windows[home[t]]
        inside = [p for p in range(len(row)) if begin <= home[p] < end]
        while True:
            j = inside[0] + next(draw) % len(inside)
            if fits(row[j][1], home[t]) and fits(row[t][1], home[j]):
                break
        row[t], row[j] = row[j], row[t]
    return [s for s, _ in row]


@pytest.mark.parametrize("window", [0, 1, 2, 3, 5, 20, 40, 1000])
@pytest.mark.parametrize("in_samples", [False, True])
@pytest.mark.parametrize("seed", [0, 7])
def test_shuffling_equals_the_plain_algorithm(window: int, in_samples: bool, seed: int) -> None:
    rng = np.random.default_rng(window)
    sizes = rng.integers(1, 6, 9)
    firsts = np.r_[0, np.cumsum(sizes)]
    samples = rng.integers(1, 5, firsts[-1])
    timeline = Timeline(samples, firsts, Shuffling(window, in_samples, seed))
    chunks = [list(range(a, b)) for a, b in zip(firsts[:-1].tolist(), firsts[1:].tolist(), strict=True)]
    for sweep in range(3):
        assert timeline.sweep(sweep).order.tolist() == plain_order(
            chunks, samples.tolist(), window, in_samples, seed + sweep
        )


def test_everything_is_one_window() -> None:
    samples = np.ones(50, np.int64)
    whole = Timeline(samples, np.array([0, 20, 50]), Shuffling(None)).sweep(4).order
    assert whole.tolist() == Timeline(samples, np.array([0, 20, 50]), Shuffling(2)).sweep(4).order.tolist()
    assert sorted(whole) == list(range(50))


def sizes(timeline: Timeline, epoch: int, size: int | None, minibatch: int) -> list[list[int]]:
    return [s.tolist() for s in timeline.minibatches(epoch, size, minibatch)]


def test_minibatches_end_with_the_sweep() -> None:
    timeline = Timeline(np.ones(10, np.int64), np.array([0, 10]))
    assert sizes(timeline, 3, None, 4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert sizes(timeline, 0, 15, 4) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3], [4]]
    assert sizes(timeline, 1, 15, 4) == [[5, 6, 7, 8], [9], [0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert sizes(timeline, 0, 0, 100) == [list(range(10))]


def test_epochs_take_the_sequences_that_begin_in_them() -> None:
    timeline = Timeline(np.array([3, 5, 2]), np.array([0, 3]))
    assert sizes(timeline, 0, 4, 8) == [[0, 1]]  # the second begins at 3 and is delivered whole
    assert sizes(timeline, 1, 4, 8) == []  # nothing begins at 4 to 7
    assert sizes(timeline, 2, 4, 8) == [[2], [0]]  # one begins at 8, one at 10 (in the next sweep)
    assert sizes(timeline, 3, 4, 8) == [[1]]


# --- what the reference learned -----------------------------------------------------------------------------------


def reader(monkeypatch: pytest.MonkeyPatch, settings: str) -> TextFormatReader:
    monkeypatch.chdir(GOLDEN)
    torch.set_num_threads(1)
    section = parse_config(f"reader = [ {settings} ]").own_section("reader")
    assert section is not None
    return from_section(section)


def parameter(*dims: int, **attributes: object) -> torch.Tensor:
    values = initial_values(Node("LearnableParameter", "W", attributes=attributes, shape=Shape(dims)))
    return torch.from_numpy(values).T.clone().requires_grad_()


def cross_entropy(z: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return -(torch.log_softmax(z, 1) * labels).sum()


DENSE = "file = train.txt ; input = [ x = [ dim = 4 ; format = dense ] ; y = [ dim = 3 ; format = dense ] ]"
ORDERS = [
    ("default", "randomize = true"),
    ("seed", "randomizationSeed = 7"),
    ("chunks", "randomizationWindow = 2 ; chunkSizeInBytes = 700"),
]


@pytest.mark.parametrize(("case", "settings"), ORDERS)
def test_order_of_samples(case: str, settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network sees the same losses as in the reference only if each minibatch holds the same samples."""
    source = reader(monkeypatch, f"{settings} ; {DENSE}")
    if case == "chunks":
        w2, w1 = (
            parameter(3, 5, init="glorotUniform", randomSeed=1),
            parameter(5, 4, init="glorotUniform", randomSeed=2),
        )
    else:
        w1, w2 = (
            parameter(*dims, init="fromFile", initFromFilePath=file)
            for file, dims in (("W1.txt", (5, 4)), ("W2.txt", (3, 5)))
        )
    b1, b2 = torch.zeros(5, requires_grad=True), torch.zeros(3, requires_grad=True)
    parameters = [w1, b1, w2, b2]
    expected = json.loads((GOLDEN / "losses.json").read_text())[case]
    for epoch in range(expected[-1][0]):
        wanted = [row[1:] for row in expected if row[0] == epoch + 1]
        for batch, (samples, value) in zip(source.minibatches(epoch, 0, 16), wanted, strict=True):
            x, y = batch.values["x"], batch.values["y"]
            assert isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor)
            loss = cross_entropy(torch.tanh(x @ w1.T + b1) @ w2.T + b2, y)
            assert batch.samples == samples
            assert loss.item() / samples == pytest.approx(value, rel=1e-5)
            for p, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                p.data -= 0.05 * gradient


def test_order_of_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recurrent network over shuffled sequences of different lengths; its momentum depends on the matrix columns."""
    source = reader(
        monkeypatch,
        "file = sequences.txt ; input = [ w = [ dim = 6 ; format = sparse ] ; t = [ dim = 3 ; format = dense ] ]",
    )
    wx, wh, wo = (
        parameter(*dims, init="fromFile", initFromFilePath=f"{name}.txt")
        for name, dims in (("Wx", (4, 6)), ("Wh", (4, 4)), ("Wo", (3, 4)))
    )
    bh, bo = torch.full((4,), 0.1, requires_grad=True), torch.zeros(3, requires_grad=True)
    parameters = [wx, wh, wo, bh, bo]
    steps = [torch.zeros_like(p) for p in parameters]
    expected = json.loads((GOLDEN / "losses.json").read_text())["sequences"]
    for epoch in range(3):
        wanted = [row[1:] for row in expected if row[0] == epoch + 1]
        for batch, (samples, value) in zip(source.minibatches(epoch, 0, 20), wanted, strict=True):
            words, layout = batch.values["w"], batch.layout
            assert isinstance(words, SparseBatch)
            x, states, at, h = words.dense() @ wx.T + bh, [], 0, torch.zeros(layout.sequences, 4)
            for n in layout.batch_sizes.tolist():
                h = torch.tanh(x[at : at + n] + h[:n] @ wh.T)
                states.append(h)
                at += n
            labels = batch.values["t"]
            assert isinstance(labels, torch.Tensor)
            loss = cross_entropy(torch.cat(states) @ wo.T + bo, labels)
            assert batch.samples == layout.frames == samples
            assert loss.item() / samples == pytest.approx(value, rel=1e-5)
            keep = 0.5 ** (layout.matrix_columns / 20)
            for p, step, gradient in zip(parameters, steps, torch.autograd.grad(loss, parameters), strict=True):
                moved = (
                    words.indices.unique() if p is wx else slice(None)
                )  # a sparse gradient has columns only where there are words
                step[..., moved] = keep * step[..., moved] + (1 - keep) * 0.1 * gradient[..., moved]
                p.data[..., moved] -= step[..., moved]
