"""Finds the engine, which is a package of its own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

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
