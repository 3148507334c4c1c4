"""A training in a terminal (`--progress`): a table of its epochs and a progress bar below the lines of the log.

Drawing has a thread of its own, twice a second, so that a minibatch costs no more than without. The lines of the
log wait for it, and are complete and in order above the display.
"""

from __future__ import annotations

import contextlib
import io
import math
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bstorch.events import EpochEnd, Interval, Observer, Training
from bstorch.pace import Pace
from bstorch.training import log
from bstorch.training.criteria import Criterion

_SECONDS = 0.5
"""From one drawing to the next."""
_ROWS = 8
"""Epochs that the table shows while training goes on; in the end it shows all."""
_OTHER_LINES = 12
"""Lines of the window that the table leaves to the log and the bar."""
_OTHER_COLUMNS = 26
"""Of the table, beside criteria: epoch, rate and seconds."""
_VALUE = 9
"""Columns for a value."""
_DIGITS = 6
_ECHO = 4
"""Columns behind the last line in which the terminal shows the keys that are typed, such as ^C."""


class Terminal(Observer):
    """Draws on `stderr`; the run writes its log to `log`."""

    def __init__(self, stderr: TextIO) -> None:
        self._stderr = stderr
        self._console = Console(file=stderr, force_terminal=True, highlight=False)
        self.log = _Log(stderr)
        self._display: _Display | None = None
        self._training: tuple[Training, Pace] | None = None

    def training_begins(self, training: Training, pace: Pace) -> None:
        self._training = training, pace

    def epoch_begins(self, epoch: int, rate: float) -> None:
        if self._display is None and self._training is not None:
            self._display = _Display(self._console, self.log, self._stderr, *self._training)
        if self._display is not None:
            self._display.state, self._display.so_far = "", ""

    def interval(self, interval: Interval) -> None:
        if self._display is not None:
            self._display.show_criteria(interval.so_far)

    def epoch_ends(self, end: EpochEnd) -> None:
        if self._display is not None:
            self._display.show_epoch(end)

    def training_ends(self) -> None:
        display, self._display = self._display, None
        if display is not None:
            display.close()

    def close(self) -> None:
        self.training_ends()


