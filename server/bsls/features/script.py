"""A script of the model editing language in the editor: its models at a place, and the call around that place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bsls.config.commands import Command
from bsls.evaluate.brainscript import with_deep_stack
from bsls.evaluate.environment import Counters, Environment, Model
from bsls.evaluate.mel import ScriptModel, models_after
from bsls.features.document import Document
from bsls.finding import BsError
from bsls.modelfile.model import read as read_model
from bsls.network.editing import matching
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.project.files import Files
from bsls.project.mel import SavedModels
from bsls.project.ndl import macro_files
from bsls.project.project import Project
from bsls.schema import mel as schema
from bsls.source import ExpandedText, Span
from bsls.syntax import mel as tree
from bsls.syntax import ndl
from bsls.syntax.outer import blank_comments

_CALL = re.compile(r"([A-Za-z]\w*)[ \t]*\(([^()\n]*)$")
_ARGUMENT_BEFORE = re.compile(r"[^\s,()=;\"]*$")
_ARGUMENT_AFTER = re.compile(r"[^\s,()=;\"]*")
_OPENED = {"[": "]", "{": "}", "(": ")"}
_NODES = ("node", "from", "to", "root", "input", "old")
_MAX_CONFIGS = 50
"""Configs in the folder of a script and around it that are searched for the command that runs it."""


def is_editing_script(document: Document) -> bool:
    """Whether the document is a script of the model editing language, and not too long to be looked at."""
    return document.source.path.lower().endswith(".mel") and len(document.source.text) <= 1_000_000


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument at a place: `span` is what is written, `command` and `index` where in which command."""

    span: Span
    command: schema.Command | None
    index: int

    @property
    def parameter(self) -> str:
        """The parameter of the command, without marks and numbers: `input` for `input2?`; empty beyond the last."""
        if self.command is None:
            return ""
        parameters = [p.rstrip("?0123456789") for p in self.command.parameters]
        if parameters[-1:] == ["..."]:
            parameters[-1:] = [parameters[-2]] * max(self.index + 2 - len(parameters), 1)
        return parameters[self.index] if self.index < len(parameters) else ""

    @property
    def names_nodes(self) -> bool:
        return self.parameter in _NODES


def argument_at(document: Document, offset: int) -> Argument:
    """The argument around an offset, which may be empty, or a word that is none."""
    source = document.source
    line = source.position(offset).line
    start = source.line_starts[line]
    before = blank_comments(source.line(line))[: offset - start]
    typed, rest = _ARGUMENT_BEFORE.search(before), _ARGUMENT_AFTER.match(source.text, offset)
    assert typed is not None and rest is not None
    call = _CALL.search(before)
    command = schema.find(call.group(1)) if call is not None else None
    index = call.group(2).count(",") if call is not None else 0
    return Argument(source.span(start + typed.start(), rest.end()), command, index)


class Script:
    """What is known of the script in a document, which must be one."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.files = document.files or Files(os.path.dirname(document.source.path))
        self.project: Project | None = None
        self.command: Command | None = None
        self._models: dict[int, list[ScriptModel]] = {}
        for project, command in self._users():
            self.project, self.command = project, command
            self.files = project.files
            break

    def models(self, offset: int) -> list[ScriptModel]:
        """The models that there are before the statement around an offset."""
        text = blank_comments(self.document.source.text)
        end = text.rfind("\n", 0, offset) + 1
        if end not in self._models:
            self._models[end] = self._run(text, _body(text, end), end)
        return self._models[end]

    def nodes(self, argument: Argument) -> tuple[ScriptModel, list[Node]] | None:
        """The model and the nodes that an argument names; None where it names no model's nodes."""
        name = argument.span.text
        models = self.models(argument.span.start)
        cut = min((i for i in (name.find("."), name.find("*")) if i >= 0), default=len(name))
        model = next((m for m in models if m.name.lower() == name[:cut].lower()), None)
        pattern = name if model is None else name[cut + 1 :]
        model = model or next((m for m in models if m.default), None)
        return (model, matching(model.network, pattern)) if model is not None and pattern else None

    def _run(self, text: str, start: int, end: int) -> list[ScriptModel]:
        source = self.document.source
        whole = ExpandedText.of(source).with_text(text).slice(start, end)
        counters = Counters()
        host = SavedModels(self.files, self._load, counters)
        found: list[ScriptModel] = []
        try:
            macros: list[ndl.Script] = []
            environment = Environment(strict=False)
            if self.project is not None and self.command is not None:
                whole = self.command.section.expand(whole)
                macros = list(macro_files(self.command.section, self.files))
                environment = self.project.environment(self.command, strict=False, counters=counters)
                host = self.project.host(counters)
            script = tree.parse(whole)
            with_deep_stack(lambda: found.extend(models_after(script, macros, environment, host)))
        except BsError:
            pass  # the check says it
        return found

    def _load(self, path: str, span: Span | None) -> Model | None:
        """A model file, where no config is known that runs the script."""
        if not self.files.exists(path):
            return None
        network = read_model(self.files.shown(path))
        return Model(network, validate(network))

    def _users(self) -> Iterator[tuple[Project, Command]]:
        """The commands that run the script, of configs beside it, in the folder above, and beside that folder."""
        path = os.path.abspath(self.document.source.path)
        here = os.path.dirname(path)
        above = os.path.dirname(here)
        folders = [here, above, *_folders(above)]
        configs = [config for folder in folders for config in _configs(folder)]
        for config in list(dict.fromkeys(configs))[:_MAX_CONFIGS]:
            files = Files(os.path.dirname(config), self.files.documents, assembled=self.files.assembled)
            try:
                if os.path.basename(path).lower() not in files.source(os.path.basename(config)).text.lower():
                    continue
                project = Project([f"configFile={os.path.basename(config)}"], files, tolerant=True)
                for command in project.commands():
                    value = command.section.get("editPath") if command.runs_script else None
                    if value is not None and os.path.abspath(files.absolute(value.text)) == path:
                        yield project, command
            except BsError:
                continue


def made_at(project: Project | None, path: str, node: Node) -> Span | None:
    """Where a config makes a node of the model `path`, if that is known."""
    if node.origin is not None:
        return node.origin
    planned = project.planned(path) if project is not None and path else None
    made = planned.network.find(node.name) if planned is not None and planned.network is not None else None
    return made.origin if made is not None else None


def _body(text: str, end: int) -> int:
    """Where the section of a script begins that an offset is in; 0 outside of sections."""
    opened: list[int] = []
    for i in range(end):
        if text[i] in _OPENED:
            opened.append(i)
        elif text[i] in _OPENED.values() and opened:
            opened.pop()
    return opened[-1] + 1 if opened and text[opened[-1]] != "(" else 0


def _folders(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []


def _configs(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".cntk") and entry.is_file())
    except OSError:
        return []
