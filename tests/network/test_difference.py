"""How two networks differ, and what counts as renamed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bsls.cli.render.difference import as_json, as_text
from bsls.modelfile import v1
from bsls.network import editing
from bsls.network.cloning import duplicate
from bsls.network.difference import Difference, difference
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate

MODELS = Path(__file__).parents[1] / "golden" / "models"


def stack(layers: int = 3) -> Network:
    """Layers that are alike: h1 = Tanh (W1 * x), h2 = Tanh (W2 * h1), ..."""
    made = Network()
    below = Node("InputValue", "x", attributes={"dims": (4,)})
    made.add(below)
    for i in range(1, layers + 1):
        w = Node("LearnableParameter", f"W{i}", attributes={"dims": (4, 4), "learningRateMultiplier": 1.0})
        t = Node("Times", f"t{i}", [w, below], {"outputRank": 1})
        below = Node("Tanh", f"h{i}", [t])
        for node in (w, t, below):
            made.add(node)
    made.tag(below, "output")
    validate(made)
    return made


def words(found: Difference) -> list[str]:
    return as_text(found).splitlines()[:-1]


def changed(change: Callable[[Network], object]) -> Difference:
    before, after = stack(), duplicate(stack())
    change(after)
    validate(after)
    return difference(before, after)


def rename_all(network: Network) -> None:
    for node in list(network):
        if node.name != "x":
            network.rename(node, f"net.{node.name}")


def insert(network: Network) -> None:
    node = Node("Dropout", "d", [network["h1"]])
    network.add(node)
    network["t2"].inputs[1] = node


def rename_and_change(network: Network) -> None:
    network.rename(network["W2"], "U")
    network["U"].attributes["learningRateMultiplier"] = 0.0


def two_alike(network: Network) -> None:
    """Another node that could be the renamed one."""
    network.rename(network["h3"], "a")
    network.add(Node("Tanh", "b", [network["t3"]]))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda n: None, []),
        (lambda n: n.rename(n["W2"], "U"), ["= W2 -> U"]),
        (rename_all, [f"= {a} -> net.{a}" for a in ["h1", "h2", "h3", "t1", "t2", "t3", "W1", "W2", "W3"]]),
        (insert, ["+ d = Dropout (h1) : [4 x *] -> [4 x *]", "~ t2", "    inputs: W2, h1 -> W2, d"]),
        (
            rename_and_change,
            [
                "- W2 = LearnableParameter() :  -> [4 x 4]",
                "+ U = LearnableParameter() :  -> [4 x 4]",
                "~ t2",
                "    inputs: W2, h1 -> U, h1",
            ],
        ),
        (
            two_alike,
            [
                "- h3 = Tanh (t3) : [4 x *] -> [4 x *]",
                "+ a = Tanh (t3) : [4 x *] -> [4 x *]",
                "+ b = Tanh (t3) : [4 x *] -> [4 x *]",
                "~ output nodes: h3 -> a",
            ],
        ),
        (lambda n: setattr(n["h2"], "op", "Sigmoid"), ["~ h2", "    operation: Tanh -> Sigmoid"]),
        (
            lambda n: editing.freeze_parameters(n["W1"]),
            ["~ W1", "    learningRateMultiplier: 1 -> 0"],
        ),
        (lambda n: n.tag(n["h1"], "output"), ["~ output nodes: h3 -> h3, h1"]),
    ],
)
def test_difference(change: Callable[[Network], object], expected: list[str]) -> None:
    found = changed(change)
    assert words(found) == expected
    assert bool(found) == bool(expected)


def test_a_shape_that_changes_is_told_wherever_it_does() -> None:
    def grow(network: Network) -> None:
        network["x"].attributes["dims"] = (7,)
        network["W1"].attributes["dims"] = (4, 7)

    assert words(changed(grow)) == ["~ W1", "    shape: [4 x 4] -> [4 x 7]", "~ x", "    shape: [4 x *] -> [7 x *]"]


def test_totals() -> None:
    text = as_text(difference(stack(2), stack(4)))
    assert text.endswith("6 added\n")
    assert as_text(difference(stack(), stack())) == "the same nodes\n"


def test_json() -> None:
    shown = as_json(changed(insert))
    assert shown["added"] == [{"name": "d", "op": "Dropout", "inputs": ["h1"], "shape": "[4 x *]"}]
    assert shown["changed"] == [{"name": "t2", "changes": [{"what": "inputs", "before": "W2, h1", "after": "W2, d"}]}]
    assert (shown["equal"], shown["removed"], shown["renamed"], shown["roots"]) == (False, [], [], {})


def test_a_network_read_twice_is_the_same() -> None:
    for path in sorted(MODELS.glob("*.dnn")):
        first, second = v1.read(path), v1.read(path)
        validate(first)
        validate(second)
        assert not difference(first, second)