class _Log(io.StringIO):
    """Passes on what is written, or keeps it while a display is there, which shows it when it draws."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lock = threading.RLock()  # a signal may write while a line is written
        self._waiting: list[str] | None = None

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> int:
        with self._lock:
            if self._waiting is None:
                return self._stream.write(text)
            self._waiting.append(text)
        return len(text)

    def flush(self) -> None:
        if self._waiting is None:
            self._stream.flush()

    def keep(self) -> None:
        self._stream.flush()
        with self._lock:
            self._waiting = []

    def take(self) -> str:
        """The whole lines that wait."""
        with self._lock:
            lines, end, rest = "".join(self._waiting or ()).rpartition("\n")
            self._waiting = [rest]
        return lines + end

    def pass_on(self) -> None:
        with self._lock:
            self._stream.write("".join(self._waiting or ()))
            self._waiting = None
        self._stream.flush()


class _Display:
    """What is below the log while a command trains."""

    def __init__(self, console: Console, log: _Log, stderr: TextIO, training: Training, pace: Pace) -> None:
        self._console = console
        self._log = log
        self._training = training
        self._pace = pace
        self._ends: dict[int, EpochEnd] = {}
        self.state = ""
        """What is done instead of training."""
        self.so_far = ""
        self._stop = threading.Event()
        self._undo = contextlib.ExitStack()
        log.keep()
        if stderr is sys.stderr:  # warnings of libraries belong above the display as well
            self._undo.enter_context(contextlib.redirect_stderr(log))
        self._live = Live(self, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)  # fmt: skip
        self._live.start()
        console.show_cursor(True)  # a process that is killed cannot give it back
        self._thread = threading.Thread(target=self._draw, name="display", daemon=True)
        self._thread.start()

    def show_criteria(self, so_far: Sequence[Criterion]) -> None:
        self.so_far = ", ".join(
            f"{n} {log.average(n, v, _DIGITS)}" for n, v in zip(self._training.names, so_far, strict=True)
        )

    def show_epoch(self, end: EpochEnd) -> None:
        self._ends[end.epoch] = end
        self.show_criteria(end.trained)
        self.state = "validation" if self._training.validates and end.validated is None else "saving"

    def close(self) -> None:
        """Leaves the whole table in the place of the display."""
        self._stop.set()
        self._thread.join()
        self._undo.close()
        self._show()
        self._live.stop()
        self._log.pass_on()
        if self._ends:
            self._console.print("", self._table(len(self._ends)), sep="\n")

    def _draw(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._show()

    def _show(self) -> None:
        lines = self._log.take()
        if lines:
            self._console.print(Text(lines[:-1]), soft_wrap=True)  # draws the display as well
        else:
            self._live.refresh()

    def __rich__(self) -> Group:
        rows = max(min(_ROWS, self._console.height - _OTHER_LINES), 1)
        parts = [self._table(rows)] if self._ends else []
        return Group("", *parts, self._bar(), self._figures())

    def _table(self, rows: int) -> Table:
        """The last epochs; the one with the best criterion is marked."""
        training = self._training
        parts = ("training", "validation") if training.validates else ("training",)
        width = max(self._console.width - _OTHER_COLUMNS, 0) // len(parts)
        names = training.names[: max(width // (_VALUE + 2), 1)]  # the others are in the log
        room = max(width // len(names) - 2, _VALUE)
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("\nepoch", justify="right")
        table.add_column("\nrate", justify="right")
        for part in parts:
            for i, name in enumerate(names):
                head = name if len(name) <= room else name[: room - 1] + "…"
                table.add_column(f"{part if i == 0 else ''}\n{head}", justify="right", no_wrap=True)
        table.add_column("\nseconds", justify="right")
        ends = list(self._ends.values())
        best = min(ends, key=_judged)
        for end in ends[-rows:]:
            shown = [log.average(n, v, _DIGITS) for n, v in zip(names, end.trained, strict=False)]
            if end.validated is not None:
                shown += [log.average(n, v, _DIGITS) for n, v in zip(names, end.validated, strict=False)]
            elif training.validates:
                shown += [""] * len(names)
            style = "green" if end is best and len(ends) > 1 else ""
            table.add_row(str(end.epoch), f"{end.rate:.4g}", *shown, f"{end.seconds:.2f}", style=style)
        return table

    def _bar(self) -> Table:
        pace = self._pace
        total = pace.epoch_samples
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True, justify="right")
        done = f"{pace.samples:,}" if total is None else f"{pace.samples:,}/{total:,}"
        share = "" if not total else f"{min(math.floor(100 * pace.samples / total), 100):3d}%  "
        bar = ProgressBar(total, pace.samples, pulse=total is None, complete_style="cyan", finished_style="cyan")
        width = len(str(self._training.epochs))
        line.add_row(
            Text(f"Epoch {pace.epoch:{width}d}/{self._training.epochs}", "bold"), bar, f"{share}{done} samples"
        )
        return line

    def _figures(self) -> Text:
        pace = self._pace
        here, whole = pace.left_in_epoch(), pace.left()
        if self.state:
            parts = [self.state]
        else:
            parts = [f"{pace.samples_per_second:,.0f} samples/s" if pace.samples else "reading"]
            if here is not None:
                parts.append(f"{_clock(here)} left in epoch")
        if whole is not None:
            parts.append(f"{_clock(whole)} in all")
        parts.append(self.so_far)  # the last: it may be long
        line = Text("  ".join(p for p in parts if p), "dim", no_wrap=True)
        line.truncate(self._console.width - _ECHO, overflow="ellipsis")
        return line


def _judged(end: EpochEnd) -> float:
    """The criterion by which epochs are compared."""
    value = (end.validated or end.trained)[0].average
    return math.inf if math.isnan(value) else value


def _clock(seconds: float) -> str:
    """`3:12`, `2:03:12` or `1 day, 2:03:12`."""
    shown = str(timedelta(seconds=round(min(seconds, 1e9))))
    return shown[2:].removeprefix("0") if shown.startswith("0:") else shown
