"""Operators on nodes, calls of operations, what a node knows of itself, groups."""

from __future__ import annotations

import pytest
from networks import evaluate, mended

HEAD = "x = Input (3)\ny = Input (3)\nW = ParameterTensor {(3:3)}\n"


@pytest.mark.parametrize(("expression", "op"), [
    ("W * x", "Times"), ("2 * x", "ElementTimes"), ("x * 2", "ElementTimes"), ("x .* y", "ElementTimes"), ("x + y", "Plus"),
    ("x - 1", "Minus"), ("1 / x", "Reciprocal"), ("x / 2", "ElementTimes"), ("-x", "Negate"), ("+x", "InputValue"), ("!x", "Minus"),
    ("x < y", "Less"), ("x <= y", "LessEqual"), ("x > y", "Greater"), ("x >= y", "GreaterEqual"), ("x == y", "Equal"),
    ("x != y", "NotEqual"), ("x && y", "ElementTimes"), ("x && true", "ElementTimes"), ("x && false", "InputValue"),
    ("x || true", "InputValue"), ("if x then x else y", "If"), ("if x then 1 else y", "If"),
])  # fmt: skip
def test_operators(expression: str, op: str) -> None:
    assert evaluate(f"{HEAD}v = Print ({{r = {expression}}}.r.operation)").printed == [op]


