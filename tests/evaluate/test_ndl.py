"""NDL: names of nodes, what can be used where, seeds, options; and what is wrong with a script."""

from __future__ import annotations

import pytest
from scripts import described, ndl_network, said

from bsls.evaluate.environment import Counters, Limits
from bsls.finding import BsError, Severity

BASE = """x = Input (4, tag = feature)
y = Input (3, tag = "label")
W = Parameter (3, 4)
t = Times (W, x)
ce = CrossEntropyWithSoftmax (y, t, tag = Criteria)
"""


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("h = tanh (t)", {"h": "Tanh t"}),
        ("h = ReLU (t) ; g = CosDist (h, t) , e = ErrorPrediction (y, t)", {"h": "RectifiedLinear t", "g": "CosDistance h t", "e": "ClassificationError y t"}),
        ("h = Sigmoid (Tanh (t))", {"h": "Sigmoid unnamed11", "unnamed11": "Tanh t"}),
        ("h = Plus (t, z)\nz = Sigmoid (t)", {"h": "Plus t z", "z": "Sigmoid t"}),
        ("h = Tanh (t)\ng = h", {"g": "Tanh t"}),
        ("h = Scale (Const (2), t)", {"h": "ElementTimes unnamed11 t", "unnamed11": "LearnableParameter"}),
        ("M (a, b) = [ s = Plus (a, b)\nr = Tanh (s) ]\nm = M (t, t)\nh = Sigmoid (m)", {"m.s": "Plus t t", "m.r": "Tanh m.s", "h": "Sigmoid m.r"}),
        ("L (a)\n{ r = Tanh (a) }\nh = Sigmoid (m.r)\nm = L (t)", {"m.r": "Tanh t", "h": "Sigmoid m.r"}),
        ("M (a) = [ M = Tanh (a)\nr = Exp (M) ]\nm = M (t)\nh = Sigmoid (m)", {"m.M": "Tanh t", "m.r": "Exp m.M", "h": "Sigmoid m.M"}),
        ("M (a) = Sigmoid (Tanh (a))\nm = M (t)", {"m.unnamed10": "Sigmoid m.unnamed13", "m.unnamed13": "Tanh t"}),
        ("M (a) = [ r = Tanh (a) ]\nN (a) = [ m = M (a)\nq = Exp (m) ]\nn = N (t)\nh = Exp (n.m.r)", {"n.m.r": "Tanh t", "n.q": "Exp n.m.r", "h": "Exp n.m.r"}),
        ("h = Sigmoid (p)\np = PastValue (3, h)", {"h": "Sigmoid p", "p": "PastValue h"}),
        ("h = RowStack (t, t, y)", {"h": "RowStack t t y"}),
        ("B = Parameter (3, 1)\nh = BatchNormalization (t, B, B, B, B)", {"B": "LearnableParameter", "h": "BatchNormalization t B B B B h.run_sample_count", "h.run_sample_count": "LearnableParameter"}),
    ],
)  # fmt: skip
def test_nodes(text: str, nodes: dict[str, str]) -> None:
    found = described(ndl_network(BASE + text).network)  # type: ignore[arg-type]
    assert {name: op for name, op in found.items() if name not in ("x", "y", "W", "t", "ce")} == nodes


