"""A model that was written for the v2 library computes what the one of the config computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bsls.modelfile import model, v1, v2_writing
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

X = Node("InputValue", "x", attributes={"dims": (4, 3), "dynamicAxis": ""})
V = Node("InputValue", "v", attributes={"dims": (4,), "dynamicAxis": ""})


def parameter(name: str, *dims: int, rate: float = 1.0) -> Node:
    values = np.random.default_rng(len(name)).uniform(0.5, 2, dims[::-1]).astype(np.float32)
    return Node(
        "LearnableParameter",
        name,
        attributes={"dims": dims, "learningRateMultiplier": rate},
        value=ArrayWeights(values),
    )


M, S = parameter("m", 4, 3, rate=0.0), parameter("s", 4, 3, rate=0.0)
TIMES: dict[str, object] = {"outputRank": 1, "inferInputRankToMap": -1}
SUM = Node("SumElements", "sum", [X])


def values(network: Network, inputs: dict[str, torch.Tensor]) -> np.ndarray:
    assert validate(network).findings == []
    used = {name: value for name, value in inputs.items() if name in network}
    batch = Minibatch(used, dict.fromkeys(used, MinibatchLayout.of_frames(5)), 5)
    (found,) = Program(network, [network["z"]], Parameters(network)).forward(batch)
    return found.detach().numpy()


@pytest.mark.parametrize("node", [
    Node("PerDimMeanVarNormalization", "z", [X, M, S]),
    Node("PerDimMeanVarDeNormalization", "z", [X, M, S]),
    Node("DiagTimes", "z", [parameter("d", 4, 1), V]),
    Node("SumColumnElements", "z", [X]),
    Node("SumColumnElements", "z", [V]),
    Node("Times", "z", [parameter("w", 2, 1), SUM], TIMES),
    Node("Times", "z", [parameter("w", 2, 4), V], TIMES),
    Node("Clip", "z", [parameter("lo", 1), parameter("high", 1), X]),
    Node("TransposeDimensions", "z", [X], {"axis1": 1, "axis2": 2}),
    Node("Slice", "z", [X], {"axis": 2, "beginIndex": 1, "endIndex": 3}),
    Node("Reshape", "z", [X], {"shape": (0, 2), "beginAxis": 1, "endAxis": 0}),
    Node("RowStack", "z", [V, V], {"axis": 1}),
    Node("ReduceElements", "z", [X], {"axis": 2, "reductionOp": "LogSum", "keepDimensions": True}),
], ids=lambda node: f"{node.op}{len(node.inputs[-1].name)}")  # fmt: skip
def test_the_same_values(node: Node, tmp_path: Path) -> None:
    network = Network()
    for each in dict.fromkeys([leaf for i in node.inputs for leaf in (*i.inputs, i)] + [node]):
        network.add(each.copy())
    for each in network:
        each.inputs = [network[i.name] for i in each.inputs]
    random = np.random.default_rng(3)
    inputs = {
        "x": torch.tensor(random.standard_normal((5, 3, 4), np.float32)),
        "v": torch.tensor(random.standard_normal((5, 4), np.float32)),
    }
    expected = values(network, inputs)
    v2_writing.write(network, tmp_path / "v2")
    found = model.read(tmp_path / "v2")
    np.testing.assert_allclose(values(found, inputs), expected, rtol=1e-6, atol=1e-6)
    v1.write(found, tmp_path / "v1")
    np.testing.assert_allclose(values(v1.read(tmp_path / "v1"), inputs), expected, rtol=1e-6, atol=1e-6)
