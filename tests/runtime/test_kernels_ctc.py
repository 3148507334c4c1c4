"""Connectionist temporal classification against torch's own, and against all alignments one by one."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_cases import x
from numpy.typing import NDArray
from test_kernels_delays import packed, unpacked

from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch import kernels
from bstorch.kernels.base import Environment, axis_of
from bstorch.program.layout import MinibatchLayout

CLASSES = 4
BLANK = CLASSES - 1


def criterion(layout: MinibatchLayout, **attributes: object):
    """The kernel over LabelsToGraph (labels) and scores."""
    network = Network("double")
    labels, z = (
        Node("InputValue", name, attributes={"dims": x(CLASSES).dims, "dynamicAxis": ""}, precision="double")
        for name in ("labels", "z")
    )
    graph = Node("LabelsToGraph", "graph", [labels], precision="double")
    node = Node("ForwardBackward", "node", [graph, z], {"blankTokenId": BLANK, **attributes}, precision="double")
    for each in (labels, z, graph, node):
        network.add(each)
    assert not validate(network).findings
    found = kernels.get("ForwardBackward")
    assert found is not None
    return found.build(node, Environment(layouts={axis_of(z): layout}))


def graph_of(length: int, labels: dict[int, int]) -> NDArray:
    """Marks at the frames where labels begin; what is between them goes on."""
    found = np.zeros((length, CLASSES))
    found[:, labels.get(0, 0)] = 1
    for t, label in labels.items():
        found[t] = 0
        found[t, label] = 2
    return found


@st.composite
def minibatches(draw: st.DrawFn) -> list[tuple[int, dict[int, int]]]:
    sequences = []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.integers(1, 6))
        frames = draw(st.lists(st.integers(0, length - 1), max_size=3, unique=True).map(sorted))
        labels = [draw(st.integers(0, CLASSES - 2)) for _ in frames]
        repeats = sum(a == b for a, b in pairwise(labels))
        if len(labels) + repeats <= length:  # else there is no alignment
            sequences.append((length, dict(zip(frames, labels, strict=True))))
    return sequences or [(2, {0: 1})]


@given(minibatches(), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_the_same_as_torch(sequences: list[tuple[int, dict[int, int]]], seed: int) -> None:
    generator = np.random.default_rng(seed)
    layout = MinibatchLayout.packed([n for n, _ in sequences])
    scores = [generator.normal(0, 2, (n, CLASSES)) for n, _ in sequences]
    z = packed(layout, scores).requires_grad_(True)
    value = criterion(layout)(packed(layout, [graph_of(n, labels) for n, labels in sequences]), z)
    (found,) = torch.autograd.grad(value * 2, z)
    wanted, gradients = 0.0, []
    for (n, labels), s in zip(sequences, scores, strict=True):
        own = torch.tensor(s, requires_grad=True)
        targets = torch.tensor([list(labels.values())], dtype=torch.long).view(1, -1)
        loss = torch.nn.functional.ctc_loss(
            torch.log_softmax(own, 1)[:, None], targets, torch.tensor([n]), torch.tensor([len(labels)]),
            blank=BLANK, reduction="sum",
        )  # fmt: skip
        wanted += float(loss.detach())
        gradients.append(torch.autograd.grad(loss, own)[0].numpy() * 2)
    assert value.item() == pytest.approx(wanted, rel=1e-10)
    for a, b in zip(unpacked(layout, found), gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_a_delay_constraint() -> None:
    """All alignments one by one: a label is given up to d frames after the next one's place, blanks for one frame less."""
    labels, delay, length = {0: 0, 2: 1}, 0, 5
    states = [BLANK, 0, BLANK, 1, BLANK]
    until = [2 + delay - 1, 2 + delay, length, length, length]
    logs = np.log(np.full((length, CLASSES), 0.25) + np.linspace(-0.1, 0.1, length * CLASSES).reshape(length, CLASSES))
    logs -= np.log(np.exp(logs).sum(1, keepdims=True))
    total = 0.0
    for path in product(range(5), repeat=length):
        steps = np.diff(path)
        skipped = [s == 2 and states[path[i + 1]] == BLANK for i, s in enumerate(steps)]
        if path[0] > 1 or path[-1] < 3 or (steps < 0).any() or (steps > 2).any() or any(skipped):
            continue
        if any(t > until[s] for t, s in enumerate(path)):
            continue
        total += np.exp(sum(logs[t, states[s]] for t, s in enumerate(path)))
    layout = MinibatchLayout.packed([length])
    value = criterion(layout, delayConstraint=delay)(torch.tensor(graph_of(length, labels)), torch.tensor(logs))
    assert value.item() == pytest.approx(-np.log(total), rel=1e-10)


def test_labels_that_do_not_fit_give_a_number() -> None:
    layout = MinibatchLayout.packed([2])
    z = torch.zeros(2, CLASSES, dtype=torch.float64, requires_grad=True)
    value = criterion(layout)(torch.tensor(graph_of(2, {0: 1, 1: 1})), z)  # a blank must come between equal labels
    (found,) = torch.autograd.grad(value, z)
    assert 1e10 < value.item() < 1e12
    assert torch.isfinite(found).all()


def test_the_blank_is_the_last_class_where_it_is_none() -> None:
    layout = MinibatchLayout.packed([3])
    graph, z = torch.tensor(graph_of(3, {1: 0})), torch.randn(3, CLASSES, dtype=torch.float64)
    assert criterion(layout, blankTokenId=2**64 - 1)(graph, z).item() == criterion(layout)(graph, z).item()
