"""The state of a training within an epoch, in one file `<model path>.inside`: beside parameters and learner all that a run
needs to go on at the same minibatch with the same figures.

It is a NumPy archive. It names the model that the epoch began with, and counts only beside that.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bsls.finding import BsError
from bsls.modelfile.atomic import atomic_file

VERSION = 1


@dataclass(slots=True)
class Inside:
    """`minibatches` of `epoch` (from 0) are done, each of at most `size` samples, at `rate` per sample.

    `base` is the digest of the model that the epoch began with. `lines` are the figures of the log so far, `groups` the
    arrays by what they are of.
    """

    base: str
    epoch: int
    minibatches: int
    size: int
    rate: float
    lines: dict[str, Any]
    groups: dict[str, list[NDArray]] = field(default_factory=dict)


def path_of(model_path: str) -> str:
    """The file for a training that writes to `model_path`."""
    return f"{model_path}.inside"


def save(inside: Inside, model_path: str) -> None:
    """Writes the state in the place of an older one."""
    header = {"version": VERSION, **asdict(inside)}
    header["groups"] = {name: len(arrays) for name, arrays in inside.groups.items()}
    arrays = {f"{name}.{i}": a for name, group in inside.groups.items() for i, a in enumerate(group)}
    with atomic_file(path_of(model_path)) as file:
        np.savez(file, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)  # type: ignore[arg-type]


def load(model_path: str, base: str) -> Inside | None:
    """The state within the epoch that began with the model whose digest is `base`; None where there is none.

    Raises BsError where the file is damaged.
    """
    path = path_of(model_path)
    if not os.path.exists(path):
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            if header.pop("version") != VERSION or header["base"] != base:
                return None
            groups = {name: [stored[f"{name}.{i}"] for i in range(n)] for name, n in header["groups"].items()}
            return Inside(**(header | {"groups": groups}))
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise BsError(
            "model-file",
            f"'{path}' is damaged: {error}",
            help="delete it: training then goes on from the beginning of the epoch",
        ) from error


def drop(model_path: str) -> None:
    """Removes the state, which is no longer needed."""
    with suppress(OSError):
        os.unlink(path_of(model_path))


def fits(inside: Inside, shapes: Mapping[str, Sequence[tuple[int, ...]]]) -> bool:
    """Whether the arrays of some groups have these shapes."""
    return all([a.shape for a in inside.groups[name]] == list(wanted) for name, wanted in shapes.items())
