"""One config as a whole: its texts, commands, networks, and the models that its commands write for each other."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from threading import Event
from typing import NamedTuple

from bsls.config.actions import compared_models
from bsls.config.assemble import COMMAND_LINE, argument, assemble
from bsls.config.commands import Command, commands
from bsls.config.criteria import named_nodes, output_nodes
from bsls.config.label_maps import label_columns
from bsls.config.section import VARIABLE, Section, Value
from bsls.evaluate.brainscript import Evaluation, evaluate_network, members_of
from bsls.evaluate.environment import Counters, Environment, Model
from bsls.evaluate.mel import Host
from bsls.evaluate.simple import simple_network
from bsls.finding import BsError, Finding, Severity
from bsls.network.cloning import duplicate
from bsls.network.gradients import expose_gradients
from bsls.network.network import Network
from bsls.network.validation import Validation, validate
from bsls.project.files import Files
from bsls.project.includes import including
from bsls.project.mel import SavedModels, run_mel, saved_by_script
from bsls.project.models import network_in
from bsls.project.ndl import network_of_ndl
from bsls.schema.ops.delays import DELAYS
from bsls.source import ExpandedText, Source, Span
from bsls.syntax import tree
from bsls.syntax.brainscript import Members, parse_expression, tokens
from bsls.syntax.raw import LANGUAGES

BRAINSCRIPT = frozenset(key for key, language in LANGUAGES.items() if language == "brainscript")
"""Keys, in lower case, whose text is BrainScript."""

_EPOCH = re.compile(r"\.\d+$")
_MODEL_NAME = re.compile(r"\.(dnn|cmf|model|mdl)(\.\d+)?$", re.IGNORECASE)
_MAX_NEIGHBOURS = 1000
_MAX_LISTED = 100
"""Other configs whose models are listed."""


class KnownModel(NamedTuple):
    """A model that can be loaded: its path, the command that writes it (empty for a mere file), the name of the config
    of that (empty for this one), and where the path is written."""

    path: str
    command: str = ""
    config: str = ""
    span: Span | None = None


class _Foreseen:
    """What the configs of a folder know of each other: the configs by absolute path (None where one cannot be read),
    what was read for them, and the networks that their commands will write, by absolute path of the model (None as long
    as it is being worked out)."""

    def __init__(self) -> None:
        self.projects: dict[str, Project | None] = {}
        self.files: dict[str, Files] = {}
        self.networks: dict[str, Evaluation | None] = {}


class Project:
    """What `configFile=F[+G] key=value ...` means.

    `foresee` lets models that do not exist yet be known from the command that will write them: right for everything
    but a run. With `tolerant`, a `$x$` without value stands for itself (`config.unresolved`). `previous` is the same
    config before an edit; its unchanged parts are not parsed again. `cancel` ends evaluations when it is set.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        files: Files | None = None,
        *,
        foresee: bool = True,
        shared: _Foreseen | None = None,
        previous: Project | None = None,
        cancel: Event | None = None,
        tolerant: bool = False,
    ) -> None:
        self.files = files or Files()
        self.foresee = foresee
        self.cancel = cancel
        self._members: dict[str, Members | None] = {}
        self._old_members = previous._members if previous is not None else {}
        self.counters = Counters()
        self.printed: Callable[[str], None] = lambda text: None
        """Takes what `Print` in a network description says."""
        self.config_paths: list[str] = []
        self.unknown_models: list[tuple[str, Span | None]] = []
        """Models of which nothing is known, and where they are named."""
        self._foreseen = shared or _Foreseen()
        self._folder: list[Project] | None = None
        parts: list[Source] = []
        for word in arguments:
            key, separator, value = word.partition("=")
            if key.strip().lower() == "configfile" and separator:
                for path in filter(None, (p.strip() for p in value.split("+"))):
                    if path in self.config_paths:
                        raise BsError(
                            "usage", f"the config '{path}' is given twice", None, help="leave one of them out"
                        )
                    self.config_paths.append(path)
                    parts.append(self.files.source(path))
            else:
                if key.strip().lower() == "currentdirectory" and separator:
                    self._enter(value.strip().strip('"'))
                parts.append(argument(word))
        if not self.config_paths:
            raise BsError("usage", "no config file was given", None, help="give configFile=FILE")
        self.config: Section = self._assembled(parts, shared is not None)
        if tolerant and self.config.unresolved is None:
            self.config.unresolved = {}
        self.counters.constant_seed = self.config.get_boolean("forceConstantRandomSeed", False)
        self._foreseen.projects |= {self.files.absolute(path): self for path in self.config_paths}

    def _assembled(self, parts: Sequence[Source], neighbour: bool) -> Section:
        """The config; that of a neighbour is taken over from an earlier reading of the same text."""
        included: list[str] = []

        def include(path: str) -> Source:
            included.append(path)
            return self.files.source(path)

        path = self.config_paths[0]
        known = self.files.assembled.get(path)
        if neighbour and known is not None and known[0] == parts[0].text:
            return known[1]
        config = assemble(parts, include)
        if neighbour and not included:
            self.files.assembled[path] = (parts[0].text, config)
        return config

    def _enter(self, folder: str) -> None:
        """`currentDirectory=folder`: all paths count from there; a run itself goes there."""
        path = self.files.shown(folder)
        if not os.path.isdir(path):
            raise BsError("usage", f"the folder '{folder}' does not exist", None, help="correct currentDirectory")
        if self.foresee:
            self.files.base = path
        else:
            os.chdir(path)

    def commands(self) -> list[Command]:
        """The commands in order; raises where one does not exist or the text is not right."""
        for finding in self.config.problems:
            if finding.severity == Severity.ERROR:
                raise BsError.of(finding)
        found = commands(self.config)
        for block in {id(b): b for c in found for b in c.blocks()}.values():
            for finding in block.all_problems():
                if finding.rule == "syntax" and finding.severity == Severity.ERROR:
                    raise BsError.of(finding)
        return found

    # --- networks ----------------------------------------------------------------------------------------------------

    def environment(self, command: Command, *, strict: bool, counters: Counters | None = None) -> Environment:
        return Environment(
            precision="double" if command.precision == "double" else "float",
            trace_level=command.trace_level, strict=strict, counters=counters or self.counters,
            load=lambda path, span: self.load_model(path, span, counters), matrix_size=self.files.matrix_size,
            cancel=self.cancel, printed=self.printed,
        )  # fmt: skip

    def build(self, command: Command, *, strict: bool = True, counters: Counters | None = None) -> Evaluation:
        """The network that the command's description makes."""
        value = command.builder()
        if value is None:
            raise BsError(
                "missing-key", f"command '{command.name}' has no network description", command.section.span,
                help="add BrainScriptNetworkBuilder = { ... }",
            )  # fmt: skip
        make = DESCRIPTIONS.get(value.key.lower())
        if make is None:
            raise BsError(
                "unsupported-builder",
                f"{value.key} is not supported by this version",
                value.key_span,
                help="describe the network in BrainScriptNetworkBuilder",
            )
        return make(self, command, value, self.environment(command, strict=strict, counters=counters))

    def _from_brainscript(self, command: Command, value: Value, environment: Environment) -> Evaluation:
        wrong = [f for f in self.config.problems if f.severity == Severity.ERROR]
        return evaluate_network(self._description(value), environment, self.members(command), wrong)

    def _description(self, value: Value) -> ExpandedText:
        """A network description with what it includes."""
        self._need_values(value)
        return including(value.raw, self.files, self.config_paths)

    def _from_ndl(self, command: Command, value: Value, environment: Environment) -> Evaluation:
        return network_of_ndl(command, value, self.files, environment)

    def _from_simple(self, command: Command, value: Value, environment: Environment) -> Evaluation:
        section = command.section.section(value.key)
        assert section is not None
        return simple_network(section, environment)

    def _need_values(self, description: Value) -> None:
        """Raises where a `$x$` without value stands in a network description, but for strings."""
        if VARIABLE.search(description.raw.text) is None:
            return
        for token in tokens(description.raw.text):
            if token.group() == "$":
                place = description.raw.span(token.start(), token.end())
                known = self.config.unresolved or {}
                finding = known.get((place.source, place.start))
                if finding is not None:
                    raise BsError.of(finding)

    def members(self, command: Command) -> Members | None:
        """The members of the command's BrainScript description; None where it has none."""
        value = command.builder()
        if value is None or value.key.lower() not in BRAINSCRIPT:
            return None
        holder = command.section.holder(value.key)
        key = f"{holder.path if holder else ''}:{value.key}".lower()
        if key not in self._members:
            members = self._members[key] = members_of(self._description(value), self._old_members.get(key))
            if members is not None:
                members.doubt(self.config.problems)
        return self._members[key]

    def text_problems(self, command: Command) -> list[Finding]:
        """What is wrong with the text of the command's BrainScript description, evaluated or not."""
        value = command.builder()
        if value is None or value.key.lower() not in BRAINSCRIPT:
            return []
        members = self.members(command)
        if members is None:
            return list(tree.problems(parse_expression(self._description(value))))
        return [*members.problems, *(f for name in members.names for f in members.findings(name))]

    def network(self, command: Command, *, strict: bool = True) -> Evaluation:
        """The network that the command works on: built or loaded, as its action does it.

        A loaded network without description must exist or be foreseen; otherwise `network` is None.
        """
        evaluation = self._made(command, strict)
        if command.action == "write" and command.section.get_boolean("nodeUnitTest", False):
            _expose_gradients(command, evaluation)
        return evaluation

    def _made(self, command: Command, strict: bool) -> Evaluation:
        kind = command.kind.network
        if command.runs_script:
            return self.edit(command, self.host(), strict=strict)
        begun = self.starting_model(command)
        if begun is not None:
            model = self.load_model(begun.text + ".0", begun.span)
            return Evaluation(None, complete=False) if model is None else _of_model(model)
        if kind in ("build", "edit") or (kind == "either" and command.builder() is not None):
            return self.build(command, strict=strict)
        if kind == "none":
            return Evaluation(None)
        value = command.section.require("modelPath")
        outputs = command.section.get_array(command.kind.outputs) if command.kind.outputs else None
        path = self._first_compared(command) or value.text
        model = self.load_model(path, value.span, outputs=outputs or ())
        return Evaluation(None, complete=False) if model is None else _of_model(model)

    def _first_compared(self, command: Command) -> str | None:
        """The first model that a `cv` finds; models of epochs may be all that there is."""
        if command.action != "cv" or command.section.get("crossValidationInterval") is None:
            return None
        return next((p for p in compared_models(command.section) if self.files.exists(p)), None)

    def edit(
        self, command: Command, host: Host, *, strict: bool = True, counters: Counters | None = None
    ) -> Evaluation:
        """Runs the command's script of the model editing language. It has no network of its own."""
        return run_mel(command, self.files, self.environment(command, strict=strict, counters=counters), host)

    def host(self, counters: Counters | None = None) -> SavedModels:
        """What a script loads when nothing is written: models of this project, and those that it saves itself."""
        return SavedModels(
            self.files, lambda path, span: self.load_model(path, span, counters), counters or self.counters
        )

    def starting_model(self, command: Command) -> Value | None:
        """The `modelPath` M of a training that another command begins by writing M.0, as after an edit.

        The description of the network is not looked at then. A run sees it from the file.
        """
        value = command.model_path if command.kind.trains and self.foresee else None
        if value is None:
            return None
        wanted = self.files.absolute(value.text + ".0")
        written = (self.files.absolute(v.text) for other, v in self._written() if other.name != command.name)
        return value if wanted in written else None

    def load_model(
        self, path: str, span: Span | None = None, counters: Counters | None = None, outputs: Sequence[Value] = ()
    ) -> Model | None:
        """The network of a model (a copy): from its file, else from the command that will write it.

        None where nothing is known of it. A run without that file raises. `counters` are given where the network is
        only foreseen that loads it. The nodes called `outputs`, if any names are given, become the output nodes.
        """
        if VARIABLE.search(path) is None and self.files.exists(path):
            try:
                network = network_in(path, self.files)
            except BsError as error:
                if error.finding.span is None:
                    error.finding.span = span
                raise
            return self._model(network, counters, outputs)
        if not self.foresee:
            raise BsError(
                "missing-model",
                f"the model file '{path}' does not exist",
                span,
                help="train it first, or correct the path",
            )
        evaluation = self.planned(path)
        if evaluation is None or evaluation.network is None:
            if counters is None and self.writer(path) is None and VARIABLE.search(path) is None:
                self.unknown_models.append((path, span))
            return None
        return self._model(duplicate(evaluation.network), counters, outputs, evaluation.complete)

    def _model(
        self, network: Network, counters: Counters | None, outputs: Sequence[Value], complete: bool = True
    ) -> Model:
        network.enter((counters or self.counters).axis_names)
        if outputs:
            network.groups["output"] = named_nodes(network, outputs)[0]
        return Model(network, validate(network), complete)

    def planned(self, path: str) -> Evaluation | None:
        """The network that a command will write, or has written, to `path`; its nodes know where they were made."""
        key = self.files.absolute(path)
        networks = self._foreseen.networks
        if key not in networks:
            networks[key] = None  # also ends a circle
            found = self.writer(path)
            if found is None:
                return None
            project, command = found
            counters = Counters()
            try:
                if command.runs_script:
                    host = project.host(counters)
                    project.edit(command, host, strict=False, counters=counters)
                    networks |= {project.files.absolute(p): e for p, e in host.saved.items()}
                elif (begun := project.starting_model(command)) is not None:
                    networks[key] = project.planned(begun.text + ".0")
                elif command.kind.copies:
                    value = command.section.require(command.kind.copies)
                    model = project.load_model(value.text, value.span, counters)
                    networks[key] = _of_model(model) if model is not None else None
                elif command.builder() is not None:
                    networks[key] = project.build(command, strict=False, counters=counters)
            except BsError:
                return None
            evaluation = networks[key]
            for node in (evaluation.network if evaluation is not None else None) or ():
                if node.shape is None:
                    continue
                if node.is_parameter:
                    node.attributes["dims"] = node.shape.dims
                    node.value = None
                elif node.op in DELAYS:  # the file has what validation found, from which a loop can begin
                    node.attributes["shape"] = node.shape.dims
        return networks[key]

    def writer(self, path: str) -> tuple[Project, Command] | None:
        """The command that writes the model `path`, here or in another config of the same folder."""
        command = self.own_writer(path)
        if command is not None:
            return self, command
        for project in self.neighbours(_EPOCH.sub("", os.path.basename(path))):
            command = project.own_writer(path)
            if command is not None:
                return project, command
        return None

    def own_writer(self, path: str) -> Command | None:
        """The command of this config that writes the model `path`; `path` may be the model of an epoch, `m.dnn.3`."""
        wanted = self.files.absolute(path)
        candidates = [wanted] + ([_EPOCH.sub("", wanted)] if _EPOCH.search(wanted) else [])
        for command, value in self._written():
            if self.files.absolute(value.text) in candidates:
                return command
        return None

    def models(self) -> Iterator[KnownModel]:
        """What the commands of this config and of those beside it write, then the model files beside these, each once.

        Paths are as a command has them; they count from the same folder here.
        """
        written: set[str] = set()
        folders = {"": None}
        for project in (self, *islice(self.neighbours(), _MAX_LISTED)):
            config = "" if project is self else os.path.basename(project.config_paths[0])
            for command, value in project._written():
                path = self.files.absolute(value.text)
                if value.text and path not in written:
                    written.add(path)
                    folders[os.path.dirname(value.text.replace("\\", "/"))] = None
                    yield KnownModel(value.text, command.name, config, value.span)
        listed = set(written)
        for folder in folders:
            for name, is_folder in self.files.entries(folder):
                shown = posixpath.join(folder, name)
                path = self.files.absolute(shown)
                is_one = is_model_name(name) or _EPOCH.sub("", path) in written
                if is_one and not is_folder and path not in listed:
                    listed.add(path)
                    yield KnownModel(shown)

    def _written(self) -> Iterator[tuple[Command, Value]]:
        """The commands that write a model, those that do not run as well, and its path."""
        for section in self._all_sections():
            try:
                action = section.own("action")
                words = action.array() if action is not None else []
            except BsError:
                continue
            for word in words:
                try:
                    command = Command(section.name, word.text, section, word.span, word.span)
                    if command.runs_script:
                        yield from ((command, value) for value in saved_by_script(command, self.files))
                        continue
                    written = section.get(command.kind.writes) if command.kind.writes else None
                except (BsError, KeyError):
                    continue
                if written is not None:
                    yield command, written

    def writer_of_output(self, path: str) -> Section | None:
        """The section that writes a file which is no model: an `outputFile`, or what begins with its `outputPath`."""
        wanted = self.files.absolute(path)
        for section in self._all_sections():
            for value in _outputs(section):
                if value.text and wanted.startswith(self.files.absolute(value.text)):
                    return section
        return None

    def _all_sections(self) -> list[Section]:
        found: list[Section] = []
        for value in self.config:
            if value.raw.text[:1] in ("[", "{"):
                try:
                    section = self.config.own_section(value.key)
                except BsError:
                    continue
                if section is not None:
                    found.append(section)
        return found

    def neighbours(self, about: str = "") -> Iterator[Project]:
        """The other configs of the folder, as far as they can be read; only those that may have the text `about` in them,
        capitals or not."""
        folder = os.path.dirname(self.files.shown(self.config_paths[0])) or "."
        projects = self._foreseen.projects
        self.files.look(os.path.abspath(folder))
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.cntk")))[:_MAX_NEIGHBOURS]:
            path = os.path.abspath(path)
            if path not in projects:
                own = self.files
                files = self._foreseen.files.setdefault(path, Files(own.base, own.documents, own.states, own.assembled))
                try:
                    text = files.source(path).text
                    if about.lower() not in text.lower() and "$" not in text:
                        continue
                    Project([f"configFile={path}"], files, shared=self._foreseen, cancel=self.cancel, tolerant=True)
                except BsError:
                    projects[path] = None
            neighbour = projects[path]
            if neighbour is not None and neighbour is not self:
                yield neighbour


