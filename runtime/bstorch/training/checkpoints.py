"""The files of a training run: names, which epoch to start from, and how a finished epoch is committed.

With the model path M: `M.0` is the initial network, `M.k` the model after epoch k, `M` the one after the last epoch; beside
each stands its checkpoint `<model>.ckp` with the learner's state, and `<model>.bsls.json`, which says what belongs together.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.modelfile.atomic import atomic_file
from bsls.modelfile.checkpoint import Checkpoint, write_checkpoint
from bsls.network.network import Network
from bstorch.program.parameters import Parameters

SIDE_FILE_VERSION = 1
MORE = ("control", "minibatches", "data")
"""What a note may say beside what belongs together: what decides on rates, how many minibatches there were, `data_note`."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Names of the files of a run that trains for `epochs` epochs."""

    path: str
    epochs: int

    def model(self, epoch: int) -> str:
        """The model after `epoch` epochs, 0 for the initial one."""
        return self.path if epoch == self.epochs else f"{self.path}.{epoch}"

    def checkpoint(self, epoch: int) -> str:
        return checkpoint_of(self.model(epoch))

    def finished_epochs(self) -> int | None:
        """After how many epochs training goes on; None where there is no model at all.

        As in the reference: the last model that exists and is not older than the one before it, if that exists. So a
        final model always counts where the model before it is missing.
        """
        current = self.model(self.epochs)
        for epoch in range(self.epochs, -1, -1):
            previous = self.model(epoch - 1)
            if _up_to_date(current, previous):
                return epoch
            current = previous
        return None


def checkpoint_of(model: str) -> str:
    """The checkpoint beside a model file."""
    return f"{model}.ckp"


def side_file_of(model: str) -> str:
    """What we note beside a model file."""
    return f"{model}.bsls.json"


def _up_to_date(file: str, source: str) -> bool:
    if not os.path.isfile(file):
        return False
    time = os.stat(file).st_mtime_ns
    try:
        return time >= os.stat(source).st_mtime_ns
    except OSError:
        return True


def save_model(network: Network, parameters: Parameters, path: str) -> None:
    """Writes the network with the parameters' values, whole or not at all."""
    v1.write(network, path, parameters.arrays())


