"""Networks that cannot be: one finding each, at the place that is to be mended, and no crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.finding import Severity
from bsls.project.files import Files

CONFIG = """command = T
T = {{
    action = "train" ; modelPath = "m.dnn"
    BrainScriptNetworkBuilder = {{
        x = Input {{3}} ; y = Input {{2}}
        {0}
        ce = CrossEntropyWithSoftmax (y, LinearLayer {{2}} (z))
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce)
    }}
    SGD = {{ maxEpochs = 1 ; learningRatesPerSample = 0.1 }}
    reader = {{ file = "d.txt" ; input = {{ x = {{ dim = 3 ; format = "dense" }} ; y = {{ dim = 2 ; format = "dense" }} }} }}
}}
"""


def errors(network: str, folder: Path) -> list[tuple[str, str, str]]:
    (folder / "c.cntk").write_text(CONFIG.format(network))
    (folder / "d.txt").write_text("|x 1 2 3 |y 1 0\n")
    found = check_config(["configFile=c.cntk"], Files(str(folder)))[0]
    return [(f.rule, f.span.text if f.span else "", f.message) for f in found if f.severity >= Severity.ERROR]


@pytest.mark.parametrize(("network", "place", "words"), [
    ("z = LinearLayer {0} (x)", "LinearLayer {0} (x)", "the output dimensions of 'z.W' [0 x 0] are not given"),
    ("z = LinearLayer {-2} (x)", "-2", "-2 is no dimension"),
    ("z = LinearLayer {2.5} (x)", "2.5", "is no dimension"),
    ("z = LinearLayer {(0/0)} (x)", "(0/0)", "nan is no dimension"),
    ("z = LinearLayer {(1/0)} (x)", "(1/0)", "inf is no dimension"),
    ("z = LinearLayer {(2:'a')} (x)", "'a'", "a string is no dimension"),
    ("z = LinearLayer {x} (x)", "x", "a node is no dimension"),
    ("z = x + ReduceSum (ParameterTensor {(1000000:1000000:1000000)})", "ParameterTensor {(1000000:1000000:1000000)}", "3.73e+09 GB"),
    ("z = x + ReduceSum (ParameterTensor {1e30})", "ParameterTensor {1e30}", "1e+30 elements"),
    ("u = Constant (1, rows = 1e7, cols = 1e7) ; z = Times (ParameterTensor {(3:0)}, u)", "Constant (1, rows = 1e7, cols = 1e7)", "elements"),
    ("z = x + ReduceSum (ParameterTensor {array [1..13] (i => 1)})", "ParameterTensor {array [1..13] (i => 1)}", "has 13 axes"),
    ("z = x + ReduceSum (ParameterTensor {array [1..12] (i => 1)})", "", ""),
    ("z = LinearLayer {3} (x) + z", "z", "'z' is used to compute 'z' itself"),
    ("h = Tanh (x + g) ; g = h .* 2 ; z = h", "h", "'h' is used to compute 'h' itself"),
    ("z = PastValue (3, z)", "PastValue (3, z)", "has no frames to look back or ahead to"),
    ("w = ParameterTensor {3} ; z = x + PastValue (3, w)", "PastValue (3, w)", "'w' [3] has no frames"),
    ("z = RecurrentLSTMLayer {3} (ParameterTensor {3})", "RecurrentLSTMLayer {3} (ParameterTensor {3})", "no frames"),
    ("z = Plus (x)", "Plus (x)", "'y' is missing"),
    ("z = Plus (x, x, x)", "x", "takes 2 arguments, 3 given"),
    ("z = new ComputationNode [ operation = 'Plus' ; inputs = (x) ]",
     "new ComputationNode [ operation = 'Plus' ; inputs = (x) ]", "Plus expects 2 inputs, but 1 were given"),
    ("z = Sigmoid (x, tag = 'ouput')", "'ouput'", "invalid group tag 'ouput'"),
    ("z = x + Constant (1, rows = 4)", "x + Constant (1, rows = 4)", "'x' [3 x *] and 'z.PlusArgs[1]' [4 x 1] do not fit"),
    ("z = x .* (Constant (1, rows = 2))", "x .* (Constant (1, rows = 2))", "do not fit element by element"),
    ("z = ReduceSum (x, axis = 5)", "ReduceSum (x, axis = 5)", "'x' [3 x *] has no axis 5"),
    ("z = Slice (2, 9, x)", "Slice (2, 9, x)", "the slice from 2 to 9 does not lie in axis 1 of 'x' [3 x *]"),
    ("z = ReshapeDimension (x, 1, (2:2))", "ReshapeDimension (x, 1, (2:2))", "cannot become [2 x 2]"),
    ("z = ConvolutionalLayer {8, (3:3)} (x)", "ConvolutionalLayer {8, (3:3)} (x)", "of rank 2 cannot slide over an operand [3]"),
    ("z = TransposeDimensions (x, 3, 4)", "TransposeDimensions (x, 3, 4)", "neither axis 3 nor axis 4 exists"),
    ("u = Input {3, dynamicAxis = 'nix'} ; z = LinearLayer {2} (x + u)", "Input {3, dynamicAxis = 'nix'}", "no DynamicAxis node 'nix'"),
    ("z = Splice ((x:y), axis = 2)", "Splice ((x:y), axis = 2)", "does not fit beside 'x' [3 x *] along axis 2"),
])  # fmt: skip
def test_one_finding(network: str, place: str, words: str, tmp_path: Path) -> None:
    found = errors(network, tmp_path)
    if not words:
        assert found == []
        return
    assert [where for _, where, _ in found] == [place]
    assert words in found[0][2]