@pytest.mark.parametrize(
    ("call", "attributes"),
    [
        ("Parameter (3, 4, init = Gaussian, initValueScale = 2)", {"dims": (3, 4), "init": "gaussian", "initValueScale": 2.0, "learningRateMultiplier": 1.0}),
        ("Parameter (3, 4, init = fixedvalue, value = 0.5, needGradient = false)", {"init": "fixedValue", "value": 0.5, "learningRateMultiplier": 0.0}),
        ("Parameter (3:4:2)", {"dims": (3, 4, 2)}),
        ("Parameter (2*3)", {"dims": (2, 2, 2)}),
        ("ImageParameter (9, 5, 4, 3)", {"dims": (9, 3, 5, 4)}),
        ("ImageParameter (5, 4, 3, imageLayout = cudnn)", {"dims": (5, 4, 3)}),
        ("Constant (n)", {"dims": (1, 1), "init": "fixedValue", "value": 3.0, "learningRateMultiplier": 0.0}),
        ("Const (2, rows = 3)", {"dims": (3, 1)}),
        ("ImageInput (5, 4, 3, imageLayout = cudnn)", {"dims": (5, 4, 3)}),
        ("Image (5, 4, 3)", {"dims": (3, 5, 4)}),
        ("SparseInput (n)", {"dims": (3,)}),
        ("RowSlice (1, 2, t)", {"beginIndex": 1, "endIndex": 3, "axis": 1}),
        ("RowRepeat (t, 2)", {"numRepeats": 2}),
        ("Delay (n, t, delayTime = 2, defaultHiddenActivity = 0)", {"shape": (3,), "timeStep": 2, "defaultHiddenActivation": 0.0}),
        ("FutureValue (3, 1, t)", {"shape": (3,), "timeStep": 1, "defaultHiddenActivation": 0.1}),
        ("Convolution (K, i, {n, 3, 2}, mapCount = 4, stride = {1, 1, 2}, autoPadding = {true, true, false})", {"kernelShape": (3, 3, 2), "mapCount": (4,), "strideShape": (1, 1, 2), "dimPadding": (True, True, False), "imageLayout": "CHW"}),
        ("Convolve (C, i, 3, 3, 4, 1, 1, zeroPadding = true, imageLayout = cudnn)", {"kernelShape": (3, 3, 1), "mapCount": (1, 1, 4), "dimPadding": (True,), "convolution2D": True}),
        ("Pooling (i, \"max\", {2, 2}, stride = 2, autoPadding = false)", {"pool": "max", "kernelShape": (2, 2), "strideShape": (2,), "dimPadding": (False,)}),
        ("MaxPooling (i, 2, 2, 1, 1, imageLayout = cudnn)", {"windowWidth": 2, "horizontalSubsample": 1, "imageLayout": "cudnn"}),
        ("Transpose (t)", {"axis1": 1, "axis2": 2}),
        ("Reshape (t, 3)", {"numRows": 3, "imageWidth": 0}),
    ],
)  # fmt: skip
def test_arguments_and_options(call: str, attributes: dict[str, object]) -> None:
    before = "n = 3\ni = ImageInput (6, 6, 2, imageLayout = cudnn)\nK = Parameter (4, 18)\nC = Parameter (4, 18)\n"
    network = ndl_network(BASE + before + f"node = {call}").network
    assert network is not None
    found = network["node"].attributes
    assert {name: found.get(name) for name in attributes} == attributes


def test_groups() -> None:
    lists = "LabelNodes = (y)\nCriterionNodes = (ce)\nEvalNodes = (e)\noutputnodes = {t, h}\n"
    network = ndl_network(BASE + lists + "e = ErrorPrediction (y, t)\nh = Tanh (t, tag = multiSeq)").network
    assert network is not None
    groups = {group: [n.name for n in nodes] for group, nodes in network.groups.items()}
    assert groups == {"feature": ["x"], "label": ["y"], "criterion": ["ce"], "evaluation": ["e"], "output": ["t", "h"]}


