"""Loaded networks: which names reach their nodes, and CloneFunction."""

from __future__ import annotations

import math

import pytest
from networks import Outcome, evaluate, mended

from bsls.network.network import Network

P = "LearnableParameter"
MODEL = evaluate("""
features = Input (3)
labels = Input (2, tag = 'label')
h1 = DenseLayer {4, activation = Sigmoid} (features)
L4 = {y = Tanh (h1)}
a = (Sigmoid (L4.y) : Exp (L4.y))
z = LinearLayer {2} (a[0] + a[1])
bn = BatchNormalizationLayer {} (z)
ce = CrossEntropyWithSoftmax (labels, z)
criterionNodes = (ce)
outputNodes = (z)
""").network
HEAD = "x = Input (3)\nnet = BS.Network.Load ('m.dnn')\n"


def load(text: str, strict: bool = True) -> Outcome:
    return evaluate(HEAD + text, strict=strict, models={"m.dnn": MODEL})


def without_input(network: Network) -> set[str]:
    return {n.name for n in network} - {"x"}


@pytest.mark.parametrize(("access", "node"), [
    ("z", "z"), ("Z", "z"), ("FEATURES", "features"), ("L4_y", "L4.y"), ("bn_scale", "bn.scale"), ("h1__", "h1._"),
    ("z.inputs[0]", "z.PlusArgs[0]"), ("z.PlusArgs[0].inputs[1].inputs[0]", "a[0]"),
])  # fmt: skip
def test_access(access: str, node: str) -> None:
    assert load(f"v = Print (net.{access}.name)").printed == [node]