DESCRIPTIONS: dict[str, Callable[[Project, Command, Value, Environment], Evaluation]] = {
    **dict.fromkeys(BRAINSCRIPT, Project._from_brainscript),
    "ndlnetworkbuilder": Project._from_ndl,
    "simplenetworkbuilder": Project._from_simple,
}
"""How the network is made that a key, in lower case, describes."""


def _expose_gradients(command: Command, evaluation: Evaluation) -> None:
    """Adds the nodes with which a `write` with `nodeUnitTest` writes gradients."""
    if evaluation.network is None or not evaluation.complete:
        return
    try:
        ((root,), _) = output_nodes(evaluation.network, command.section)
        expose_gradients(evaluation.network, root)
    except BsError as error:
        error.finding.span = error.finding.span or command.section.require("nodeUnitTest").span
        raise
    evaluation.validation = validate(evaluation.network)


def _outputs(section: Section) -> Iterator[Value]:
    """The names of files that a section writes, or the beginnings of these names."""
    for key in ("outputFile", "outputPath", "labelMappingFile", "outputMappingFile", "outputVocabFile"):
        with suppress(BsError):
            if (value := section.own(key)) is not None:
                yield value
    with suppress(BsError):
        if (action := section.own("action")) is not None and action.text == "createLabelMap":
            yield from (column.names for column in label_columns(section))


def _of_model(model: Model) -> Evaluation:
    return Evaluation(model.network, model.validation, complete=model.complete)


def is_model_name(name: str) -> bool:
    """Whether a file is called as models usually are, `m.dnn` or `m.dnn.3`."""
    return _MODEL_NAME.search(name) is not None


__all__ = ["COMMAND_LINE", "Command", "Finding", "KnownModel", "Project", "Validation", "Value", "is_model_name"]
