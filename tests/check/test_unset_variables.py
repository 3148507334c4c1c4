"""A `$x$` whose value is given on the command line: one finding, and everything else is checked nevertheless."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.finding import Finding
from bsls.project.files import Files

CONFIG = """command = Train:Test
modelPath = "$Dir$/m.dnn"
Train = {
    action = "train"
    BrainScriptNetworkBuilder = { x = Input {3} ; L = { h = Tanh (x) } ; ce = SquareError (x, L.h) ; criterionNodes = (ce) ; outputNodes = (L.h) }
    SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
    reader = { readerType = "CNTKTextFormatReader" ; file = "$Dir$/t.txt" ; input = { x = { dim = 3 ; format = "dense" } } }
}
Test = {
    action = "write" ; outputNodeNames = L.h ; outputPath = "$Dir$/out"
    reader = { readerType = "CNTKTextFormatReader" ; file = "$Dir$/t.txt" ; input = { x = { dim = 3 ; format = "dense" } } }
}
Unused = { action = "train" ; modelPath = "$Nothing$" }
"""


def check(folder: Path, *changes: tuple[str, str]) -> list[Finding]:
    text = CONFIG
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "c.cntk").write_text(text)
    return check_config(["configFile=c.cntk"], Files(str(folder)))[0]


def test_one_finding_with_all_places(tmp_path: Path) -> None:
    (found,) = check(tmp_path)
    assert (found.rule, found.message) == ("undefined-variable", "$Dir$ has no value")
    assert [r.span.start_position.line for r in found.related] == [6, 9, 10]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (("SquareError (x, L.h)", "SquareError (x, L.nothing)"), ["undefined-variable", "unknown-identifier"]),
        (("outputNodeNames = L.h", "outputNodeNames = L.g"), ["undefined-variable", "unknown-node"]),
        (("dim = 3", "dim = 4"), ["reader-dim-mismatch", "reader-dim-mismatch", "undefined-variable"]),
        (("maxEpochs = 1", "maxEpochs = one"), ["config-value", "undefined-variable"]),
    ],
)
def test_other_mistakes_are_found(tmp_path: Path, change: tuple[str, str], rules: list[str]) -> None:
    assert sorted(f.rule for f in check(tmp_path, change)) == rules


@pytest.mark.parametrize(
    "change",
    [
        ("dim = 3", "dim = $Dim$"),
        ("maxEpochs = 1", "maxEpochs = $N$"),
        ("Input {3}", "Input {$Dim$}"),
        ('action = "write"', 'action = "$What$"'),
        ("command = Train:Test", "command = Train:$More$"),
        ("outputNodeNames = L.h", "outputNodeNames = $Node$"),
        ('"CNTKTextFormatReader"', '"$Reader$"'),
        ("input = { x = { dim = 3 ; format = \"dense\" } }", "input = $Streams$"),
        ("Tanh (x)", 'Tanh (BS.Network.Load ("$Dir$/other.dnn").x)'),
        ("SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }", "SGD = $Settings$"),
    ],
    ids=lambda change: change[1],
)  # fmt: skip
def test_what_depends_on_it_is_no_second_finding(tmp_path: Path, change: tuple[str, str]) -> None:
    found = check(tmp_path, change)
    assert {f.rule for f in found} == {"undefined-variable"}
    assert len(found) == len({f.message for f in found}) <= 2


def test_a_model_by_the_same_unset_path_is_known(tmp_path: Path) -> None:
    load = 'net = BS.Network.Load ("$Dir$/m.dnn") ; y = net.L.h ; x = Input {3}'
    more = f'Again = {{ action = "write" ; outputPath = "o" ; BrainScriptNetworkBuilder = {{ {load} ; outputNodes = (y) }} ; reader = {{ readerType = "CNTKTextFormatReader" ; file = "$Dir$/t.txt" ; input = {{ x = {{ dim = 3 ; format = "dense" }} }} }} }}\nUnused ='
    found = check(tmp_path, ("command = Train:Test", "command = Train:Again"), ("Unused =", more))
    assert [f.rule for f in found if f.rule != "undefined-variable"] == ["model-node"]
