"""`edit`: models put together from others, with the right values in them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.project.project import Project
from bsls.shape import Shape
from bstorch.main import Runtime

CONFIG = """command = e
e = [ action = edit ; %s ]
"""
SCRIPT = """m = LoadModel (old.dnn)
SetDefaultModel (m)
V = Parameter (2, 2, init = fixedValue, value = 0.5, learningRateMultiplier = 0)
t = Times (V, h)
SetProperty (t, output, true)
ReviseParameter (W, w.txt)
Dump (m, out/all.txt, includeData = true)
DumpNode (h, h.txt)
SaveModel (m, out/new.dnn)
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = Network()
    x = Node("InputValue", "x", attributes={"dims": (2,), "dynamicAxis": ""}, shape=Shape((2,)))
    values = ArrayWeights(np.arange(4, dtype=np.float32).reshape(2, 2))
    w = Node("LearnableParameter", "W", attributes={"dims": (2, 2), "learningRateMultiplier": 1.0}, value=values)
    for node in (x, w, Node("Times", "h", [w, x], {"outputRank": 1, "inferInputRankToMap": -1})):
        network.add(node)
    network.tag(x, "feature")
    v1.write(network, "old.dnn")
    Path("w.txt").write_text("1 2\n3 4\n")


def run(settings: str) -> str:
    Path("c.cntk").write_text(CONFIG % settings)
    log = io.StringIO()
    Runtime(stderr=log).run(Project(["configFile=c.cntk"], foresee=False))
    return log.getvalue()


def test_script() -> None:
    Path("e.mel").write_text(SCRIPT)
    assert "Revise node W using parameter file w.txt" in run('editPath = "e.mel"')
    new = v1.read("out/new.dnn")
    assert {n.name: n.value.array().T.tolist() for n in new.parameters if n.value is not None} == {
        "V": [[0.5, 0.5], [0.5, 0.5]], "W": [[1, 2], [3, 4]],
    }  # fmt: skip
    assert not new["V"].is_learnable and new["W"].is_learnable
    assert [n.name for n in new.groups["output"]] == ["t"] and [i.name for i in new["t"].inputs] == ["V", "h"]
    assert (
        "W=LearnableParameter [2,2]" in Path("out/all.txt").read_text() and " 3 4 " in Path("out/all.txt").read_text()
    )
    assert Path("h.txt").read_text() == " \nh=Times ( W , x )"


def test_description() -> None:
    settings = (
        'outputModelPath = n.dnn ; BrainScriptNetworkBuilder = { old = BS.Network.Load ("old.dnn") ; z = Tanh (old.h) }'
    )
    assert "Model with 4 nodes saved as 'n.dnn'." in run(settings)
    assert v1.read("n.dnn")["z"].op == "Tanh"
    assert "'n.dnn' exists, skipping." in run(settings)


def test_the_first_mistake_ends_it_and_what_was_saved_stays() -> None:
    Path("e.mel").write_text("m = LoadModel (old.dnn)\nSaveModel (m, a.dnn)\nRename (m.q, m.r)\nSaveModel (m, b.dnn)")
    with pytest.raises(BsError) as raised:
        run('editPath = "e.mel"')
    assert str(raised.value.finding.span) == "e.mel:3:9"
    assert Path("a.dnn").exists() and not Path("b.dnn").exists()