def test_seeds() -> None:
    macro = "Layer (a) = [ V = Parameter (3, 3)\nr = Times (V, a) ]\n"
    lines = "l = Layer (t)\nA = Parameter (3, init = fixedValue)\nB = Parameter (3, 3, init = gaussian, randomSeed = 7)\nm = Layer (l)\nn = Times (Parameter (3, 3), m)"
    counters = Counters()
    for offset, seeds in ((0, {"W": 1, "l.V": 2, "B": 7, "m.V": 3}), (10, {"W": 14, "l.V": 15, "B": 17, "m.V": 16})):
        network = ndl_network(BASE + lines, macro, counters=counters, seed_offset=offset).network
        assert network is not None
        random = [n for n in network.parameters if n.attributes["init"] != "fixedValue"]
        assert {n.name: n.attributes["randomSeed"] for n in random} == seeds  # the one without a name stays 0


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("h = Tahn (t)", "unknown-identifier: Tahn"),
        ("h = Tanh (tt)", "unknown-identifier: tt"),
        ("h = Tanh (L2.y)", "unknown-identifier: L2.y"),
        ("h = Tanh (t, x)", "too-many-arguments: Tanh (t, x)"),
        ("e = ErrorPrediction (y, tag = eval)", "missing-argument: ErrorPrediction (y, tag = eval)"),
        ("h = Plus (t, 3)", "wrong-type: 3"),
        ("P = Parameter (n, 4)", "unknown-identifier: n"),
        ("P = Parameter (n, 4)\nn = 3", "wrong-type: n"),
        ("P = Parameter (2.5, 4)", "config-value: 2.5"),
        ("P = Parameter (t, 4)", "wrong-type: t"),
        ("P = Parameter (3, init = unifrom)", "wrong-value: unifrom"),
        ("P = Parameter (3, init = fromFile)", "missing-argument: Parameter (3, init = fromFile)"),
        ("x = Input (3)", "duplicate-name: x = Input (3)"),
        ("W = 3", "duplicate-name: W"),
        ("log = Tanh (t)", "duplicate-name: log"),
        ("M (exp) = [ r = Tanh (exp) ]", "duplicate-name: exp"),
        ("M (a) = [ r = Tanh (a) ]\nm (a) = [ r = Tanh (a) ]", "duplicate-name: m"),
        ("h = Tanh (t, tag = outputs)", "wrong-value: outputs"),
        ("h = t (x)", "wrong-type: t"),
        ("h = Tanh", "wrong-type: Tanh"),
        ("M (a) = [ r = M (a) ]\nm = M (t)", "cyclic-definition: M (a)"),
        ("M (a, b) = [ r = Plus (a, b) ]\nm = M (t)\nq = Tanh (m)", "missing-argument: M (t)"),
        ("M (a) = [ r = Tanh (a) ]\nm = M (t, x)", "too-many-arguments: x"),
        ("M (a) = [ r = Tanh (b) ]\np = M (t)\nq = M (t)", "unknown-identifier: b"),
        ("M (a) = [ r = Tanh (a) ]\nm = M (t)\nn = M (t)", "wrong-type: M"),
        ("M (a) = [ n = 3\nV = Parameter (n, 4)\nr = Times (V, a) ]\nm = M (x)", "unknown-identifier: n"),
        ("M (a) = [ r = Tanh (a) ]\nm = M (Exp (t))", "unknown-identifier: Exp (t)"),
        ("M (a) = [ r = Tanh (a) ]\nh = Exp (M.r)", "wrong-type: M.r"),
        ("h = Atan (t)", "unknown-operation: Atan (t)"),
        ("h = Times (W, y)", "shape: Times (W, y)"),
        ("h = Tanh (W*x)", "syntax: W*x"),
        ("Tanh (t)", "syntax: Tanh (t)"),
        ("OutputNodes = (tt)", "unknown-identifier: tt"),
        ("h = Pooling (x, most, {2, 2})", "wrong-value: most"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_finding(text: str, finding: str) -> None:
    lines = BASE + text + "\n"
    evaluation = ndl_network(lines, strict=False)
    assert said([f for f in evaluation.findings if f.severity == Severity.ERROR]) == [finding]
    assert not evaluation.complete
    with pytest.raises(BsError) as raised:
        ndl_network(lines)
    assert said([raised.value.finding]) == [finding]


def test_what_depends_on_a_mistake_is_left_out() -> None:
    evaluation = ndl_network(BASE + "h = Tahn (t)\ng = Exp (h)\nf = Exp (t)", strict=False)
    assert said(evaluation.findings) == ["unknown-identifier: Tahn"]
    assert evaluation.network is not None
    assert "f" in evaluation.network and "g" not in evaluation.network


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("C = Constant (-1)", "syntax: -"),
        ("h = Tanh t", "syntax: Tanh t"),
        ("n = 4 m = 5", "syntax: 4 m = 5"),
        ("P = Parameter (3, val = 2)", "unknown-parameter: val"),
        ("evaluationNodes = (ce)", "special-nodes: (ce)"),
    ],
)
def test_what_runs_but_cannot_be_meant_is_a_warning(text: str, finding: str) -> None:
    evaluation = ndl_network(BASE + text, strict=False)
    assert said(evaluation.findings) == [finding]
    assert evaluation.complete
    assert evaluation.findings[0].severity == Severity.WARNING
    assert ndl_network(BASE + text).complete


def test_features_are_needed() -> None:
    with pytest.raises(BsError) as raised:
        ndl_network("x = Input (3)\nh = Tanh (x)")
    assert raised.value.finding.rule == "special-nodes"
    assert ndl_network("x = Input (3)\nh = Tanh (x)\nFEATURENODES = x").complete is True


def test_macros_that_multiply_end() -> None:
    lines = ["M0 (a) = [ r = Tanh (a) ]"]
    lines += [f"M{i} (a) = [ p = M{i - 1} (a)\nq = M{i - 1} (a) ]" for i in range(1, 40)]
    evaluation = ndl_network(BASE + "\n".join(lines) + "\nm = M39 (t)", strict=False, limits=Limits(nodes=1000))
    assert [f.rule for f in evaluation.findings] == ["nesting-limit"]
