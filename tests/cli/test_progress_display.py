"""What a run shows in a terminal: the log as it always is, a table of the epochs and a bar below it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from small_project import changed, make_project

ROWS, COLUMNS = 24, 100
CONFIG = changed(
    ("command = Train:Test", "command = Train"),
    ("SGD = {", "SGD = { traceLevel = 1 ; numMBsToShowResult = 2 ;"),
)
LONG = CONFIG.replace("maxEpochs = 3", "maxEpochs = 5000").replace("epochSize = 0", "epochSize = 4000")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
BAR = re.compile(r"Epoch +\d+/\d+ [━╸╺ ]*(?: +\d+% +)?[\d,/]+ samples")


class Run:
    """`bsls` with its error stream in a terminal; `shown` is all that was written there."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        variables = {**os.environ, "TERM": "xterm-256color", "OMP_NUM_THREADS": "1", **environment}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            variables.pop(name, None)
        command = [sys.executable, "-m", "bsls", "run", "configFile=c.cntk", *arguments]
        self.process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=terminal)
        os.close(terminal)
        self.shown = ""
        self.has_bar = threading.Event()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        data = b""
        while True:
            try:
                piece = os.read(self._master, 1 << 16)
            except OSError:  # how Linux says that nobody writes any more
                piece = b""
            if not piece:
                return
            data += piece
            self.shown = data.decode(errors="replace").replace("\r\n", "\n")
            if self.bars:
                self.has_bar.set()

    @property
    def text(self) -> str:
        return ESCAPE.sub("", self.shown).replace("\r", "")

    @property
    def bars(self) -> list[str]:
        return BAR.findall(self.text)

    def end(self) -> int:
        self.process.communicate()
        self._reading.join()
        os.close(self._master)
        return self.process.returncode


def log_lines(text: str) -> list[str]:
    """Lines of the reference's log, without times."""
    lines = [
        line for line in text.splitlines() if re.match(r"(Validating|Starting| Epoch\[|Finished|SGD:|COMPLETED)", line)
    ]
    return [re.sub(r"(time = |samplesPerSecond = |epochTime=)[\d.e-]+", r"\1", line) for line in lines]


def table(text: str) -> list[list[str]]:
    """The rows of the last table."""
    lines = text.splitlines()
    at = max(i for i, line in enumerate(lines) if line.split()[:2] == ["epoch", "rate"])
    rows = takewhile(lambda row: row and row[0].isdigit(), (line.split() for line in lines[at + 1 :]))
    return [lines[at].split(), *rows]


def test_in_a_terminal(tmp_path: Path) -> None:
    make_project(tmp_path, CONFIG)
    plain = Run(tmp_path, "--progress", "off")
    assert plain.end() == 0
    assert plain.shown == plain.text and not plain.bars
    run = Run(tmp_path, "modelPath=again/m.dnn")
    assert run.end() == 0
    assert run.bars
    assert log_lines(run.text.replace("again/", "models/")) == log_lines(plain.text)
    head, *rows = table(run.text)
    assert head == ["epoch", "rate", "ce", "seconds"]
    assert [row[:2] for row in rows] == [["1", "0.1"], ["2", "0.1"], ["3", "0.1"]]
    means = re.findall(r"\[Training\] ce = ([\d.]+)", plain.text)
    assert [row[2] for row in rows] == [f"{float(mean):.6f}" for mean in means]
    assert run.text.index("COMPLETED.") > run.text.rindex(means[2][:8])


def test_a_table_in_a_narrow_terminal_leaves_out_criteria_rather_than_digits(tmp_path: Path) -> None:
    names = [f"evaluationWithALongName{i}" for i in range(12)]
    nodes = " ; ".join(f"{name} = SquareError (y, z)" for name in names)
    config = CONFIG.replace("featureNodes", f"{nodes} ; evaluationNodes = ({':'.join(names)}) ; featureNodes")
    make_project(tmp_path, config)
    run = Run(tmp_path)
    assert run.end() == 0
    head, *rows = table(run.text)
    assert head[2:5] == ["ce", "evaluatio…", "evaluatio…"] and len(head) < 12
    assert len(rows) == 3 and all(re.fullmatch(r"[\d.]+", value) for row in rows for value in row)


@pytest.mark.parametrize(("arguments", "variables"), [((), {"TERM": "dumb"}), (("--progress", "off"), {})])
def test_where_no_display_is_wanted(arguments: Sequence[str], variables: dict[str, str], tmp_path: Path) -> None:
    make_project(tmp_path, CONFIG)
    run = Run(tmp_path, *arguments, **variables)
    assert run.end() == 0
    assert run.shown == run.text and "seconds" not in run.text


def test_a_run_that_is_interrupted(tmp_path: Path) -> None:
    make_project(tmp_path, LONG)
    run = Run(tmp_path)
    assert run.has_bar.wait(60)
    while not (tmp_path / "models" / "m.dnn.2").exists():
        assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 130
    assert run.text.rstrip().endswith("; the same command goes on from there")
    assert len(table(run.text)) >= 3
    assert "\x1b[?25l" not in run.shown or run.shown.rindex("\x1b[?25h") > run.shown.rindex("\x1b[?25l")


def test_a_run_that_fails(tmp_path: Path) -> None:
    make_project(tmp_path, LONG.replace("learningRatesPerSample = 0.1", "learningRatesPerSample = 1e38"))
    run = Run(tmp_path)
    assert run.end() == 1
    assert run.text.rstrip().splitlines()[-1].startswith("error: c.cntk:")
    assert "Traceback" not in run.text


def test_without_a_terminal_the_log_is_all_there_is(tmp_path: Path) -> None:
    make_project(tmp_path, CONFIG)
    command = [sys.executable, "-X", "importtime", "-m", "bsls", "run", "configFile=c.cntk"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\| +([\w.]+)$", result.stderr, re.MULTILINE))
    assert "bstorch.observers.open" in imported
    assert not imported & {"rich", "matplotlib", "tensorboard", "bstorch.observers.terminal"}
    assert "\x1b" not in result.stderr and "seconds" not in result.stderr


def test_a_display_where_there_is_no_terminal(tmp_path: Path) -> None:
    make_project(tmp_path, CONFIG)
    command = [sys.executable, "-m", "bsls", "run", "configFile=c.cntk", "--progress", "on"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert BAR.search(ESCAPE.sub("", result.stderr))
    assert not result.stdout
