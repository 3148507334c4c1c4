"""Finds the engine, which is a package of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

import click

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


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends a run with one line that says what can be done, and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from the last complete checkpoint", err=True)
        sys.exit(130)
