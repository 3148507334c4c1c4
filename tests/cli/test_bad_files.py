"""Models, data and outputs that are missing, damaged or cannot be written: one message, and no file is the worse for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from processes import bsls
from small_project import all_files, changed, data_lines, make_project

RUN = ("run", "configFile=c.cntk")
MODELS = Path(__file__).parents[1] / "golden" / "models"
ADAM = (MODELS / "adam.dnn").read_bytes()
NOT_ONE = "is not a CNTK model, or a damaged one: it"
LOADS = changed(
    (
        "z = LinearLayer {2} (x)",
        'net = BS.Network.Load ("m.dnn")\n        z = BS.Network.CloneFunction (net.x, net.z) (x)',
    ),
    ("models/m.dnn", "models/new.dnn"),
)

BAD_MODELS = {
    "empty": (b"", f"{NOT_ONE} is empty", "copy it again"),
    "cut off in the header": (ADAM[:20], f"{NOT_ONE} ends in the middle of the header at byte 20", "copy it again"),
    "cut off in a node": (ADAM[:700], f"{NOT_ONE} ends in the middle of ", "copy it again"),
    "cut off at the end": (ADAM[:-1], f"{NOT_ONE} ends in the middle of the groups of nodes", "copy it again"),
    "text": (b"hello\n", f"{NOT_ONE} has something else than the mark 'BCN'", "check the name"),
    "a v2 model that is cut off": (
        (MODELS / "tiny.v2.model").read_bytes()[:-3], "is not a CNTK v2 model, or a damaged one: it cannot be decoded", "copy it again",
    ),
    "a checkpoint": ((MODELS / "adam.ckp").read_bytes(), "is a training checkpoint, not a CNTK model", "without '.ckp'"),
    "of a later version": (
        ADAM.replace(b"\x1f" + bytes(7), b"\x63" + bytes(7), 1), "is a CNTK model of version 99, later than", "CNTK 2.7 or older",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_models(name: str, tmp_path: Path) -> None:
    data, problem, help = BAD_MODELS[name]
    make_project(tmp_path, LOADS)
    (tmp_path / "m.dnn").write_bytes(data)
    before = all_files(tmp_path)
    commands = {
        "c.cntk:13:32": RUN,
        "<command line>:1:11": (*RUN, "command=Test", "modelPath=m.dnn"),
        "<command line>:1:11 ": (*RUN, "command=Dump", "modelPath=m.dnn"),
    }
    for place, arguments in commands.items():
        result = bsls(tmp_path, *arguments)
        assert result.code == 1
        assert result.last.startswith(f"error: {place.strip()}: 'm.dnn' {problem}")
        assert help in result.err and "Traceback" not in result.err
    checked = bsls(tmp_path, "check", "c.cntk")
    assert checked.code == 1
    assert f"c.cntk:13:32: error: 'm.dnn' {problem}" in checked.out
    assert "1 error, 0 warnings in 1 file" in checked.out
    shown = bsls(tmp_path, "model", "weights", "m.dnn", "W")
    assert shown.code == 1
    assert shown.last.startswith(f"error: 'm.dnn' {problem}")
    assert all_files(tmp_path) == before


def test_missing_models(tmp_path: Path) -> None:
    make_project(tmp_path, LOADS)
    missing = "the model file 'models/new.dnn' does not exist"
    for command in ("Test", "Write", "Dump"):
        result = bsls(tmp_path, *RUN, f"command={command}")
        assert (result.code, result.last) == (1, f"error: c.cntk:2:13: {missing}")
        assert "help: train it first, or correct the path" in result.err
    assert bsls(tmp_path, *RUN).last == "error: c.cntk:13:32: the model file 'm.dnn' does not exist"
    checked = bsls(tmp_path, "check", "c.cntk")
    assert (
        "c.cntk:13:32: error: the model 'm.dnn' does not exist, and no command of a config here writes it"
        in checked.out
    )
    (tmp_path / "M.DNN").write_bytes(b"")
    assert "did you mean 'M.DNN'?" in bsls(tmp_path, "check", "c.cntk").out


def line(number: int, text: str) -> str:
    """The data with another line in one place (counted from 1)."""
    lines = data_lines()
    lines[number - 1] = text
    return "\n".join(lines) + "\n"


BAD_DATA = {
    "empty": ("", "the data file 'data.txt' is empty"),
    "blank": ("\n\n", "the data file 'data.txt' is empty but for white space"),
    "no number": (line(5, "|x 0.1 0.2 abc |y 1 0"), "data.txt:5: 'abc' is not a number (stream 'x')"),
    "not a number": (line(5, "|x nan 0.2 0.1 |y 1 0"), "data.txt:5: 'nan' is not a number (stream 'x')"),
    "too many values": (line(5, "|x 1 2 3 4 |y 1 0"), "data.txt:5: 4 values for 'x', whose dim is 3"),
    "a stream is missing": (line(40, "|x 1 2 3"), "data.txt:40: the line has no sample of 'y'"),
    "an empty line": (line(5, ""), "data.txt:5: the line is empty"),
    "another language": (line(5, "x = 3"), "data.txt:5: 'x' stands where '|NAME' is expected"),
    "other streams": ("|a 1 2 3 |b 0 1\n", "data.txt:1: the line has no sample of any stream"),
    "UTF-16": (line(1, "").encode("utf-16"), "the data file 'data.txt' is in UTF-16"),
    "a model": (ADAM, "the data file 'data.txt' is no text"),
    "noise": (bytes(range(256)) * 9, "the data file 'data.txt' is no text"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data(name: str, tmp_path: Path) -> None:
    data, problem = BAD_DATA[name]
    make_project(tmp_path, data=data)
    result = bsls(tmp_path, *RUN)
    assert (result.code, result.last) == (1, f"error: c.cntk:5:50: {problem}")
    assert "  help: " in result.err and "Traceback" not in result.err
    assert sorted(all_files(tmp_path)) == ["c.cntk", "data.txt"] + ["models/m.dnn.0"] * problem.startswith("data.txt:")


def test_an_index_too_large(tmp_path: Path) -> None:
    config = changed(('y = { dim = 2 ; format = "dense"', 'y = { dim = 2 ; format = "sparse"'))
    make_project(tmp_path, config, "|x 1 2 3 |y 1:1\n|x 1 2 3 |y 2:1\n")
    message = "data.txt:2: index 2 is too large for 'y', whose dim is 2: indices go from 0 to 1"
    assert bsls(tmp_path, *RUN).last == f"error: c.cntk:5:50: {message}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("no.txt", "No such file or directory"), ("models", "Is a directory"), ("c.cntk/x", "Not a directory")],
)
def test_data_that_cannot_be_read(path: str, reason: str, tmp_path: Path) -> None:
    (make_project(tmp_path, changed(('"data.txt"', f'"{path}"'))) / "models").mkdir()
    result = bsls(tmp_path, *RUN)
    assert result.code == 1
    assert result.last == f"error: c.cntk:5:50: cannot read the data file '{path}': {reason}"
    assert all_files(tmp_path).keys() == {"c.cntk", "data.txt"}


def test_bad_data_after_some_epochs(tmp_path: Path) -> None:
    """Data that go bad between runs cost nothing that was reached before."""
    make_project(tmp_path)
    keep = "Train=[SGD=[keepCheckPointFiles=true]]"
    assert bsls(tmp_path, *RUN, keep, kill_at=30).code < 0
    before = {name: data for name, data in all_files(tmp_path).items() if not name.endswith((".tmp", ".new"))}
    assert {"models/m.dnn.1", "models/m.dnn.1.ckp"} <= before.keys()
    (tmp_path / "data.txt").write_text(line(40, "|x 1 2"))
    assert bsls(tmp_path, *RUN, keep).code == 1
    assert {**all_files(tmp_path), "data.txt": before["data.txt"]} == before
    make_project(tmp_path)
    assert bsls(tmp_path, *RUN, keep).code == 0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("c.cntk/m.dnn", "cannot write 'c.cntk/m.dnn.0': 'c.cntk' is not a folder"),
        ("/dev/null/m.dnn", "cannot write '/dev/null/m.dnn.0': '/dev/null' is not a folder"),
        ("/proc/m.dnn", "cannot write '/proc/m.dnn.0': No such file or directory"),
        (f"models/{'x' * 300}", f"cannot write 'models/{'x' * 300}.0': File name too long"),
    ],
)
def test_models_that_cannot_be_written(path: str, reason: str, tmp_path: Path) -> None:
    make_project(tmp_path, changed(("models/m.dnn", path)))
    result = bsls(tmp_path, *RUN)
    assert (result.code, result.last) == (1, f"error: c.cntk:2:13: {reason}")
    assert "help: check the folder and its permissions; nothing was changed" in result.err
    assert all_files(tmp_path).keys() == {"c.cntk", "data.txt"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("command=Write", "Write=[outputPath=c.cntk/z]"), "<command line>:1:19: cannot write 'c.cntk/z.*': 'c.cntk' is not a folder"),
        (("command=Write", "Write=[outputPath=/proc/z]"), "<command line>:1:19: cannot write '/proc/z.z': No such file or directory"),
        (("command=Dump", "Dump=[outputFile=c.cntk/d]"), "<command line>:1:18: cannot write 'c.cntk/d': 'c.cntk' is not a folder"),
        (("command=Dump", "Dump=[outputFile=/dev/full]"), "<command line>:1:18: cannot write '/dev/full': No space left on device"),
        (("--events", "no/events"), "<command line>:1:10: cannot write the events to 'no/events': No such file or directory"),
        (("--events", "/dev/full"), "<command line>:1:10: cannot write the events to '/dev/full': No space left on device"),
    ],
)  # fmt: skip
def test_other_files_that_cannot_be_written(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    make_project(tmp_path)
    assert bsls(tmp_path, *RUN, "command=Train").code == 0
    before = all_files(tmp_path)
    result = bsls(tmp_path, *RUN, "command=Train", *arguments)
    assert (result.code, result.last) == (1, f"error: {message}")
    assert "Traceback" not in result.err
    assert all_files(tmp_path) == before


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A line for bash, in which `$BSLS` is the command."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "BSLS": f"{sys.executable} -m bsls"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    """The limit on the size of a file stands for a full disk: the old model and its checkpoint stay."""
    make_project(tmp_path, changed(("LinearLayer {2} (x)", "LinearLayer {2} (LinearLayer {1000} (x))")))
    assert bsls(tmp_path, *RUN, "command=Train", "Train=[SGD=[maxEpochs=1]]").code == 0
    before = all_files(tmp_path)
    result = bsls(tmp_path, "resume", "c.cntk", "--max-epochs", "2", "command=Train", largest_file=8192)
    assert result.code == 1
    assert result.last.startswith("error: c.cntk:2:13: cannot write 'models/m.dnn")
    assert "File too large" in result.last and "Traceback" not in result.err
    assert all_files(tmp_path) == before
    assert bsls(tmp_path, "resume", "c.cntk", "command=Train", "--max-epochs", "2").code == 0


def test_a_full_disk_while_text_is_written(tmp_path: Path) -> None:
    make_project(tmp_path, data="\n".join(data_lines() * 100) + "\n")
    assert bsls(tmp_path, *RUN, "command=Train").code == 0
    result = bsls(tmp_path, *RUN, "command=Write", largest_file=8192)
    assert (result.code, result.last) == (1, "error: c.cntk:20:43: cannot write 'out/z.*': File too large")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$BSLS rules | head -1", 1),
        ("$BSLS model show models/m.dnn | true", 1),
        ("$BSLS check c.cntk --format json | true", 1),
        ("$BSLS graph c.cntk | head -1", 1),
        ("$BSLS --help | true", 1),
        ("$BSLS check c.cntk > /dev/full", 2),
        ("$BSLS check c.cntk >&-", 1),
        ("$BSLS check c.cntk >&- 2>&-", 1),
        ("$BSLS nope 2> /dev/full", 2),
        ("$BSLS run configFile=c.cntk command=Train makeMode=false 2>&1 >&- | head -1", 1),
        ("$BSLS run configFile=c.cntk command=Write Write=[outputPath=-] | true", 1),
    ],
)
def test_output_that_nobody_reads(line: str, code: int, tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "models").mkdir()
    shutil.copy(MODELS / "adam.dnn", tmp_path / "models" / "m.dnn")
    result = shell(tmp_path, line)
    assert result.returncode in (0, code)  # 0: what was written was read all the same
    for text in (result.stdout, result.stderr):
        assert not any(word in text for word in ("Traceback", "Exception ignored", "Errno", "bsls itself"))


def test_events_of_a_failing_run(tmp_path: Path) -> None:
    make_project(tmp_path, data=line(5, "|x 1 2 3 4 |y 0 1"))
    assert bsls(tmp_path, *RUN, "--events", "events").code == 1
    last = json.loads((tmp_path / "events").read_text().splitlines()[-1])
    assert {k: last[k] for k in ("event", "rule", "path", "line", "column")} == {
        "event": "error", "rule": "data-line", "path": "c.cntk", "line": 5, "column": 50,
    }  # fmt: skip
