"""Questions about a network: what is used, what is trained, how large it is."""

from __future__ import annotations

import pytest

from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import dead_nodes, learnable_parameters, nodes_with_gradient, own_parameters, roots_among
from bsls.network.size import Count, Memory, count, memory
from bsls.network.validation import validate


@pytest.fixture(params=["float", "double"])
def network(request: pytest.FixtureRequest) -> Network:
    """h = Tanh (W * x), z = W2 * h + c; the label y; a side branch nobody asks for; two dynamic axes."""

    def node(op: str, name: str, *inputs: str, **attributes: object) -> None:
        made.add(Node(op, name, [made[i] for i in inputs], attributes, made.precision))

    made = Network(request.param)
    node("DynamicAxis", "axis")
    node("DynamicAxis", "axis2")
    node("InputValue", "x", dims=(3,), dynamicAxis="axis")
    node("InputValue", "y", dims=(2,), dynamicAxis="axis")
    node("SparseInputValue", "words", dims=(1000,), dynamicAxis="axis2")
    node("LearnableParameter", "W", dims=(4, 3))
    node("LearnableParameter", "W2", dims=(2, 4))
    node("LearnableParameter", "c", dims=(2,), learningRateMultiplier=0.0)
    node("Times", "t", "W", "x", outputRank=1)
    node("Tanh", "h", "t")
    node("Times", "t2", "W2", "h", outputRank=1)
    node("Plus", "z", "t2", "c")
    node("SquareError", "se", "y", "z")
    node("Sigmoid", "side", "c")
    made.tag(made["se"], "criterion")
    made.tag(made["z"], "output")
    assert validate(made).findings == []
    return made


def names(nodes: list[Node]) -> str:
    return " ".join(n.name for n in nodes)


def test_what_is_used(network: Network) -> None:
    assert names(dead_nodes(network)) == "axis2 words side"
    assert names(roots_among(network[n] for n in ("t", "h", "c", "side"))) == "h side"
    assert names(roots_among([])) == ""
    own = {user.name: names(parameters) for user, parameters in own_parameters(network).items() if parameters}
    assert own == {"t": "W", "t2": "W2"}  # c has two users


def test_what_is_trained(network: Network) -> None:
    assert names(learnable_parameters(network, network["se"])) == "W W2"
    assert names(learnable_parameters(network, network["h"])) == "W"
    assert names(nodes_with_gradient(network.evaluation_order())) == "W2 W t h t2 z se"
    assert count(network.parameters) == Count(3, 12 + 8 + 2)


def test_memory(network: Network) -> None:
    size = {"float": 4, "double": 8}[network.precision]
    samples = 3 + 2 + 4 + 4 + 2 + 2  # x y t h t2 z; neither sparse words nor the criterion
    graded = 4 + 4 + 2 + 2
    assert memory(network) == Memory(22 * size, 20 * size, samples * size, graded * size)
    assert memory(network).training == ((22 + 20) * size, (samples + graded) * size)


def test_statistics_are_roots() -> None:
    """They are computed before anything else, whoever uses them."""
    made = Network()
    x = Node("InputValue", "x", attributes={"dims": (3,)})
    mean, deviation = Node("Mean", "m", [x]), Node("InvStdDev", "d", [x])
    for node in (x, mean, deviation, Node("PerDimMeanVarNormalization", "n", [x, mean, deviation])):
        made.add(node)
    assert names(made.roots()) == "d m n"
