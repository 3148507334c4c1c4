"""Training speed beside hand-written PyTorch: the six networks of `workloads`, the tools in turns.

Goal: at most the time of PyTorch. An epoch's seconds are each program's own, from the second epoch on; the figure is the
median over epochs and rounds. Ragged data run twice in PyTorch, packed and padded, and the faster one counts.

Exit code: 1 where the two did not do the same work (samples, parameters, loss), 0 otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from workloads import data

WORKLOADS = Path(__file__).resolve().parent / "workloads"
RAGGED = ("lstm_tagger", "bilstm", "seq2seq")
CNTK = {"mlp": 1.01, "convnet": 2.34, "resnet20": 1.90, "lstm_tagger": 1.88, "bilstm": 1.87, "seq2seq": 5.97}
"""Time of CNTK 2.7 as a multiple of PyTorch's, measured once on 2 cores."""

EPOCH = re.compile(
    r"Finished Epoch.*\[Training\] \S+ = (\S+) \* (\d+);.*epochTime=(\S+)s|epoch \d+: loss = (\S+) \* (\d+); seconds = (\S+)"
)
PARAMETERS = re.compile(r"Training (\d+) parameters in|^parameters (\d+)", re.MULTILINE)


@dataclass
class Runs:
    """What the runs of one tool on one workload gave."""

    command: list[str]
    seconds: list[float] = field(default_factory=list)
    mebibytes: float = 0.0
    parameters: int = 0
    samples: int = 0
    loss: float = 0.0  # of the last epoch

    @property
    def median(self) -> float:
        return median(self.seconds)

    def run(self, threads: int) -> None:
        """Runs the tool in an empty folder and adds its figures."""
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
            command = [sys.executable, *self.command]
            child = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)  # gives the memory of this child alone
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            log = said.read()
        if child.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{log[-2000:]}")
        epochs = [[float(figure) for figure in found.groups() if figure] for found in EPOCH.finditer(log)]
        self.seconds += [seconds for _, _, seconds in epochs[1:]]
        self.loss, self.samples = epochs[-1][0], int(epochs[-1][1])
        found = PARAMETERS.search(log)
        assert found is not None
        self.parameters = int(found[1] or found[2])
        self.mebibytes = max(self.mebibytes, usage.ru_maxrss / 1024)


@dataclass
class Workload:
    """The tools that train one network: bsls, and the ways to do it in PyTorch."""

    name: str
    ours: Runs
    twins: list[Runs]

    @property
    def best(self) -> Runs:
        return min(self.twins, key=lambda twin: twin.median)

    @property
    def ratio(self) -> float:
        return self.ours.median / self.best.median

    def doubts(self) -> list[str]:
        """Ways in which bsls did other work than the twin."""
        ours, twin = self.ours, self.best
        found = [
            f"{getattr(ours, what)} {what} instead of {getattr(twin, what)}"
            for what in ("samples", "parameters")
            if getattr(ours, what) != getattr(twin, what)
        ]
        if not abs(ours.loss - twin.loss) <= 0.15 * abs(twin.loss) + 0.05:
            found.append(f"the last loss is {ours.loss:.4g} instead of {twin.loss:.4g}")
        return [f"{self.name}: {text}" for text in found]

    def row(self) -> list[str]:
        """What the table says of it."""
        twins = [f"{twin.median:.3f}" for twin in self.twins] + ["", ""]
        memory = [f"{runs.mebibytes:.0f}" for runs in (self.ours, self.best)]
        return [
            self.name,
            f"{self.ours.median:.3f}",
            *twins[:2],
            f"{self.ratio:.2f}",
            *memory,
            f"{CNTK[self.name]:.2f}",
        ]


HEAD = ["workload", "bsls s", "PyTorch s", "padded s", "bsls / PyTorch", "bsls MiB", "PyTorch MiB", "CNTK / PyTorch"]


def measured(name: str, folder: str, rounds: int, epochs: int, threads: int) -> Workload:
    """Trains one network with all tools, in turns."""
    data.write(Path(folder), name)
    config = [f"configFile={WORKLOADS / name}.cntk", f"dataDir={folder}", f"epochs={epochs}"]
    ours = Runs(["-m", "bsls", "run", *config, f"numCPUThreads={threads}"])
    options = ["--data", folder, "--epochs", str(epochs), "--threads", str(threads)]
    twin = [str(WORKLOADS / "twin.py"), name, *options]
    twins = [Runs(twin)] + [Runs([*twin, "--padded"])] * (name in RAGGED)
    for _ in range(rounds):
        for runs in (ours, *twins):
            runs.run(threads)
    return Workload(name, ours, twins)


def machine(threads: int) -> str:
    """What the figures depend on."""
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", information.read_text()) if information.exists() else None
    processor = found[1] if found else platform.processor() or platform.machine()
    return f"{threads} threads on {os.cpu_count()} cores ({processor}), PyTorch {version('torch')}, single precision"


def table(rows: Sequence[Sequence[str]], markdown: bool) -> str:
    """The rows, the first of them the head, in columns."""
    if markdown:
        lines = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--epochs", type=int, default=3, help="2 or more: the first one does not count")
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options.add_argument("--only", action="append", choices=list(data.FILES), metavar="NAME", help="may be repeated")
    options.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    arguments = options.parse_args()
    if arguments.rounds < 1 or arguments.epochs < 2:
        options.error("at least one round and two epochs are needed")
    found: list[Workload] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only or data.FILES:
            found.append(measured(name, folder, arguments.rounds, arguments.epochs, arguments.threads))
    print(f"Seconds of an epoch, memory at its peak; {machine(arguments.threads)}\n")
    print(table([HEAD, *(workload.row() for workload in found)], arguments.markdown))
    if doubts := [doubt for workload in found for doubt in workload.doubts()]:
        sys.exit("\n".join(doubts))


if __name__ == "__main__":
    main()
