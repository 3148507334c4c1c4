"""`bsls check`: forms of the report, exit codes, mending, choosing rules and files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import bsls
from small_project import CONFIG, all_files, changed, make_project

WRONG_ACTION = changed(('action = "train"', 'action = "Train"'))
TWO_MISTAKES = changed(('action = "test"', 'action = "Test"'), ("LinearLayer {2} (x)", "LinearLayr {2} (x)"))
WARNED = changed(("outputNodes = (z)", "outputNode = (z)"))


def report(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = bsls(folder, "check", "--format", "json", *arguments)
    assert "Traceback" not in result.err
    return result.code, json.loads(result.out)


def check_range(value: Any) -> None:
    assert value.keys() == {"start", "end"}
    for place in value.values():
        assert place.keys() == {"line", "character"}
        assert all(isinstance(n, int) and n >= 0 for n in place.values())
    assert (value["start"]["line"], value["start"]["character"]) <= (value["end"]["line"], value["end"]["character"])


def check_contract(found: dict[str, Any]) -> None:
    """Version 1 of the form, as docs/cli.md gives it."""
    assert list(found) == ["version", "diagnostics", "summary"]
    assert found["version"] == 1
    assert found["summary"].keys() == {"files", "errors", "warnings"}
    for diagnostic in found["diagnostics"]:
        assert diagnostic.keys() == {"path", "range", "severity", "code", "rule", "message", "related", "fixes"}
        check_range(diagnostic["range"])
        assert diagnostic["severity"] in ("error", "warning", "information", "hint")
        assert diagnostic["code"].startswith("BS") and diagnostic["rule"] and diagnostic["message"]
        for related in diagnostic["related"]:
            assert related.keys() == {"path", "range", "message"}
            check_range(related["range"])
        for fix in diagnostic["fixes"]:
            assert fix.keys() == {"title", "safe", "edits"}
            assert isinstance(fix["safe"], bool) and fix["edits"]
            for edit in fix["edits"]:
                assert edit.keys() == {"path", "range", "newText"}
                check_range(edit["range"])
    for word in ("error", "warning"):
        assert found["summary"][f"{word}s"] == sum(d["severity"] == word for d in found["diagnostics"])


def test_json(tmp_path: Path) -> None:
    make_project(tmp_path, TWO_MISTAKES.replace("x = Input {3}", "x = Input {3}  # größer"))
    code, found = report(tmp_path, "c.cntk")
    check_contract(found)
    assert code == 1
    assert found["summary"] == {"files": 1, "errors": 2, "warnings": 0}
    layer, action = found["diagnostics"]
    assert (layer["path"], layer["rule"], layer["code"]) == ("c.cntk", "unknown-identifier", "BS101")
    assert layer["range"] == {"start": {"line": 12, "character": 12}, "end": {"line": 12, "character": 22}}
    assert action["range"]["start"] == {"line": 18, "character": 19}
    assert action["fixes"] == [
        {
            "title": "change to test",
            "safe": True,
            "edits": [{"path": "c.cntk", "range": action["range"], "newText": "test"}],
        }
    ]


@pytest.mark.parametrize(
    "config",
    [
        CONFIG, "", WARNED, changed(("maxEpochs = 3", "maxEpochs =")), changed(("Input {3}", "Input {4}")),
        changed(("models/m.dnn", "$a$/$a$")), changed(("command = Train:Test", "command = Write:Dump")),
    ],
    ids=["right", "empty", "warning", "syntax", "dimension", "variable", "model"],
)  # fmt: skip
def test_json_keeps_its_form(config: str, tmp_path: Path) -> None:
    code, found = report(make_project(tmp_path, config), "c.cntk")
    check_contract(found)
    assert code == (1 if found["summary"]["errors"] else 0)


def test_exit_codes(tmp_path: Path) -> None:
    make_project(tmp_path, WARNED)
    assert bsls(tmp_path, "check", "c.cntk").code == 0
    assert bsls(tmp_path, "check", "c.cntk", "--fail-level", "warning").code == 1
    make_project(tmp_path, WRONG_ACTION)
    assert bsls(tmp_path, "check", "c.cntk", "--fail-level", "error").code == 1
    make_project(tmp_path)
    assert bsls(tmp_path, "check", "c.cntk", "--fail-level", "warning").code == 0


def test_chosen_rules(tmp_path: Path) -> None:
    make_project(tmp_path, TWO_MISTAKES)

    def rules(*options: str) -> set[str]:
        return {d["rule"] for d in report(tmp_path, "c.cntk", *options)[1]["diagnostics"]}

    assert rules() == {"unknown-identifier", "unknown-action"}
    assert (
        rules("--select", "unknown-action")
        == rules("--select", "BS011")
        == rules("--ignore", "bs101")
        == {"unknown-action"}
    )
    assert rules("--select", "unknown-action", "--select", "unknown-identifier") == rules()
    assert rules("--ignore", "unknown-action", "--ignore", "unknown-identifier") == set()
    assert bsls(tmp_path, "check", "c.cntk", "--ignore", "unknown-action", "--ignore", "unknown-identifier").code == 0


ENCODINGS = {
    "plain": (WRONG_ACTION.encode(), 0o640),
    "Windows": (WRONG_ACTION.replace("\n", "\r\n").encode(), 0o600),
    "both line ends": (WRONG_ACTION.replace("\n", "\r\n", 12).encode(), 0o644),
    "marked": (b"\xef\xbb\xbf" + WRONG_ACTION.replace("\n", "\r\n").encode(), 0o755),
    "Latin-1": (b"# Gr\xfc\xdfe\n" + WRONG_ACTION.encode(), 0o644),
    "UTF-8": (("# Grüße €\n" + WRONG_ACTION).encode(), 0o644),
    "no last line end": (WRONG_ACTION.rstrip("\n").encode(), 0o644),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_mending_changes_nothing_else(name: str, tmp_path: Path) -> None:
    data, mode = ENCODINGS[name]
    path = make_project(tmp_path, data) / "c.cntk"
    path.chmod(mode)
    result = bsls(tmp_path, "check", "--fix", "c.cntk")
    assert (result.code, result.out) == (0, "c.cntk: 1 mended\nno problems found in 1 file\n")
    assert path.read_bytes() == data.replace(b'"Train"', b'"train"')
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.cntk", "data.txt"]
    assert bsls(tmp_path, "check", "--fix", "c.cntk").out == "no problems found in 1 file\n"


def test_mending_several_places_and_files(tmp_path: Path) -> None:
    """An included file is changed once, though two configs include it; what is left is reported."""
    make_project(tmp_path, TWO_MISTAKES.replace('action = "train"', 'action = "Train"'))
    (tmp_path / "common.cntk").write_text('Apply = { action = "wriet" ; outputPath = "o" }\n')
    for name in ("d", "e"):
        (tmp_path / f"{name}.cntk").write_text(
            "include=common.cntk\n" + changed(("command = Train", "command = Apply:Train"))
        )
    assert bsls(tmp_path, "check", "d.cntk", "e.cntk").out.count("error: unknown action 'wriet'") == 1
    result = bsls(tmp_path, "check", "--fix", "c.cntk", "d.cntk", "e.cntk", "common.cntk", "--ignore", "missing-key")
    assert "c.cntk: 2 mended" in result.out and "common.cntk: 1 mended" in result.out
    assert "unknown identifier 'LinearLayr'" in result.out or "LinearLayer {2} (x)" in (tmp_path / "c.cntk").read_text()
    assert (tmp_path / "common.cntk").read_text() == 'Apply = { action = "write" ; outputPath = "o" }\n'
    text = (tmp_path / "c.cntk").read_text()
    assert 'action = "train"' in text and 'action = "test"' in text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    make_project(tmp_path, WRONG_ACTION)
    (tmp_path / "c.cntk").rename(tmp_path / "real")
    (tmp_path / "c.cntk").symlink_to("real")
    assert bsls(tmp_path, "check", "--fix", "c.cntk").code == 0
    assert (tmp_path / "c.cntk").is_symlink()
    assert (tmp_path / "real").read_text() == CONFIG


def test_a_read_only_file_is_not_changed(tmp_path: Path) -> None:
    path = make_project(tmp_path, WRONG_ACTION) / "c.cntk"
    path.chmod(0o444)
    result = bsls(tmp_path, "check", "--fix", "c.cntk")
    assert result.code == 1
    assert result.last.startswith("error: ") and result.last.endswith("c.cntk' is read-only")
    assert path.read_text() == WRONG_ACTION


def test_diff(tmp_path: Path) -> None:
    before = all_files(make_project(tmp_path, WRONG_ACTION))
    for options in (["--diff"], ["--diff", "--fix"]):
        result = bsls(tmp_path, "check", "c.cntk", *options)
        assert result.code == 1
        assert result.out.splitlines()[:2] == ["--- c.cntk", "+++ c.cntk"]
        assert '\n-    action = "Train"\n+    action = "train"\n' in result.out
    assert all_files(tmp_path) == before
    assert bsls(make_project(tmp_path), "check", "c.cntk", "--diff").code == 0


def test_paths(tmp_path: Path) -> None:
    """Folders and files; each once, and relative paths count from the folder of each config."""
    for name in ("a", "b/deep"):
        (tmp_path / name).mkdir(parents=True)
        make_project(tmp_path / name)
    (tmp_path / "b" / "bad.cntk").write_text(WRONG_ACTION)
    (tmp_path / "b" / "notes.txt").write_text("{{{")
    result = bsls(tmp_path, "check", ".", "a/c.cntk", "./a/c.cntk")
    assert result.code == 1
    assert "\n1 error, 0 warnings in 3 files" in result.out
    assert "\nb/bad.cntk:9:15: error: unknown action 'Train' [unknown-action]\n" in result.out
    code, found = report(tmp_path, "b")
    check_contract(found)
    assert (code, {d["path"] for d in found["diagnostics"]}) == (1, {"b/bad.cntk"})
    assert bsls(tmp_path, "check", "a", "b/deep").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["--nope", "c.cntk"], "No such option '--nope'"),
        (["c.cntk", "--format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["c.cntk", "--select", "nope"], "there is no rule 'nope' (see `bsls rules`)"),
        (["c.cntk", "--fail-level", "hint"], "'hint' is not one of"),
        (["c.cntk", "--set", "nope"], "'nope' is not of the form KEY=VALUE"),
        (["c.cntk", "--set", "=3"], "'=3' is not of the form KEY=VALUE"),
        (["empty"], "there is no *.cntk file in 'empty'"),
        (["c.cntk", "dir=3"], "'dir=3' is no file; give values with --set KEY=VALUE, or after configFile=FILE"),
        (["configFile="], "no config file was given"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, tmp_path: Path) -> None:
    (make_project(tmp_path) / "empty").mkdir()
    result = bsls(tmp_path, "check", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.last


def test_the_report_without_a_terminal_has_no_colours(tmp_path: Path) -> None:
    assert "\x1b" not in bsls(make_project(tmp_path, WRONG_ACTION), "check", "c.cntk").out


def test_names_that_the_terminal_does_not_know(tmp_path: Path) -> None:
    make_project(tmp_path, changed(('action = "train"', 'action = "€"')))
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "bsls", "check", "c.cntk"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    assert "unknown action '\\u20ac'" in result.stdout


def test_a_file_of_brainscript_alone(tmp_path: Path) -> None:
    (tmp_path / "net.bs").write_text("f (x) = x + y   # of whoever includes it\ng = f (\n")
    (tmp_path / "whole.bs").write_text("{\n    x = Input {3}\n    x = 4\n}\n")
    code, found = report(tmp_path, "net.bs", "whole.bs")
    assert code == 1
    assert [(d["path"], d["range"]["start"]["line"]) for d in found["diagnostics"]] == [("net.bs", 1), ("whole.bs", 2)]
