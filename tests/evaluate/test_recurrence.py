"""The delays of the library: names and shapes as CNTK 2.7 has them, in loops and without."""

from __future__ import annotations

import pytest
from networks import evaluate

HEAD = "x = Input {2}\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "R = ParameterTensor {(3:3)}\nW = ParameterTensor {(3:2)}\nh = Tanh (W * x + R * PastValue (3, h, defaultHiddenActivation = 0))",
            {"h.z.PlusArgs[1].TimesArgs[1]": "PastValue", "h.z.PlusArgs[1]": "Times", "h": "Tanh"},
        ),
        (
            "cell = { prev = FutureValue (2, state) ; state = Sigmoid (x + 0.5 .* prev) ; out = state - 0.5 }\nz = cell.out",
            {"cell.prev": "FutureValue", "cell.state._.PlusArgs[1]": "ElementTimes", "cell.state": "Sigmoid"},
        ),
        (
            "Acc (v) = { s = v + 0.3 .* PastValue (0, s, timeStep = 2) }.s\nacc = Acc (x)",
            {"acc.s.PlusArgs[1].ElementTimesArgs[1]": "PastValue", "acc": "Plus"},
        ),
        ("a = DelayLayer {} (x)\nb = DelayLayer {T = -2} (x)\nc = Exp (DelayLayer {T = 0} (x))", {"a": "PastValue", "b": "FutureValue", "c": "Exp"}),
        ("a = Delay (2, x, initialState = Constant (1, rows = 2))", {"a": "PastValue"}),
    ],
)  # fmt: skip
def test_names(text: str, names: dict[str, str]) -> None:
    assert names.items() <= evaluate(HEAD + text).names.items()


def test_values_of_the_arguments() -> None:
    network = evaluate(HEAD + "a = PastValue (2, x)\nb = DelayLayer {T = -3, defaultHiddenActivation = 1} (x)\nc = PastValue (0, x, initialState = Constant (1, rows = 2))").network  # fmt: skip
    assert (network["a"].attributes["timeStep"], network["a"].attributes["defaultHiddenActivation"]) == (1, 0.1)
    assert (network["b"].attributes["timeStep"], network["b"].attributes["defaultHiddenActivation"]) == (3, 1)
    assert [i.op for i in network["c"].inputs] == ["InputValue", "LearnableParameter"]


def test_a_circle_without_a_delay() -> None:
    (found,) = evaluate(HEAD + "h = Tanh (x + h)").findings
    assert found.rule == "cyclic-definition"