@pytest.mark.parametrize("expression", [
    "x / y", "2 / x", "x / true", "x ** 2", "x % 2", "x >> y", "x << 1", "x with y", "x + 'a'", "x + true", "x + {}", "x + (1:2)", "x + Sigmoid",
    "x || y", "x || false", "x && 1",
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_operators_that_nodes_do_not_have(expression: str, strict: bool) -> None:
    assert evaluate(f"{HEAD}v = {expression}", strict=strict).said == [f"wrong-type: {expression}"]


def test_division_of_nodes_is_mended() -> None:
    assert "v = ElementDivide (x + 1, (y))" in mended(evaluate(f"{HEAD}v = (x + 1) / (y)")).replace(
        "((x + 1),", "(x + 1,"
    )


@pytest.mark.parametrize(("expression", "shown"), [
    ("x.name", "x"), ("x.operation", "InputValue"), ("W.dim", "9"), ("W.dims", "( 3\n  3 )"), ("(x + y).inputs[1].name", "y"),
    ("(x + y).PlusArgs[0].name", "x"), ("Length (x.inputs)", "0"),
])  # fmt: skip
def test_members_of_nodes(expression: str, shown: str) -> None:
    assert evaluate(f"{HEAD}v = Print ({expression})").printed == [shown]


@pytest.mark.parametrize(("expression", "rule", "at"), [
    ("x.foo", "unknown-identifier", "foo"),
    ("x.Name", "unknown-identifier", "Name"),
    ("ParameterTensor {0}.dim", "wrong-value", "dim"),
])  # fmt: skip
def test_members_that_nodes_do_not_have(expression: str, rule: str, at: str) -> None:
    assert evaluate(f"{HEAD}v = {expression}").said == [f"{rule}: {at}"]


@pytest.mark.parametrize(("call", "rule", "at"), [
    ("Plus (x)", "missing-argument", "Plus (x)"),
    ("Plus (x, y, x)", "too-many-arguments", "x"),
    ("Plus (x, y, tga = '')", "unknown-parameter", "tga"),
    ("Plus (x, y, tag = 'feture')", "wrong-value", "'feture'"),
    ("Plus (x, 'a')", "wrong-type", "Plus (x, 'a')"),
    ("Plus (x, Sigmoid)", "wrong-type", "Plus (x, Sigmoid)"),
    ("Plus (x, {})", "wrong-type", "Plus (x, {})"),
    ("Input (2.5)", "wrong-type", "2.5"),
    ("Input (-1)", "wrong-type", "-1"),
    ("Input (1 / 0)", "wrong-type", "1 / 0"),
    ("Input (0 / 0)", "wrong-type", "0 / 0"),
    ("Input (x)", "wrong-type", "x"),
    ("Input (Floor (5 / 2))", "wrong-type", "Floor (5 / 2)"),
    ("Input (3, sparse = 1)", "wrong-type", "Input (3, sparse = 1)"),
    ("Parameter {2}", "missing-argument", "Parameter {2}"),
    ("ParameterTensor {2, init = 'gausian'}", "wrong-value", "'gausian'"),
    ("ParameterTensor {2, init = 'Uniform'}", "wrong-value", "'Uniform'"),
    ("ParameterTensor {2, initValue = 'a'}", "wrong-type", "'a'"),
    ("ParameterTensor {2, learningRateMultiplier = true}", "wrong-type", "true"),
    ("ParameterTensor {2, randomSeed = 1 / 0}", "wrong-type", "1 / 0"),
    ("ParameterTensor {2, randomSeed = 0 / 0}", "wrong-type", "0 / 0"),
    ("ParameterTensor {2, randomSeed = 0.5}", "wrong-type", "0.5"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_wrong_calls(call: str, rule: str, at: str, strict: bool) -> None:
    assert evaluate(f"{HEAD}v = {call}", strict=strict).said == [f"{rule}: {at}"]


@pytest.mark.parametrize(("text", "fixed"), [
    ("z = sigmoid (x)", "z = Sigmoid (x)"),
    ("z = (sigmoid) (x)", "z = (Sigmoid) (x)"),
    ("z = Relu (x)", "z = ReLU (x)"),
    ("z = Sigmoid (X)", "z = Sigmoid (x)"),
    ("hidden = x\nz = Sigmoid (hiden)", "z = Sigmoid (hidden)"),
    ("r = {hidden = x}\nz = (r.hiden)", "z = (r.hidden)"),
    ("z = Print (x.Name)", "z = Print (x.name)"),
    ("z = DenseLayer {3, activaton = ReLU} (x)", "z = DenseLayer {3, activation = ReLU} (x)"),
    ("f = CloneFunction (x, y)", "f = BS.Network.CloneFunction (x, y)"),
    ("z = BS.Netwrok.Load", "z = BS.Network.Load"),
])  # fmt: skip
def test_names_that_were_meant(text: str, fixed: str) -> None:
    assert fixed in mended(evaluate(HEAD + text, strict=False))


@pytest.mark.parametrize(("text", "groups"), [
    ("", {"feature": "x y"}),
    ("l = Input (3, tag = 'label')", {"feature": "x y", "label": "l"}),
    ("z = Sigmoid (x, tag = 'output')", {"feature": "x y", "output": "z"}),
    ("z = Sigmoid (x, tag = 'eval')\nc = Tanh (x, tag = 'criteria')", {"feature": "x y", "evaluation": "z", "criterion": "c"}),
    ("outputNodes = (x)", {"feature": "x y", "output": "x"}),
    ("outputNodes = x", {"feature": "x y", "output": "x"}),
    ("outputNodes = ((y : x) : (x : y))", {"feature": "y x", "output": "y x"}),
    ("z = Sigmoid (x, tag = 'output')\noutputNodes = (y : z)", {"feature": "y x", "output": "y z"}),
    ("criterionNodes = (a : b)\nevaluationNodes = (b)\na = Sigmoid (x)\nb = Tanh (x)\nlabelNodes = (y)\nfeatureNodes = (x)",
     {"criterion": "a b", "evaluation": "b", "label": "y", "feature": "x y"}),
    ("outputNodes = [| |]", {"feature": "x y"}),
    ("inputNodes = (x)\nevalNodes = (y)", {"feature": "y x"}),  # ordinary members
])  # fmt: skip
def test_groups(text: str, groups: dict[str, str]) -> None:
    found = evaluate("x = Input (3)\ny = Input (3)\n" + text).network.groups
    assert {group: " ".join(n.name for n in nodes) for group, nodes in found.items() if nodes} == groups


@pytest.mark.parametrize(("text", "at"), [
    ("outputNodes = 3", "3"), ("outputNodes = {}", "{}"), ("outputNodes = 'x'", "'x'"), ("criterionNodes = (x : 1)", "(x : 1)"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_groups_are_of_nodes(text: str, at: str, strict: bool) -> None:
    assert evaluate("x = Input (3)\n" + text, strict=strict).said == [f"wrong-type: {at}"]


@pytest.mark.parametrize(("name", "meant"), [
    ("evalNodes", "evaluationNodes"), ("criteriaNodes", "criterionNodes"), ("inputNodes", "featureNodes"), ("outputnodes", "outputNodes"),
    ("evaluationNode", "evaluationNodes"), ("outputNode", "outputNodes"),
])  # fmt: skip
def test_what_looks_like_a_group(name: str, meant: str) -> None:
    outcome = evaluate(f"x = Input (3)\n{name} = (x)", strict=False)
    assert outcome.said == [f"special-nodes: {name}"]
    assert f"{meant} = (x)" in mended(outcome)


@pytest.mark.parametrize(("attributes", "expected"), [
    ("", {"init": "uniform"}),
    (", init = 'gaussian', initValueScale = 2", {"init": "gaussian", "initValueScale": 2.0}),
    (", initValue = 0.5", {"init": "fixedValue", "value": 0.5}),
    (", init = 'fixedValue', value = 3", {"init": "fixedValue", "value": 3.0}),
    (", value = 3", {"init": "uniform"}),  # without init = 'fixedValue' it says nothing
    (", initFromFilePath = 'w.txt'", {"init": "fromFile", "initFromFilePath": "w.txt"}),
    (", initFromLiteral = '1'", {"init": "uniform"}),
    (", learningRateMultiplier = 0", {"learningRateMultiplier": 0.0}),
    (", randomSeed = 5", {"randomSeed": 5}),
])  # fmt: skip
def test_parameters(attributes: str, expected: dict[str, object]) -> None:
    node = evaluate(f"p = ParameterTensor {{(2:3){attributes}}}").network["p"]
    assert node.attributes["dims"] == (2, 3)
    assert {key: node.attributes[key] for key in expected} == expected


DELAY = "D (v) = new ComputationNode [ operation = 'PastValue' ; inputs = v ; shape = 3 ; timeStep = 1 ; defaultHiddenActivation = 0.1 ]\n"


@pytest.mark.parametrize(("text", "names"), [
    ("h = Sigmoid (x + D (h))\noutputNodes = (h)", "h h._ h._.PlusArgs[1] x"),
    ("h = D (h)", "h x"),
    ("a = D (Sigmoid (b))\nb = D (Tanh (a))", "a a.v b b.v x"),
])  # fmt: skip
def test_delays_close_loops(text: str, names: str) -> None:
    assert " ".join(sorted(evaluate("x = Input (3)\n" + DELAY + text).names)) == names


@pytest.mark.parametrize("strict", [True, False])
def test_mistakes_behind_a_delay(strict: bool) -> None:
    assert evaluate(DELAY + "h = D (foo)\nz = Sigmoid (h)", strict=strict).said == ["unknown-identifier: foo"]


@pytest.mark.parametrize(("text", "rule"), [
    ("d = D ([||])", "missing-argument"), ("d = D (x : x : x)", "too-many-arguments"), ("d = D (3)", "wrong-type"), ("d = D ({})", "wrong-type"),
    ("d = new ComputationNode [ operation = 'PastValue' ; shape = 3 ]", "missing-argument"),
    ("d = new ComputationNode [ operation = 'Sigmoid' ; inputs = [||] ]", "missing-argument"),
    ("d = new ComputationNode [ operation = 'Sigmoid' ; inputs = (x : x) ]", "too-many-arguments"),
    ("d = new ComputationNode [ operation = 'Plus' ; inputs = x ]", "missing-argument"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_number_and_kind_of_inputs(text: str, rule: str, strict: bool) -> None:
    assert [f.rule for f in evaluate("x = Input (3)\n" + DELAY + text, strict=strict).findings] == [rule]


@pytest.mark.parametrize("operation", ["Tan", "Pow", "TopK", "Assign"])
def test_operations_of_the_library_only(operation: str) -> None:
    made = f"new ComputationNode [ operation = '{operation}' ; inputs = x ]"
    assert evaluate(f"{HEAD}v = {made}").said == [f"unknown-operation: {made}"]


@pytest.mark.parametrize(("dims", "literal", "found"), [
    ("2:3", "1 2 3\n4 5 6", ""), ("2", "1\n\n2\n", ""), ("2:0", "1 2 3\n4 5 6", ""), ("0", "1 2\n3 4", ""), ("2:0:2", "1 2 3 4\n5 6 7 8", ""),
    ("2:3:2", "1 2 3\n4 5 6", "call"), ("3:2", "1 2 3\n4 5 6", "call"), ("2", "1 2", "call"), ("2:0:2", "1 2 3\n4 5 6", "call"),
    ("2:3", "1 2 3\n4 5", "literal"),
])  # fmt: skip
def test_initial_values_in_the_text(dims: str, literal: str, found: str) -> None:
    call = f"ParameterTensor {{({dims}), init = 'fromLiteral', initFromLiteral = '{literal}'}}"
    place = {"call": call, "literal": f"'{literal}'"}
    assert evaluate(f"v = {call}", strict=False).said == ([f"shape: {place[found]}"] if found else [])


@pytest.mark.parametrize(("text", "place"), [
    ("f {n} = ParameterTensor {n}\nv = f {'3'}", "'3'"),  # what was given, not where it did not do
    ("f {n} = ParameterTensor {(2:n)}\ng {k} = f {k}\nv = g {'3'}", "'3'"),
    ("f {n} = ParameterTensor {n}\nd = (1 : true : 3)\nv = f {d[1]}", "true"),
    ("f (s) = ParameterTensor {3, initValueScale = s}\nv = f ('1/3')", "'1/3'"),
    ("n = 'three'\nv = ParameterTensor {n}", "n"),  # a name says what it is: the use is wrong
    ("f {n = 'three'} = ParameterTensor {n}\nv = f {}", "'three'"),
])  # fmt: skip
def test_values_of_a_wrong_type_are_shown_where_they_were_given(text: str, place: str) -> None:
    assert evaluate(text, strict=False).said == [f"wrong-type: {place}"]
