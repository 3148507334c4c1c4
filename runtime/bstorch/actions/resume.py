"""`bsls resume`: goes on with a training that was cut off, or trains a finished one for more epochs.

Nothing that exists is overwritten: a final model that training goes on from is kept under the name of its epoch, and other
models in the way end the command before it begins. With a folder to write to, all files of the run stay as they are.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bsls.config.assemble import option_span
from bsls.config.commands import Command
from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.modelfile.atomic import make_folder
from bsls.network.printing import banner
from bstorch.actions.common import loaded_network, model_path, placed, writing
from bstorch.actions.train import sgd_settings, train
from bstorch.actions.unchanged import check_unchanged
from bstorch.context import RunContext
from bstorch.training import inside
from bstorch.training.checkpoints import (
    ModelFiles,
    belongs_together,
    checkpoint_of,
    copy_file,
    copy_model,
    read_note,
)
from bstorch.training.rate_control import explicit_rates


@dataclass(frozen=True, slots=True)
class Found:
    """A model to go on from: `epoch` epochs are done, `complete` if its own checkpoint is beside it."""

    model: str
    epoch: int
    complete: bool


def resume(
    commands: Sequence[Command],
    context: RunContext,
    start: str | None,
    to: str | None,
    max_epochs: int | None,
    *,
    force: bool = False,
) -> None:
    """Continues the training of the one command that trains (or of the first one that has not ended).

    Without `force` only where network and data are those that the model was trained with.
    """
    command = _training_command(commands, context)
    context.command = command.name
    with placed(command):
        _resume(command, context, start, to, max_epochs, force=force)


def _resume(
    command: Command, context: RunContext, start: str | None, to: str | None, max_epochs: int | None, *, force: bool
) -> None:
    settings = sgd_settings(command.section, command.precision)
    given_epochs, settings = settings.max_epochs, _with_epochs(settings, max_epochs)
    path = model_path(command).string()
    found = _given(start, path, given_epochs) if start else last_complete(path, given_epochs)
    if found is None:
        raise BsError(
            "nothing-to-resume",
            f"there is no model '{path}' or '{path}.N' to go on from",
            model_path(command).span,
            help="start the training with `bsls run`",
        )
    files = ModelFiles(os.path.join(to, os.path.basename(path)) if to else path, settings.max_epochs)
    if to:
        found = _begun_there(files.path, found, given_epochs) or found
    context.say_all(banner(command.name, command.action))
    done = f"{found.epoch} of {settings.max_epochs} epochs are done"
    if found.epoch > settings.max_epochs:
        done = f"{found.epoch} epochs are done, more than maxEpochs = {settings.max_epochs}"
    context.say(f"Found {_described(found)}: {done}.")
    if found.epoch >= settings.max_epochs:
        context.say(f"Nothing is left to do; --max-epochs with more than {found.epoch} goes on.")
        return
    _refuse_overwriting(files, found)
    network = loaded_network(found.model)
    if not force:
        check_unchanged(command, network, found.model, context)
    if files.model(found.epoch) != found.model:
        _make_folder(to)
        if to and os.path.exists(inside.path_of(path)):
            copy_file(inside.path_of(path), inside.path_of(files.path))
        copy_model(found.model, files.model(found.epoch), found.epoch, command.name)
        context.say(f"It is kept as '{files.model(found.epoch)}'.")
    rate = ""
    if settings.rate_control.method == "none" or found.epoch < explicit_rates(settings):
        rate = f", at a learning rate of {settings.learning_rate(found.epoch):.8g} per sample"
    written = files.model(found.epoch + 1)
    context.say(f"Going on with epoch {found.epoch + 1}{rate}; models are written to '{written}' and so on.")
    train(network, command, settings, files, context, begun=found.epoch)


def _described(found: Found) -> str:
    if found.epoch == 0:
        return f"'{found.model}', the initial model"
    state = "with its checkpoint" if found.complete else "without its checkpoint, so that momentum begins anew"
    return f"'{found.model}' {state}"


def _say_each(training: Sequence[Command], context: RunContext) -> None:
    """What is there of each training."""
    for command in training:
        found = last_complete(model_path(command).string(), 0)
        state = "not begun" if found is None else f"{_described(found)}, after epoch {found.epoch}"
        context.say(f"{command.name}: {state}.")


def _training_command(commands: Sequence[Command], context: RunContext) -> Command:
    training = [c for c in commands if c.kind.trains and c.kind.supported]
    if not training:
        span = commands[0].name_span if commands else None
        raise BsError("nothing-to-resume", "none of the commands trains", span, help="name one that does: command=NAME")
    if len(training) > 1:
        _say_each(training, context)
    open_ones = [c for c in training if not os.path.exists(model_path(c).string())]
    if len(training) > 1 and len(open_ones) != 1:
        started = [c for c in open_ones if last_complete(model_path(c).string(), 0) is not None]
        if len(started) != 1:
            names = ", ".join(c.name for c in training)
            raise BsError(
                "usage", f"several commands train: {names}", training[0].name_span, help="say which one: command=NAME"
            )
        return started[0]
    return training[0] if len(training) == 1 else open_ones[0]


def _with_epochs(settings: SGDSettings, max_epochs: int | None) -> SGDSettings:
    return settings if max_epochs is None else replace(settings, max_epochs=max_epochs)


def _given(start: str, path: str, max_epochs: int) -> Found:
    """The model of `--from`."""
    with _option("from", start):
        if not os.path.isfile(start):
            raise BsError("missing-model", f"the model '{start}' does not exist", help="give --from a model file")
        v1.read_version(start)
    return Found(start, epoch_of(start, path, max_epochs), _is_complete(start))


def _begun_there(path: str, found: Found, max_epochs: int) -> Found | None:
    """Where an earlier `resume` of `found` to `path` has come to; None where there was none."""
    kept = f"{path}.{found.epoch}"
    if not os.path.isfile(kept) or not filecmp.cmp(kept, found.model, shallow=False):
        return None
    return last_complete(path, max_epochs)


def _make_folder(to: str | None) -> None:
    if to:
        with _option("to", to), writing(to, None):
            make_folder(to)


@contextmanager
def _option(name: str, value: str) -> Iterator[None]:
    """Problems with no place of their own are shown at the option."""
    try:
        yield
    except BsError as error:
        if error.finding.span is None:
            error.finding.span = option_span(name, value)
        raise


def last_complete(path: str, max_epochs: int) -> Found | None:
    """The model with most epochs done whose checkpoint is there; else the one with most epochs done.

    A model that was written before the numbered one of the epoch before it is from an older run and does not count.
    """
    numbered = [Found(f"{path}.{k}", k, _is_complete(f"{path}.{k}")) for k in _numbers(path)]
    candidates = list(numbered)
    if os.path.isfile(path):
        last = numbered[-1].model if numbered else None
        if last is None or os.stat(path).st_mtime_ns >= os.stat(last).st_mtime_ns:
            candidates.append(Found(path, epoch_of(path, path, max_epochs), _is_complete(path)))
    complete = [c for c in candidates if c.complete]
    return (complete or candidates or [None])[-1]


def _is_complete(model: str) -> bool:
    return os.path.exists(checkpoint_of(model)) and belongs_together(model)


def epoch_of(model: str, path: str, max_epochs: int) -> int:
    """How many epochs a model was trained for: as noted beside it, by the number in its name, or, for the model without
    a number, one more than the highest number there is."""
    note = read_note(model)
    if note is not None and isinstance(note.get("epoch"), int):
        return int(note["epoch"])
    number = re.search(r"\.(\d+)$", model)
    if number is not None and model != path:
        return int(number.group(1))
    numbers = _numbers(model)
    return numbers[-1] + 1 if numbers else max_epochs


def _numbers(path: str) -> list[int]:
    """The epochs of which there are numbered models, in order."""
    folder, name = os.path.split(path)
    pattern = re.compile(re.escape(name) + r"\.(\d+)")
    try:
        entries = os.listdir(folder or ".")
    except OSError:
        return []
    return sorted(int(m.group(1)) for e in entries if (m := pattern.fullmatch(e)))


def _refuse_overwriting(files: ModelFiles, found: Found) -> None:
    """Ends the command where a model is in the way of one that would be written, and is not kept under another name."""
    kept = [found.model, *(f"{files.path}.{k}" for k in _numbers(files.path) if k <= found.epoch)]
    first = found.epoch if files.model(found.epoch) != found.model else found.epoch + 1
    for epoch in range(first, files.epochs + 1):
        model = files.model(epoch)
        if os.path.exists(model) and not any(filecmp.cmp(model, k, shallow=False) for k in kept):
            raise BsError(
                "would-overwrite",
                f"going on from '{found.model}' would overwrite '{model}'",
                help="give --to FOLDER for the new files, or move that model away",
            )
