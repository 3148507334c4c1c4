"""Cosines."""

from __future__ import annotations

import numpy as np
import torch
from kernel_cases import check, compiled, x
from numpy.typing import NDArray
from test_kernels_delays import packed, unpacked

from bstorch.program.layout import MinibatchLayout


def cosines(a: NDArray, b: NDArray) -> NDArray:
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_cosine() -> None:
    check("CosDistance", [x(3), x(3)], lambda a, b: cosines(a, b))
    check("CosDistance", [x(3, low=0, high=0), x(3)], lambda a, b: np.zeros(len(a)), gradient=False)


def test_columns_of_ragged_sequences() -> None:
    from bsls.network.network import Network
    from bsls.network.node import ArrayWeights, Node
    from bsls.network.validation import validate

    network = Network("double")
    constant: dict[str, object] = {"dims": (1,), "learningRateMultiplier": 0}
    inputs = [
        Node("InputValue", n, attributes={"dims": (2,), "dynamicAxis": ""}, precision="double") for n in ("a", "b")
    ]
    constants = [
        Node("LearnableParameter", n, attributes=constant, value=ArrayWeights(np.array([v])), precision="double")
        for n, v in (("shift", 1.0), ("count", 2.0))
    ]
    node = Node("CosDistanceWithNegativeSamples", "c", [*inputs, *constants], precision="double")
    for n in (*inputs, *constants, node):
        network.add(n)
    assert not validate(network).findings
    layout = MinibatchLayout.packed([3, 2, 2])  # three rows of three steps, two of them with a gap
    generator = np.random.default_rng(1)
    a, b = ([generator.uniform(-1, 1, (n, 2)) for n in (3, 2, 2)] for _ in range(2))
    tensors = [packed(layout, a), packed(layout, b)]
    forward = compiled(node, layout=layout)
    shift, count = torch.tensor([1.0]), torch.tensor([2.0])
    found = unpacked(layout, forward(*tensors, shift, count))
    matrix = np.zeros((3, 3, 2))  # step, row
    for row, sequence in enumerate(b):
        matrix[: len(sequence), row] = sequence
    columns = matrix.reshape(9, 2)
    for row, (sequence, right, values) in enumerate(zip(a, b, found, strict=True)):
        for t in range(len(sequence)):
            others = [columns[(3 * t + row + 1 + m) % 9] for m in range(2)]
            wanted = [float(cosines(sequence[t], o)) if o.any() else 0.0 for o in [right[t], *others]]
            np.testing.assert_allclose(values[t], wanted, rtol=1e-12)
    for tensor in tensors:
        tensor.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda u, v: forward(u, v, shift, count), tensors)