@pytest.mark.parametrize(("access", "at", "message", "fixed"), [
    ("L4.y", "L4.y", "has no record 'L4'", "L4_y"),
    ("l4_y", "l4_y", "has no such node", "L4_y"),
    ("featurs", "featurs", "has no such node", "features"),
    ("a[0]", "a", "'a[0]' of 'm.dnn' cannot be reached by name", "z_x.inputs[0]"),
    ("a_0_", "a_0_", "'a[0]' of 'm.dnn' cannot be reached by name", "z_x.inputs[0]"),
    ("a_1", "a_1", "'a[1]' of 'm.dnn' cannot be reached by name", "z_x.inputs[1]"),
    ("aa[1]", "aa", "'a[1]' of 'm.dnn' cannot be reached by name", "z_x.inputs[1]"),
    ("a[2]", "a", "'a[1]' of 'm.dnn' cannot be reached by name", "z_x.inputs[1]"),
    ("z.W", "z.W", "has no record 'z'", "z_W"),
    ("h1.arrayOfFunctions [0].W", "h1", "'h1.arrayOfFunctions[0].W' of 'm.dnn' cannot be reached", "h1__.inputs[0].inputs[0]"),
    ("ec", "ec", "has no such node", None),
    ("lables", "lables", "has no such node", "labels"),
    ("h1.z", "z", "'h1' is a node (Sigmoid)", None),
    ("foo", "foo", "has no such node", None),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_nodes_that_are_not_reached(access: str, at: str, message: str, fixed: str | None, strict: bool) -> None:
    outcome = load(f"v = Exp ((net.{access}))", strict)
    assert [said.partition(": ")[2] for said in outcome.said] == [at]
    assert message in outcome.findings[0].message
    if fixed:
        assert f"v = Exp ((net.{fixed}))" in mended(outcome)
    else:
        assert not outcome.findings[0].fixes


def test_a_member_that_is_a_node_gives_it_no_other_member_name() -> None:
    """`net.L4_y` is the node of that name in the file, whatever it is called since."""
    outcome = load("a = net.L4_y ; b = Tanh (net.L4_y) ; c = Exp (net.h1) ; h1 = net.h1", strict=False)
    assert outcome.findings == []
    assert {"a", "b", "c", "h1"} <= outcome.known
    outcome = load("a = net.L4_y ; b = Tanh (net.L5_y)", strict=False)
    assert "Tanh (net.L4_y)" in mended(outcome)
    assert load("a = net.L4_y ; b = Tanh (net.a)", strict=False).said == ["model-node: a"]


def test_names_that_are_written_alike() -> None:
    """The first by name is meant, unless one of them has just that name."""
    alike = evaluate(
        "u = Input (3)\na = {b_c = Tanh (u)}\na_b = {c = Exp (u)}\nd = a.b_c + a_b.c\noutputNodes = (d)"
    ).network
    outcome = evaluate(HEAD + "v = net.a_b_c", strict=False, models={"m.dnn": alike})
    assert [(f.severity.name, f.span and f.span.text) for f in outcome.findings] == [("WARNING", "a_b_c")]
    assert "means 'a.b_c' here; 'a_b.c' of 'm.dnn' is written the same" in outcome.findings[0].message
    assert "v = net.d.inputs[1]" in mended(outcome)
    alike.rename(alike["d"], "a_b_c")
    assert evaluate(HEAD + "v = net.a_b_c", strict=False, models={"m.dnn": alike}).findings == []


def test_unknown_node_names_the_known_ones() -> None:
    assert "L4_y" in load("v = net.foo").findings[0].help


def test_a_loaded_node_takes_the_name_of_a_member() -> None:
    outcome = load("q = net.L4_y\nr = Exp (q)")
    assert outcome.names["q"] == "Tanh"
    assert "L4.y" not in outcome.names
    assert MODEL.find("L4.y") is not None  # in the copy of this evaluation alone


@pytest.mark.parametrize(("mode", "copied", "shared"), [
    ("learnable", "z.W z.b h1.arrayOfFunctions[0].W", ""),
    ("constant", "z.W z.b h1.arrayOfFunctions[0].W", ""),
    ("shared", "", "z.W z.b h1.arrayOfFunctions[0].W"),
])  # fmt: skip
def test_clone(mode: str, copied: str, shared: str) -> None:
    outcome = load(f"f = BS.Network.CloneFunction (net.features, net.z, parameters = '{mode}')\nq = f (x)")
    names = outcome.names
    assert names["q"] == "Plus"
    assert {"q.L4.y", "q.a[0]", "q.z.PlusArgs[0]", "q.h1"} <= set(names)
    assert {f"q.{n}" for n in copied.split()} | set(shared.split()) == {
        n for n, op in names.items() if op == P and n.endswith((".W", "z.b"))
    }
    assert not {"features", "z", "L4.y"} & set(names)


@pytest.mark.parametrize(
    ("mode", "multiplier", "time_constant"),
    [("learnable", 1.0, 5000.0), ("constant", 0.0, math.inf), ("shared", 1.0, 5000.0)],
)
def test_clone_modes(mode: str, multiplier: float, time_constant: float) -> None:
    network = load(f"f = BS.Network.CloneFunction (net.features, net.bn, parameters = '{mode}')\nq = f (x)").network
    weights = network["z.W" if mode == "shared" else "q.z.W"]
    assert weights.attributes["learningRateMultiplier"] == multiplier
    assert network["q"].attributes["normalizationTimeConstant"] == time_constant


def test_default_of_parameters_is_learnable() -> None:
    network = load("f = BS.Network.CloneFunction (net.features, net.z)\nq = f (x)").network
    assert network["q.z.W"].is_learnable


def test_what_does_not_depend_on_the_inputs_is_not_copied() -> None:
    network = load("f = BS.Network.CloneFunction (net.features, net.ce, parameters = 'shared')\nq = f (x)").network
    assert network["q"].inputs[0] is network["labels"]
    assert network["q.z"].inputs[1] is network["z.b"]


def test_only_the_part_behind_the_inputs_is_copied() -> None:
    network = load("f = BS.Network.CloneFunction (net.h1, net.L4_y)\nq = f (x)").network
    assert without_input(network) == {"q"}
    assert network["q"].inputs == [network["x"]]


def test_each_call_makes_a_copy() -> None:
    network = load(
        "f = BS.Network.CloneFunction (net.h1, net.L4_y)\nq = f (x)\nr = f (q)\ns = {t = f (r)}\nu = Exp (s.t)"
    ).network
    assert without_input(network) == {"q", "r", "s.t.L4.y", "u"}
    assert network["r"].inputs == [network["q"]]


def test_argument_names() -> None:
    network = load("f = BS.Network.CloneFunction (net.h1, net.L4_y)\nq = f (f (x))").network
    assert without_input(network) == {"q", "q.input_0.L4.y"}


def test_several_inputs_and_outputs() -> None:
    network = load(
        "f = BS.Network.CloneFunction (net.a_in : net.labels, [ out = net.z ; loss = net.ce ])\n".replace(
            "net.a_in", "net.L4_y"
        )
        + "r = f (x, y)\ny = Input (2)\nq = Exp (r.out)\nw = r.loss"
    ).network
    assert {"q", "w", "r.z"} <= {n.name for n in network}
    assert network["w"].inputs == [network["y"], network["r.z"]]


def test_clones_keep_their_groups() -> None:
    groups = load("f = BS.Network.CloneFunction (net.features, net.ce)\nr = f (x)").network.groups
    assert [n.name for n in groups["criterion"]] == ["r"]
    assert [n.name for n in groups["output"]] == ["r.z"]
    assert [n.name for n in groups["label"]] == ["labels"]


def test_a_clone_of_a_clone() -> None:
    network = load(
        "f = BS.Network.CloneFunction (net.h1, net.L4_y)\ng = BS.Network.CloneFunction (x, f (x))\nq = g (Exp (x))"
    ).network
    assert without_input(network) == {"q", "q.input_0"}


def test_an_output_that_is_an_input() -> None:
    network = load("f = BS.Network.CloneFunction (net.h1, net.h1)\nq = Exp (f (x))").network
    assert network["q"].inputs == [network["x"]]


def test_the_model_itself_is_not_changed() -> None:
    before = {n.name: (dict(n.attributes), list(n.tags)) for n in MODEL}
    load(
        "f = BS.Network.CloneFunction (net.features, net.bn, parameters = 'constant')\nq = f (x)\nz = net.bn\noutputNodes = (z)"
    )
    assert {n.name: (dict(n.attributes), list(n.tags)) for n in MODEL} == before


@pytest.mark.parametrize(("text", "rule", "at"), [
    ("f = BS.Network.CloneFunction (net.labels, net.z)", "clone", "net.labels"),
    ("f = BS.Network.CloneFunction (net.features, net.z, parameters = 'Constant')", "clone", "'Constant'"),
    ("f = BS.Network.CloneFunction (net.features, net.z, parameters = 'frozen')", "clone", "'frozen'"),
    ("f = BS.Network.CloneFunction (net.features, net.z, parameters = 1)", "wrong-type", "1"),
    ("f = BS.Network.CloneFunction (net.features, [])", "clone", "net.features"),
    ("f = BS.Network.CloneFunction (net.features, 3)", "clone", "3"),
    ("f = BS.Network.CloneFunction (net.features, net.z : net.ce)", "clone", "net.z : net.ce"),
    ("f = BS.Network.CloneFunction (net, net.z)", "clone", "net"),
    ("f = BS.Network.CloneFunction (net.features)", "missing-argument", "BS.Network.CloneFunction (net.features)"),
    ("f = BS.Network.CloneFunction (net.features, net.z)\nq = f ()", "missing-argument", "f ()"),
    ("f = BS.Network.CloneFunction (net.features, net.z)\nq = f (x, x)", "too-many-arguments", "x"),
    ("f = BS.Network.CloneFunction (net.features, net.z)\nq = f (3)", "wrong-type", "f (3)"),
    ("f = CloneFunction (net.features, net.z)", "unknown-identifier", "CloneFunction"),
    ("n = BS.Network.Load (3)", "wrong-type", "3"),
    ("q = net + 1", "wrong-type", "net + 1"),
    ("q = Exp (net)", "wrong-type", "Exp (net)"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_mistakes(text: str, rule: str, at: str, strict: bool) -> None:
    assert load(text, strict).said == [f"{rule}: {at}"]


@pytest.mark.parametrize(("text", "fixed"), [
    ("f = CloneFunction (net.features, net.z)", "f = BS.Network.CloneFunction (net.features, net.z)"),
    ("f = BS.Network.CloneFunction (net.features, net.z, parameters = 'Constant')", "parameters = 'constant')"),
])  # fmt: skip
def test_what_was_meant(text: str, fixed: str) -> None:
    assert fixed in mended(load(text))
