"""`bsls eval` and `bsls config`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processes import bsls

CONFIG = """\
command = Train
dim = 3
name = "m$dim$"
Train = [
    action = "train"
    modelPath = "$name$.dnn"
    BrainScriptNetworkBuilder = {
        n = $dim$
        f (x) = x * n
        x = Input {n} ; y = Input {2}
        z = LinearLayer {2} (x)
        ce = CrossEntropyWithSoftmax (y, z)
        criterionNodes = (ce)
    }
    SGD = [ maxEpochs = 1 ; minibatchSize = 4 ]
]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.cntk").write_text(CONFIG)
    (tmp_path / "more.cntk").write_text('Train = [ SGD = [ maxEpochs = 9 ] ]\nlost = "$nowhere$"\n')
    (tmp_path / "lib.bs").write_text("Twice (x) = 2 * x\nlist = (1 : 2)\n")
    return tmp_path


@pytest.mark.parametrize(("arguments", "shown"), [
    (["c.cntk", "f (2) + 1"], "7\n"),
    (["configFile=c.cntk", "dim=5", "n : 'a'"], "( 5\n  a )\n"),
    (["c.cntk", "--set", "dim=4", "n"], "4\n"),
    (["c.cntk", "z"], "z : Plus [2 x *] (\n  z.PlusArgs[0]\n  z.b\n)\n"),
    (["c.cntk", "network.z.inputs[0].name"], "z.PlusArgs[0]\n"),
    (["c.cntk", "Print ('twice') + ''"], "twice\ntwice\n"),
    (["lib.bs", "Twice (list[1])"], "4\n"),
    (["Fac (5)"], "120\n"),
    (["[ b = 1 ; a = true ]"], "[\n  a = true\n  b = 1\n]\n"),
])  # fmt: skip
def test_eval(arguments: list[str], shown: str, folder: Path) -> None:
    done = bsls(folder, "eval", *arguments)
    assert (done.code, done.out, done.err) == (0, shown, "")


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["c.cntk", "m"], 1, "error: <expression>:1:1: unknown identifier 'm'"),
    (["c.cntk", "1 +"], 1, "error: <expression>:1:3: operand expected"),
    (["missing.cntk", "1"], 1, "error: missing.cntk:1:1: cannot read 'missing.cntk'"),
    (["c.cntk", "--command", "Test", "1"], 2, "the config runs no command 'Test', only Train"),
    (["f (1)"], 1, "unknown identifier 'f'"),
    (["c.cntk", "f (f)"], 1, "error: c.cntk:9:17: operator * cannot be applied"),
])  # fmt: skip
def test_eval_of_what_is_wrong(arguments: list[str], code: int, said: str, folder: Path) -> None:
    done = bsls(folder, "eval", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_config_is_a_config_with_places(folder: Path) -> None:
    done = bsls(folder, "config", "c.cntk+more.cntk", "dim=5")
    assert done.err == ""
    lines = [line.split("  #")[0].rstrip() for line in done.out.splitlines()]
    assert 'modelPath = "m5.dnn"' in [line.strip() for line in lines]
    assert "        maxEpochs = 9" in lines
    assert 'lost = "$nowhere$"' in lines
    places = {line.split(" = ")[0].strip(): line.rpartition("# ")[2] for line in done.out.splitlines() if "# " in line}
    assert places["maxEpochs"] == "more.cntk:1"
    assert places["minibatchSize"] == "c.cntk:15"
    assert places["dim"] == "<command line>:1"
    (folder / "again.cntk").write_text(done.out)
    assert [line.split("  #")[0].rstrip() for line in bsls(folder, "config", "again.cntk").out.splitlines()] == lines


def test_config_as_json(folder: Path) -> None:
    done = bsls(folder, "config", "c.cntk", "--format", "json")
    values = {value["key"]: value for value in json.loads(done.out)["values"]}
    assert values["name"]["value"] == "m3"
    assert values["name"]["range"]["start"] == {"line": 2, "character": 7}
    inner = {value["key"]: value for value in values["Train"]["values"]}
    assert [v["key"] for v in inner["SGD"]["values"]] == ["maxEpochs", "minibatchSize"]
    assert inner["BrainScriptNetworkBuilder"]["value"].startswith("{\n        n = 3\n")


def test_config_that_cannot_be_read(folder: Path) -> None:
    (folder / "bad.cntk").write_text("command = a\nb = [ c = 1\n")
    done = bsls(folder, "config", "bad.cntk")
    assert (done.code, done.out) == (1, "")
    assert "error: bad.cntk:2:" in done.err