def commit(
    network: Network,
    parameters: Parameters,
    checkpoint: Checkpoint,
    files: ModelFiles,
    epoch: int,
    *,
    command: str = "",
    commands: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
) -> None:
    """Saves what `epoch` epochs of training gave; `more` is noted beside it.

    The checkpoint and the side file come first; the model, whose name appearing says that the epoch is complete, comes
    last, so that a run that is cut off at any point goes on from a model with the state that belongs to it.
    """
    model = files.model(epoch)
    prepared = f"{model}.new"
    save_model(network, parameters, prepared)
    try:
        write_checkpoint(checkpoint, checkpoint_of(model))
        write_note(model, epoch, command, known=digest(prepared), commands=commands, more=more)
        os.replace(prepared, model)
    except OSError as error:
        raise BsError(
            "file-write", f"cannot write '{model}': {error.strerror}", help="check the folder and its permissions"
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(prepared)
    _flush_folder(os.path.dirname(model) or ".")


def rewrite_checkpoint(
    checkpoint: Checkpoint,
    files: ModelFiles,
    epoch: int,
    *,
    command: str = "",
    commands: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
) -> None:
    """Gives the model after `epoch` epochs another checkpoint."""
    model = files.model(epoch)
    path = checkpoint_of(model)
    before, prepared = _digest_of(path), f"{path}.new"
    write_checkpoint(checkpoint, prepared)
    # The note comes first: whenever the run is cut off, the checkpoint that is there is one of those that it names.
    note = {**(more or {}), "replaced": before}
    write_note(model, epoch, command, known=digest(model), commands=commands, more=note, checkpoint=prepared)
    os.replace(prepared, path)
    _flush_folder(os.path.dirname(model) or ".")


def drop_checkpoint(model: str) -> None:
    """Removes the checkpoint of a model that is no longer needed, and what is noted beside it."""
    for path in (checkpoint_of(model), side_file_of(model)):
        with suppress(OSError):
            os.unlink(path)


def drop_unneeded(files: ModelFiles, settings: SGDSettings, epoch: int) -> None:
    """Removes the checkpoints that nothing needs when `epoch` epochs are done: that of the epoch before, but for the one to
    which an adjusted rate may lead back."""
    control = settings.rate_control
    if settings.keep_checkpoints:
        return
    if control.method != "adjustAfterEpoch" or not control.load_best_model:
        drop_checkpoint(files.model(epoch - 1))
        return
    since = (epoch - 1) % control.interval + 1
    if since != 1:
        drop_checkpoint(files.model(epoch - 1))
    if since == control.interval and epoch >= control.interval:
        drop_checkpoint(files.model(epoch - control.interval))


def remove_leftovers(path: str) -> None:
    """Removes half-written files that a killed run has left of the models `path` and `path.N`."""
    folder, name = os.path.split(path)
    pattern = re.compile(re.escape(name) + r"(\.\d+)?((\.ckp)?\.new|((\.ckp)?\.new|\.ckp|\.bsls\.json|\.inside)?\.tmp)")
    with suppress(OSError):
        for entry in os.listdir(folder or "."):
            if pattern.fullmatch(entry):
                os.unlink(os.path.join(folder, entry))


def write_note(
    model: str,
    epoch: int,
    command: str,
    known: str = "",
    commands: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
    checkpoint: str = "",
) -> None:
    """Notes what `model` and its checkpoint are; `known` is the model's digest, if it has not got its name yet.

    `commands` are those of the run, of which `command` is one; `more` is what this run may need
    beside the checkpoint to go on: `MORE`.
    """
    note = {
        "version": SIDE_FILE_VERSION,
        "command": command,
        "commands": list(commands),
        "epoch": epoch,
        "model": known or digest(model),
        "checkpoint": digest(checkpoint or checkpoint_of(model)),
        **(more or {}),
    }
    with atomic_file(side_file_of(model)) as file:
        file.write(json.dumps(note, indent=1).encode() + b"\n")


def copy_model(source: str, target: str, epoch: int, command: str) -> None:
    """Copies a model with its checkpoint, if it has one of its own; each file appears whole or not at all."""
    drop_checkpoint(target)
    if os.path.exists(checkpoint_of(source)) and belongs_together(source):
        copy_file(checkpoint_of(source), checkpoint_of(target))
        write_note(
            target,
            epoch,
            command,
            known=digest(source),
            more={k: v for k, v in (read_note(source) or {}).items() if k in MORE},
        )
    copy_file(source, target)


def copy_file(source: str, target: str) -> None:
    """Copies a file, which appears whole or not at all."""
    try:
        with open(source, "rb") as read, atomic_file(target) as written:
            shutil.copyfileobj(read, written)
    except OSError as error:
        raise BsError("file-read", f"cannot read '{source}': {error.strerror}", help="check the file") from error


def read_note(model: str) -> dict[str, Any] | None:
    """What is noted beside a model; None where nothing is, or where it is about other files of these names."""
    note = _note(model)
    return note if note is not None and _is_of_checkpoint(note, model) else None


def minibatches_of(model: str) -> int:
    """How many minibatches a model was trained with, as noted beside it; 0 where nothing is."""
    found = (read_note(model) or {}).get("minibatches")
    return found if isinstance(found, int) else 0


def belongs_together(model: str) -> bool:
    """Whether model and checkpoint come from the same epoch, as far as anything is noted.

    A note of which neither is true any more is about older files, and says nothing.
    """
    note = _note(model)
    if note is None:
        return True
    return (note.get("model") == _digest_of(model)) == _is_of_checkpoint(note, model)


def _is_of_checkpoint(note: Mapping[str, object], model: str) -> bool:
    found = _digest_of(checkpoint_of(model))
    return found is not None and found in (note.get("checkpoint"), note.get("replaced"))


def _note(model: str) -> dict[str, Any] | None:
    try:
        with open(side_file_of(model), encoding="utf-8") as file:
            note = json.load(file)
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and note.get("version") == SIDE_FILE_VERSION else None


def _digest_of(path: str) -> str | None:
    try:
        return digest(path)
    except OSError:
        return None


def digest(path: str) -> str:
    """What tells a file's content from any other."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush_folder(folder: str) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
