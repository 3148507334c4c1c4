"""The observers that the options of a run ask for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TextIO

from bsls.config.assemble import option_span
from bsls.finding import BsError
from bstorch.events import Observer


@dataclass(frozen=True, slots=True)
class Wanted:
    """Options of `run` and `resume`: files or folders to write to, None for none; `progress` is auto, on or off."""

    events: str | None = None
    progress: str = "auto"
    tensorboard: str | None = None
    plot: str | None = None


def open_observers(wanted: Wanted, stderr: TextIO) -> tuple[list[Observer], TextIO]:
    """Who observes the run, and the stream for the log, which is `stderr` unless it is shown above a display.

    Raises BsError where a file cannot be written or a package is missing.
    """
    from bstorch.observers.tensorboard import TensorBoard

    observers: list[Observer] = []
    log = stderr
    if wanted.events:
        from bstorch.observers.json_lines import JsonLines

        observers.append(JsonLines(wanted.events))
    if _is_display_wanted(wanted.progress, stderr):
        from bstorch.observers.terminal import Terminal

        display = Terminal(stderr)
        observers.append(display)
        log = display.log

    def say(line: str) -> None:
        log.write(line + "\n")

    if wanted.tensorboard:
        _require("tensorboard", "tensorboard", "tensorboard", wanted.tensorboard)
    observers.append(TensorBoard(wanted.tensorboard, say))
    if wanted.plot:
        from bstorch.observers.plot import Plot

        _require("matplotlib", "train", "plot", wanted.plot)
        observers.append(Plot(wanted.plot, say))
    return observers, log


def _is_display_wanted(progress: str, stderr: TextIO) -> bool:
    if progress == "auto":
        return stderr.isatty() and find_spec("rich") is not None and not _is_dumb()
    if progress == "on":
        _require("rich", "train", "progress", "on")
    return progress == "on"


def _is_dumb() -> bool:
    """Whether the terminal cannot move its cursor."""
    from rich.console import Console

    return Console(file=sys.stderr).is_dumb_terminal


def _require(package: str, extra: str, option: str, value: str) -> None:
    if find_spec(package) is None:
        raise BsError(
            "missing-package", f"--{option} needs the package '{package}'", option_span(option, value),
            help=f"pip install 'bsls[{extra}]'",
        )  # fmt: skip
