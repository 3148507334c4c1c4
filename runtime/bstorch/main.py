"""Runs the commands of a config with torch: what `bsls run` and `bsls resume` reach through the entry point `bsls.runtime`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import torch

from bsls.config.commands import Command
from bsls.config.section import Section
from bsls.config.support import unsupported_parts
from bsls.finding import BsError
from bsls.network.printing import banner
from bsls.project.project import Project
from bstorch.actions.common import placed
from bstorch.allocation import keep_freed_memory
from bstorch.context import RunContext
from bstorch.determinism import LINE, follow_determinism, is_deterministic
from bstorch.events import Events
from bstorch.observers.open import Wanted, open_observers
from bstorch.precision import follow_matrix_precision
from bstorch.threads import follow_thread_setting

Run = Callable[[Command, RunContext], None]


class Runtime:
    """The engine: runs commands, writes the log to `stderr` and events to the file `events`.

    `progress` is `auto` (a display where `stderr` is a terminal), `on` or `off`; `tensorboard` is the folder and `plot` the
    picture to write. With `detect_anomaly` a run ends at the first node whose value or gradient is not finite.
    """

    def __init__(
        self,
        stderr: TextIO | None = None,
        events: str | None = None,
        *,
        detect_anomaly: bool = False,
        progress: str = "auto",
        tensorboard: str | None = None,
        plot: str | None = None,
    ) -> None:
        self._stderr = stderr or sys.stderr
        self._wanted = Wanted(events, progress, tensorboard, plot)
        self._detect_anomaly = detect_anomaly

    def run(self, project: Project) -> None:
        """Runs all commands in order; raises BsError where one fails."""
        observers, log = open_observers(self._wanted, self._stderr)
        with Events(observers) as events:
            with _told(events):
                self._run(project, events, log)
            events.emit("done")

    def resume(
        self,
        project: Project,
        start: str | None = None,
        to: str | None = None,
        max_epochs: int | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Goes on with the training of the config's first train command.

        `start` is the model to go on from (default: the last complete one), `to` a folder for all files that are written
        (default: where the models are), `max_epochs` takes the place of `maxEpochs`. With `force` it goes on although network or
        data have changed.
        """
        from bstorch.actions.resume import resume

        observers, log = open_observers(self._wanted, self._stderr)
        with Events(observers) as events:
            with _told(events):
                context, commands = self._context(project, events, log), project.commands()
                context.commands = list(dict.fromkeys(c.name for c in commands))
                resume(commands, context, start, to, max_epochs, force=force)
            events.emit("done")

    def _run(self, project: Project, events: Events, log: TextIO) -> None:
        commands = project.commands()
        context = self._context(project, events, log)
        context.commands = list(dict.fromkeys(c.name for c in commands))
        context.say(f"Commands: {' '.join(context.commands)}")
        context.say(f'precision = "{project.config.get_string("precision", "float")}"')
        if is_deterministic(project.config):
            context.say(LINE)
        for finding in (f for command in commands for f in unsupported_parts(command)):  # before anything runs
            raise BsError.of(finding)
        for command in commands:
            context.command = command.name
            context.say_all(banner(command.name, command.action))
            with placed(command):
                _action(command)(command, context)
            if command.trace_level > 0:
                context.say_all(("", f'Action "{command.action}" complete.', ""))
            context.flush()
        context.say("COMPLETED.")
        context.flush()

    def _context(self, project: Project, events: Events, log: TextIO) -> RunContext:
        follow_determinism(project.config)
        follow_thread_setting(project.config)
        keep_freed_memory()
        follow_matrix_precision(project.config)
        context = RunContext(project, log, events, detect_anomaly=self._detect_anomaly)
        context.device = device_of(project.config, context.say)
        project.printed = context.say
        return context


@contextmanager
def _told(events: Events) -> Iterator[None]:
    """What ends a run is its last event."""
    try:
        yield
    except BsError as error:
        events.error(error)
        raise
    except KeyboardInterrupt:
        events.emit("error", rule="interrupted", message="interrupted")
        raise


def _action(command: Command) -> Run:
    """The implementation of a command's action."""
    if command.action in ("train", "trainRNN"):
        from bstorch.actions.train import run
    elif command.action == "adapt":
        from bstorch.actions.adapt import run
    elif command.action in ("test", "eval"):
        from bstorch.actions.evaluate import run
    elif command.action == "cv":
        from bstorch.actions.cross_validate import run
    elif command.action == "write":
        from bstorch.actions.write import run
    elif command.action == "edit":
        from bstorch.actions.edit import run
    elif command.action.lower() in ("dumpnodes", "dumpnode"):
        from bstorch.actions.dump_nodes import run
    elif command.action == "plot":
        from bstorch.actions.plot import run
    elif command.action == "SVD":
        from bstorch.actions.decompose import run
    elif command.action == "bnstat":
        from bstorch.actions.normalization_statistics import run
    elif command.action == "createLabelMap":
        from bstorch.actions.label_map import run
    elif command.action == "writeWordAndClass":
        from bstorch.actions.word_classes import run
    else:
        raise AssertionError(command.action)
    return run


def device_of(config: Section, say: Callable[[str], None] = lambda line: None) -> torch.device:
    """The device that `deviceId` asks for: -1 or `cpu`, a GPU's number, or `auto` (the first GPU if there is one)."""
    value = config.get("deviceId")
    text = "auto" if value is None else value.text.lower()
    available = torch.cuda.is_available()
    if text in ("cpu", "-1"):
        return torch.device("cpu")
    if text == "auto":
        return torch.device("cuda", 0) if available else torch.device("cpu")
    if text.isdigit():
        if not available:
            say(f"WARNING: deviceId = {text} asks for a GPU, but PyTorch finds none here; the CPU computes.")
            return torch.device("cpu")
        if int(text) < torch.cuda.device_count():
            return torch.device("cuda", int(text))
        assert value is not None
        raise value.error("there is no such device", "use auto, cpu, or the number of a GPU")
    return torch.device("cpu")  # the reference takes any other word for the CPU
