"""Model files, read once for each state that they are in: an editor looks at a model again at every edit of a text."""

from __future__ import annotations

from functools import lru_cache

from bsls.modelfile.model import read
from bsls.network.cloning import duplicate
from bsls.network.network import Network
from bsls.project.files import Files, State

_KEPT = 16
"""Models of which the structure is kept; values stay in the files."""


def network_in(path: str, files: Files) -> Network:
    """A copy of the network in a model file, not validated; raises BsError as `bsls.modelfile.model.read` does."""
    return duplicate(_read(files.shown(path), files.absolute(path), files.look(path)))


@lru_cache(_KEPT)
def _read(path: str, absolute: str, state: State) -> Network:
    return read(path)
