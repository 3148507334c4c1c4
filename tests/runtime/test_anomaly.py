"""The first node that is not finite is named."""

from __future__ import annotations

import pytest
import torch
from test_program import leaf, minibatch, network_of, parameter

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bstorch.kernels.base import Environment
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch


def made(weight: float) -> Program:
    x, w = leaf("x", (2,)), parameter("w", (2,), weight)
    grown = Node("Exp", "grown", [Node("ElementTimes", "scaled", [w, x])])
    total = Node("SumElements", "total", [Node("Negate", "less", [grown])])
    network = network_of(x, w, grown.inputs[0], grown, total.inputs[0], total)
    return Program(network, [total], Parameters(network), Environment(training=True, detect_anomaly=True), total)


def test_a_value() -> None:
    with pytest.raises(BsError, match=r"the value of 'grown' \(Exp\) is not finite: 1 infinite of 4 numbers"):
        made(1.0).gradients(minibatch(x=torch.tensor([[1.0, 2.0], [100.0, 1.0]])))


def test_data_and_parameters() -> None:
    with pytest.raises(BsError, match=r"the value of 'x' \(InputValue\) is not finite: 1 NaN of 2 numbers"):
        made(1.0).forward(minibatch(x=torch.tensor([[1.0, float("nan")]])))
    with pytest.raises(BsError, match=r"the value of 'w' \(LearnableParameter\) is not finite: 2 infinite of 2"):
        made(float("inf")).forward(minibatch(x=torch.ones(1, 2)))


def test_a_gradient() -> None:
    x, w = leaf("x", (1,)), parameter("w", (1,), 0.0)
    root = Node("Sqrt", "root", [Node("ElementTimes", "product", [w, x])])
    total = Node("SumElements", "total", [root])
    network = network_of(x, w, root.inputs[0], root, total)
    environment = Environment(training=True, detect_anomaly=True)
    program = Program(network, [total], Parameters(network), environment, total)
    with pytest.raises(BsError, match=r"the gradient of 'product' \(ElementTimes\) is not finite: 1 infinite of 1"):
        program.gradients(minibatch(x=torch.ones(1, 1)))


def test_nothing_is_said_of_finite_numbers() -> None:
    values, _ = made(1.0).gradients(minibatch(x=torch.zeros(1, 2)))
    assert float(values[0].detach()) == -2.0


def test_in_a_loop() -> None:
    x = leaf("x", (1,))
    delay = Node("PastValue", "before", attributes={"shape": (1,), "defaultHiddenActivation": 2.0})
    power = Node("ElementTimes", "power", [Node("Exp", "e", [delay]), x])
    delay.inputs.append(power)
    network = Network()
    for node in (x, delay, power.inputs[0], power):
        network.add(node)
    network.groups["output"].append(power)
    assert not validate(network).findings
    program = Program(network, [power], Parameters(network), Environment(detect_anomaly=True))
    layout = MinibatchLayout.packed([4])
    with pytest.raises(BsError, match=r"the value of 'e' \(Exp\) is not finite"):
        program.forward(Minibatch({"x": torch.ones(4, 1)}, {"x": layout}, 4))
