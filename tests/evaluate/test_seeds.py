"""Seeds of random parameters: one counter, in the order in which nodes are made."""

from __future__ import annotations

import pytest
from networks import evaluate

from bsls.evaluate.environment import Counters

DELAY = "D (v) = new ComputationNode [ operation = 'PastValue' ; inputs = v ; shape = 3 ; timeStep = 1 ; defaultHiddenActivation = 0.1 ]\n"


@pytest.mark.parametrize(("text", "seeds"), [
    ("z = W * x + b\nb = ParameterTensor {3}\nW = ParameterTensor {(3:3)}", {"W": 1, "b": 2}),
    ("z = (A + B) * (C + E)\nA = p (1)\nB = p (1)\nC = p (1)\nE = p (1)\np (n) = ParameterTensor {(3:3)}\noutputNodes = (z)",
     {"A": 1, "B": 2, "C": 3, "E": 4}),
    ("z = Sequential (LinearLayer {2} : LinearLayer {3} : LinearLayer {4}) (x)",
     {"z.arrayOfFunctions[2].W": 1, "z.arrayOfFunctions[1].W": 2, "z.arrayOfFunctions[0].W": 3}),
    ("b = ParameterTensor {3}\nA = ParameterTensor {3}\n_c = ParameterTensor {3}", {"A": 1, "_c": 2, "b": 3}),
    ("A = ParameterTensor {3}\nz = ParameterTensor {3}\ny = ParameterTensor {3}\noutputNodes = (z)\ncriterionNodes = (y)",
     {"y": 1, "z": 2, "A": 3}),
    ("r = {w = ParameterTensor {3} ; u = ParameterTensor {3}}\na = (ParameterTensor {3} : ParameterTensor {3})\nz = r.u + a[1]",
     {"r.u": 1, "a[1]": 2}),  # what is not used takes no seed
    ("b = ParameterTensor {3}\nc = ParameterTensor {3, randomSeed = 7}\nd = ParameterTensor {3, initValue = 1}\n"
     "e = ParameterTensor {3, init = 'fixedValue', value = 2}\nf = ParameterTensor {3, init = 'bilinear'}\n"
     "g = ParameterTensor {3, initFromFilePath = 'w'}\nh = ParameterTensor {1, init = 'fromLiteral', initFromLiteral = '1'}\n"
     "i = Constant (3)\nj = ParameterTensor {3, randomSeed = 0}\nk = ParameterTensor {3, init = 'gaussian'}",
     {"b": 1, "c": 7, "j": 0, "k": 2}),
    ("h = Sigmoid (W * x + U * D (h))\nW = ParameterTensor {(3:3)}\nU = ParameterTensor {(3:3)}", {"U": 1, "W": 2}),
    ("r = {d = D (Times (V, x)) ; V = ParameterTensor {(3:3)} ; w = ParameterTensor {3} ; z = d + w}\nz = r.z", {"r.w": 1, "r.V": 2}),
])  # fmt: skip
def test_order(text: str, seeds: dict[str, int]) -> None:
    assert evaluate("x = Input (3)\n" + DELAY + text).seeds == seeds


def test_the_counter_runs_on_over_networks() -> None:
    counters = Counters()
    text = "b = ParameterTensor {3}\nc = ParameterTensor {3}"
    assert evaluate(text, counters=counters).seeds == {"b": 1, "c": 2}
    assert evaluate(text, counters=counters).seeds == {"b": 3, "c": 4}
    assert evaluate(text).seeds == {"b": 1, "c": 2}


def test_constant_seeds() -> None:
    text = "b = ParameterTensor {3}\nc = ParameterTensor {3}\nd = ParameterTensor {3, randomSeed = 5}"
    assert evaluate(text, counters=Counters(constant_seed=True)).seeds == {"b": 1, "c": 1, "d": 5}
