"""`graph`, `model show`, `rules`, `explain`, help: good and bad arguments."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bsls.check.registry import all_rules
from processes import bsls
from small_project import changed, make_project

COMMANDS = ("check", "run", "resume", "graph", "model", "rules", "explain")
MODELS = Path(__file__).parents[1] / "golden" / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(MODELS / "adam.dnn", tmp_path)
    return make_project(tmp_path)


def test_help(folder: Path) -> None:
    top = bsls(folder, "--help")
    assert (top.code, top.err) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in top.out
        for option in ("--help", "-h"):
            result = bsls(folder, command, option)
            assert (result.code, result.err) == (0, "")
            assert result.out.startswith(f"Usage: bsls {command} ")
    assert bsls(folder, "model", "show", "--help").code == 0
    assert bsls(folder, "--version").out == "bsls, version 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "there is no command 'nope'"),
        (["chekc"], "there is no command 'chekc'; did you mean 'check'?"),
        (["--nope"], "No such option '--nope'."),
        (["run"], "Missing argument"),
        (["run", "--nope"], "No such option '--nope'."),
        (["run", "command=Train"], "no config file was given"),
        (["resume"], "Missing argument"),
        (["resume", "c.cntk", "--max-epochs", "0"], "0 is not in the range x>=1"),
        (["resume", "c.cntk", "--max-epochs", "many"], "'many' is not a valid integer"),
        (["graph"], "Missing argument"),
        (["graph", "c.cntk", "--command", "Nope"], "the config runs no command 'Nope', only Train, Test"),
        (["graph", "c.cntk", "--set", "x"], "'x' is not of the form KEY=VALUE"),
        (["graph", "c.cntk", "--format", "png"], "'png' is not one of 'log', 'table', 'json', 'dot', 'svg'"),
        (["model", "nope"], "there is no command 'nope'; did you mean 'nodes'?"),
        (["model", "show"], "Missing argument"),
        (["model", "diff", "adam.dnn"], "Missing argument 'AFTER'"),
        (["model", "show", "adam.dnn", "--format", "xml"], "'xml' is not one of"),
        (["rules", "more"], "unexpected extra argument (more)"),
        (["explain"], "Missing argument"),
        (["explain", "sintax"], "there is no rule 'sintax'; did you mean 'syntax'?"),
        (["explain", "zzz"], "there is no rule 'zzz' (see `bsls rules`)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments: list[str], message: str, folder: Path) -> None:
    result = bsls(folder, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.last
    assert "Traceback" not in result.err


def test_rules_and_explanations(folder: Path) -> None:
    listed = json.loads(bsls(folder, "rules", "--format", "json").out)
    assert [r["rule"] for r in listed] == list(all_rules())
    text = bsls(folder, "rules").out.splitlines()
    assert [line.split()[:2] for line in text] == [[r["code"], r["rule"]] for r in listed]
    for rule in all_rules().values():
        assert rule.summary.endswith(".") and rule.doc.strip()
    by_name, by_code = bsls(folder, "explain", "syntax"), bsls(folder, "explain", "bs001")
    assert by_name == by_code
    assert by_name.out.startswith("BS001 syntax: ")


def test_model_show(folder: Path) -> None:
    text = bsls(folder, "model", "show", "adam.dnn")
    assert text.code == 0
    assert text.out.startswith("adam.dnn: CNTK v1 model (version 31), ")
    shown = json.loads(bsls(folder, "model", "show", "adam.dnn", "--format", "json").out)
    assert {"nodes", "roots"} <= shown.keys()
    assert shown["roots"].keys() == {"feature", "label", "criterion", "evaluation", "output"}
    for node in shown["nodes"]:
        assert node.keys() == {"name", "access", "op", "inputs", "shape", "dims", "parameter", "learnable", "origin"}
    (folder / "folder").mkdir()
    for name, message in {
        "no.dnn": "error: cannot read 'no.dnn': No such file or directory",
        "folder": "error: 'folder' is not a file",
        "/dev/zero": "error: '/dev/zero' is not a file",
        "no\x1b[31m.dnn": "error: cannot read 'no\N{REPLACEMENT CHARACTER}[31m.dnn': No such file or directory",
    }.items():
        result = bsls(folder, "model", "show", name)
        assert (result.code, result.last) == (1, message)


def test_model_diff(folder: Path) -> None:
    shutil.copy(MODELS / "double.dnn", folder)
    same = bsls(folder, "model", "diff", "adam.dnn", "adam.dnn")
    assert (same.code, same.out, same.err) == (0, "the same nodes\n", "")
    other = bsls(folder, "model", "diff", "adam.dnn", "double.dnn")
    assert (other.code, other.err) == (1, "")
    assert other.out.endswith("12 removed, 5 added, 1 changed\n") and "\n+ o.z = Times (W, x) : " in other.out
    shown = json.loads(bsls(folder, "model", "diff", "adam.dnn", "double.dnn", "--format", "json").out)
    assert shown.keys() == {"before", "after", "equal", "added", "removed", "renamed", "changed", "roots"}
    assert shown["equal"] is False
    missing = bsls(folder, "model", "diff", "adam.dnn", "no.dnn")
    assert (missing.code, missing.last) == (1, "error: cannot read 'no.dnn': No such file or directory")


def test_graph(folder: Path) -> None:
    (folder / "data.txt").unlink()
    log = bsls(folder, "graph", "c.cntk")
    assert (log.code, log.err) == (0, "")
    assert [line for line in log.out.splitlines() if line[0] == "#"] == [
        "# Train command (train action)",
        "# Test command (test action)",
    ]
    assert "Validating --> z.PlusArgs[0] = Times (z.W, x) : [2 x 3], [3 x *] -> [2 x *]" in log.out
    only = bsls(folder, "graph", "c.cntk", "--command", "test")
    assert only.out.splitlines()[0] == "# Test command (test action)"
    form = json.loads(bsls(folder, "graph", "c.cntk", "--format", "json").out)
    assert [c["command"] for c in form["commands"]] == ["Train", "Test"]
    assert form["roots"]["criterion"] == ["ce"]
    assert not (folder / "models").exists()


def test_graphs_that_cannot_be_made(folder: Path) -> None:
    make_project(folder, changed(("LinearLayer {2} (x)", "LinearLayer {2} (u)")))
    result = bsls(folder, "graph", "c.cntk")
    assert (result.code, result.last) == (1, "error: c.cntk:13:30: unknown identifier 'u'")
    make_project(folder, changed(("command = Train:Test", "command = Test"), ('action = "train"', 'action = "write"')))
    assert bsls(folder, "graph", "adam.dnn").last == "error: adam.dnn:1:1: 'adam.dnn' is not a text file"
