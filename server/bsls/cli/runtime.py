"""Finds the engine, which is a package of its own."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

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
