"""A script of the model editing language seen from its own side: the command that runs it, its models statement by statement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Event
from typing import NamedTuple

from bsls.config.assemble import joined_text
from bsls.config.commands import Command
from bsls.evaluate.brainscript import with_deep_stack
from bsls.evaluate.environment import Counters, Environment, Model
from bsls.evaluate.mel import ScriptModel, models_behind
from bsls.finding import BsError
from bsls.network.validation import validate
from bsls.project.files import Files
from bsls.project.mel import SavedModels
from bsls.project.models import network_in
from bsls.project.ndl import macro_files, parts
from bsls.project.project import Project
from bsls.source import ExpandedText, Source, Span
from bsls.syntax import mel as tree
from bsls.syntax import ndl

_MAX_CONFIGS = 50
"""Configs in the folder of a script and around it that are searched for the command that runs it."""
_MAX_LISTED = 10_000
"""Entries of a folder."""


class Stage(NamedTuple):
    """The models that there are behind a statement, which ends at `end`; `start` is where its section begins."""

    start: int
    end: int
    models: list[ScriptModel]


@dataclass(slots=True)
class ScriptRun:
    """What came of a script when it was last looked at: `text` is how it was then, `stages` are in its order.

    `project` and `command` run it (None: no config is known that does), `files` say where its paths count from.
    """

    text: str
    files: Files
    project: Project | None = None
    command: Command | None = None
    stages: list[Stage] = field(default_factory=list)

    def models(self, text: str, offset: int) -> list[ScriptModel]:
        """The models before the statement around an offset of `text`, as far as that is still what was looked at."""
        before = (s for s in self.stages if s.end < offset or s.end == s.start <= offset)
        known = [s for s in before if text[: s.end] == self.text[: s.end]]
        return max(known, key=lambda s: (s.start, s.end)).models if known else []


def run_of_script(
    source: Source, files: Files, cancel: Event | None = None, previous: ScriptRun | None = None
) -> ScriptRun:
    """Runs a script without writing anything; `previous` is what came of an earlier text of it. Never raises BsError."""
    run = ScriptRun(source.text, files)
    for project, command in _users(source.path, files, cancel, previous):
        run.project, run.command, run.files = project, command, project.files
        break
    with_deep_stack(lambda: run.stages.extend(_stages(source, run)))
    return run


def _stages(source: Source, run: ScriptRun) -> Iterator[Stage]:
    counters, macros, files = Counters(), list[ndl.Script](), run.files
    environment = Environment(strict=False)

    def load(path: str, span: Span | None) -> Model | None:
        if not files.exists(path):
            return None
        network = network_in(path, files)
        return Model(network, validate(network))

    host = SavedModels(files, load, counters)
    try:
        text = joined_text([source], files.source)[0]
        if run.project is not None and run.command is not None:
            environment = run.project.environment(run.command, strict=False, counters=counters)
            host = run.project.host(counters)
            text = run.command.section.expand(text)
            macros = list(macro_files(run.command.section, files))
    except BsError:  # the check says it
        return
    for part in _sections(text):
        start = part.span().start
        yield Stage(start, start, [])
        for statement, models in models_behind(tree.parse(part), macros, environment, host):
            yield Stage(start, statement.text.span().end, models)


def _sections(text: ExpandedText) -> list[ExpandedText]:
    try:
        return parts(text, "edit")
    except BsError:  # a section that is listed is not there
        return [text]


def _users(
    path: str, files: Files, cancel: Event | None, previous: ScriptRun | None
) -> Iterator[tuple[Project, Command]]:
    """The commands that run the script, of configs beside it, in the folder above, and beside that folder."""
    path = os.path.abspath(path)
    before = previous.project if previous is not None else None
    for config in islice(_configs(path, before, files), _MAX_CONFIGS):
        name = os.path.basename(config)
        own = Files(os.path.dirname(config), files.documents, files.states, files.assembled)
        try:
            if os.path.basename(path).lower() not in own.source(name).text.lower():
                continue
            project = Project([f"configFile={name}"], own, previous=before, cancel=cancel, tolerant=True)
            for command in project.commands():
                value = command.section.get("editPath") if command.runs_script else None
                if value is not None and own.absolute(value.text) == path:
                    yield project, command
        except BsError:
            continue


def _configs(script: str, before: Project | None, files: Files) -> Iterator[str]:
    """The configs to look at, that of an earlier text first; a folder is listed when those before it are done."""
    if before is not None:
        yield before.files.absolute(before.config_paths[0])
    here = os.path.dirname(script)
    above = os.path.dirname(here)
    for folder in (here, above):
        yield from _listed(folder, files, folders=False)
    for folder in _listed(above, files, folders=True):
        yield from _listed(folder, files, folders=False)


def _listed(folder: str, files: Files, *, folders: bool) -> Iterator[str]:
    """The folders or the configs in a folder."""
    for name, is_folder in files.entries(folder, limit=_MAX_LISTED):
        if is_folder == folders and (folders or name.endswith(".cntk")):
            yield os.path.join(folder, name)
