"""Finds the engine, which is a package of its own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any, TypeVar

import click

from bsls.cli.main import INTERRUPTED
from bsls.finding import BsError


def load_runtime() -> Any:
    """The runtime class that is installed; raises BsError where there is none, or torch is missing."""
    found = list(entry_points(group="bsls.runtime"))
    if not found:
        raise BsError(
            "no-runtime", "no engine is installed that can run configs", None, help="pip install 'bsls[train]'"
        )
    try:
        return found[0].load()
    except ModuleNotFoundError as error:
        raise BsError(
            "no-runtime", f"running a config needs the package '{error.name}'", None, help="pip install 'bsls[train]'"
        ) from error


F = TypeVar("F", bound=Callable[..., object])


def run_options(command: F) -> F:
    """The options that every command which runs something has; they are those of the runtime class."""
    options = (
        click.option(
            "--progress",
            type=click.Choice(["auto", "on", "off"]),
            default="auto",
            show_default=True,
            help="Show a table of the epochs and a bar below the log; auto: in a terminal.",
        ),
        click.option("--events", metavar="FILE", help="Also write what happens to FILE, a JSON object a line."),
        click.option("--tensorboard", metavar="DIR", help="Also write curves for TensorBoard to DIR."),
        click.option("--plot", metavar="FILE", help="Also draw curves over the epochs to FILE, a .png or .svg."),
        click.option(
            "--detect-anomaly", is_flag=True, help="End at the first node that is not finite, and name it; slow."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as Ctrl-C does."""

    exit_code = 128 + signal.SIGTERM


def _terminate(number: int, frame: object) -> None:
    raise _Terminated


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run with one line that says what can be done, and the exit code that shells have for it."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        reason = str(error) or "interrupted; the same command goes on from the last complete checkpoint"
        click.echo(reason, err=True)
        sys.exit(getattr(error, "exit_code", INTERRUPTED))
    finally:
        signal.signal(signal.SIGTERM, before)
