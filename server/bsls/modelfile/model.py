"""Model files of both generations of CNTK: v1, of its config files, and v2, of its Python library."""

from __future__ import annotations

import os

from bsls.modelfile import v1, v2
from bsls.network.network import Network


def read(path: str | os.PathLike[str], *, lenient: bool = False) -> Network:
    """The network in a model file, whatever its kind, with the values of its parameters; nodes have no shapes yet.

    Raises BsError (rule `model-file`) for what is no such file, or a damaged one; with `lenient` not for operations that
    are not known.
    """
    reader = v2 if v2.is_v2(path) else v1
    return reader.read(path, lenient=lenient)


def version(path: str | os.PathLike[str]) -> int | None:
    """The version of a v1 model file; None for a v2 model."""
    return None if v2.is_v2(path) else v1.read_version(path)
