"""The compiled program: constants, freezing, sparse inputs, counting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.queries import nodes_with_gradient
from bsls.network.validation import validate
from bsls.schema.execution import NOT_EXECUTABLE, SECOND_OUTPUTS
from bsls.schema.ops import OPS
from bsls.schema.ops.normalization import STATISTICS
from bsls.shape import DynamicAxis, Shape
from bstorch.kernels.base import KERNELS, Environment
from bstorch.program.layout import MinibatchLayout
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch, SparseBatch
from bstorch.training.criteria import EpochSums, SampleCounter


def leaf(name: str, dims: tuple[int, ...], op: str = "InputValue") -> Node:
    return Node(op, name, attributes={"dims": dims, "dynamicAxis": ""})


def parameter(name: str, dims: tuple[int, ...], values: object, multiplier: float = 1.0) -> Node:
    weights = ArrayWeights(np.broadcast_to(np.float32(values), dims[::-1]).copy())
    return Node(
        "LearnableParameter", name, attributes={"dims": dims, "learningRateMultiplier": multiplier}, value=weights
    )


def network_of(*nodes: Node) -> Network:
    network = Network()
    for node in nodes:
        network.add(node)
    assert not validate(network).findings
    return network


def minibatch(**values: torch.Tensor | SparseBatch) -> Minibatch:
    first = next(iter(values.values()))
    frames = first.samples if isinstance(first, SparseBatch) else len(first)
    layout = MinibatchLayout.of_frames(frames)
    return Minibatch(values, dict.fromkeys(values, layout), frames)


def test_what_depends_on_constants_alone_is_computed_once():
    x, half = leaf("x", (2,)), parameter("half", (1,), 0.5, multiplier=0)
    negative = Node("Negate", "negative", [half])
    z = Node("ElementTimes", "z", [negative, x])
    program = Program(network := network_of(x, half, negative, z), [z], Parameters(network))
    assert len(program._all) == 1
    (found,) = program.forward(minibatch(x=torch.ones(3, 2)))
    np.testing.assert_array_equal(found, np.full((3, 2), -0.5))


def test_gradients_of_learnable_parameters_only():
    x, y = leaf("x", (2,)), leaf("y", (2,))
    w, frozen = parameter("w", (2,), 2.0), parameter("frozen", (2,), 3.0, multiplier=0)
    z = Node("Plus", "z", [Node("ElementTimes", "t", [w, x]), frozen])
    criterion = Node("SquareError", "se", [y, z])
    network = network_of(x, y, w, frozen, z.inputs[0], z, criterion)
    program = Program(network, [criterion], Parameters(network), criterion=criterion)
    assert [n.name for n in program.learnable] == ["w"]
    assert [n.name for n in program.with_gradient] == ["w", "t", "z", "se"]
    values, gradients = program.gradients(minibatch(x=torch.ones(3, 2), y=torch.zeros(3, 2)))
    assert values[0].item() == 6 * 25
    np.testing.assert_allclose(gradients[0], [30, 30])


def test_a_stopped_gradient_leaves_none():
    x, y, w = leaf("x", (2,)), leaf("y", (2,)), parameter("w", (2,), 2.0)
    stop = Node("StopGradient", "stop", [Node("ElementTimes", "t", [w, x])])
    criterion = Node("SquareError", "se", [y, stop])
    network = network_of(x, y, w, stop.inputs[0], stop, criterion)
    program = Program(network, [criterion], Parameters(network), criterion=criterion)
    _, gradients = program.gradients(minibatch(x=torch.ones(3, 2), y=torch.zeros(3, 2)))
    assert gradients == [None]
    assert stop not in nodes_with_gradient(network.evaluation_order([criterion]))


def one_hot(*classes: int) -> SparseBatch:
    return SparseBatch(torch.tensor(classes), torch.ones(len(classes)), torch.arange(len(classes) + 1), 3)


def test_a_sparse_input_is_dense_only_where_it_must_be():
    x = leaf("x", (3,), "SparseInputValue")
    w = parameter("w", (2, 3), 1.0)
    t = Node("Times", "t", [w, x], {"outputRank": 1, "inferInputRankToMap": -1})
    doubled = Node("Plus", "doubled", [x, x])
    total = Node("SumElements", "total", [t])
    network = network_of(x, w, t, doubled, total)
    program = Program(network, [total, doubled], Parameters(network), criterion=total)
    values, gradients = program.gradients(minibatch(x=one_hot(2, 0)))
    np.testing.assert_array_equal(values[1], [[0, 0, 2], [2, 0, 0]])
    assert gradients[0] is not None
    assert gradients[0].is_sparse


def test_a_sparse_stream_of_a_dense_input_has_a_dense_gradient():
    x, w = leaf("x", (3,)), parameter("w", (2, 3), 1.0)
    t = Node("Times", "t", [w, x], {"outputRank": 1, "inferInputRankToMap": -1})
    total = Node("SumElements", "total", [t])
    network = network_of(x, w, t, total)
    program = Program(network, [total], Parameters(network), criterion=total)
    _, gradients = program.gradients(minibatch(x=one_hot(2, 0)))
    assert gradients[0] is not None
    assert not gradients[0].is_sparse


def test_stream_names_ignore_case():
    x = leaf("Features", (2,))
    z = Node("Negate", "z", [x])
    program = Program(network := network_of(x, z), [z], Parameters(network))
    (found,) = program.forward(minibatch(features=torch.ones(1, 2)))
    assert found.sum() == -2
    with pytest.raises(BsError, match="Features"):
        Program(network, [z], Parameters(network)).forward(minibatch(other=torch.ones(1, 2)))


def test_what_cannot_be_executed_is_refused():
    x = leaf("x", (2,))
    proxy = Node("CustomProxyOpNode", "proxy", [x])
    network = Network()
    for node in (x, proxy):
        network.add(node)
        node.shape = Shape((2,), DynamicAxis())
    with pytest.raises(BsError, match="'proxy' is a CustomProxyOpNode") as caught:
        Program(network, [proxy], Parameters(network))
    assert caught.value.finding.rule == "unsupported-operation"


def test_what_cannot_be_executed_is_known_without_the_engine():
    values = {"DynamicAxis", "InputValue", "SparseInputValue", "LearnableParameter", *STATISTICS}
    assert set(OPS) - set(KERNELS) - values == NOT_EXECUTABLE
    assert KERNELS.keys() >= SECOND_OUTPUTS


def test_criteria_are_added_up_and_counted():
    x = leaf("x", (2,))
    z, total = Node("Negate", "z", [x]), Node("SumElements", "total", [x])
    mean = Node("EpochAccumulator", "mean", [x])
    network = network_of(x, z, total, mean)
    roots = [z, total, mean]
    environment = Environment(training=True)
    program = Program(network, roots, Parameters(network), environment)
    counter, sums = SampleCounter(roots, [x], environment), EpochSums(roots, torch.device("cpu"))
    for frames in (3, 2):
        sums.add(program.forward(minibatch(x=torch.full((frames, 2), 2.0))), counter())
    found = sums.read()
    assert [(c.total, c.samples) for c in found] == [(-20, 5), (20, 5), (4, 1)]


def test_memory_that_runs_out_names_the_node():
    x = leaf("x", (1,))
    wide = Node("RowRepeat", "wide", [x], attributes={"numRepeats": 10**9})
    program = Program(network := network_of(x, wide), [wide], Parameters(network))
    with pytest.raises(
        BsError, match=r"memory of the computer ran out while 'wide' \(RowRepeat\) was computed when 4\d+ bytes"
    ) as caught:
        program.forward(minibatch(x=torch.ones(1, 1).expand(10**6, 1)))
    assert caught.value.finding.rule == "out-of-memory"


def test_other_errors_stay_what_they_are():
    x, w = leaf("x", (2,)), parameter("w", (2, 2), 1.0)
    z = Node("Times", "z", [w, x])
    program = Program(network := network_of(x, w, z), [z], Parameters(network))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        program.forward(minibatch(x=torch.ones(1, 3)))


def test_what_is_assigned_counts_from_the_next_minibatch_on():
    x, counter = leaf("x", (1,)), parameter("counter", (1,), 1.0, multiplier=0)
    doubled = Node("Plus", "doubled", [counter, counter])
    assigned = Node("Assign", "assigned", [counter, doubled])
    z = Node("ElementTimes", "z", [x, counter])
    network = network_of(x, counter, doubled, assigned, z)
    parameters = Parameters(network)
    program = Program(network, [z, assigned, counter], parameters)
    for wanted in (1.0, 2.0, 4.0):
        found = program.forward(minibatch(x=torch.ones(2, 1)))
        assert [float(v.view(-1)[0]) for v in found] == [wanted, 2 * wanted, wanted]
    assert float(parameters[counter]) == 8.0


def test_assigning_to_a_parameter_that_is_learnt():
    x, w = leaf("x", (1,)), parameter("w", (1,), 3.0)
    half = parameter("half", (1,), 0.5, multiplier=0)
    less = Node("ElementTimes", "less", [w, half])
    assigned = Node("Assign", "assigned", [w, less])
    z = Node("ElementTimes", "z", [x, assigned])
    loss = Node("SumElements", "loss", [z])
    network = network_of(x, w, half, less, assigned, z, loss)
    parameters = Parameters(network)
    program = Program(network, [loss], parameters, criterion=loss)
    for wanted in (3.0, 1.5):
        values, gradients = program.gradients(minibatch(x=torch.ones(2, 1)))
        assert float(values[0].detach()) == wanted
        assert gradients[0] is not None and float(gradients[0]) == 1.0
