"""One config as a whole: its texts, commands, networks, and the models that its commands write for each other."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence

from bsls.config.assemble import COMMAND_LINE, argument, assemble
from bsls.config.commands import Command, commands
from bsls.config.section import Section, Value
from bsls.evaluate.brainscript import Evaluation, evaluate_network
from bsls.evaluate.environment import Counters, Environment, Model
from bsls.finding import BsError, Finding
from bsls.modelfile import v1
from bsls.network.cloning import duplicate
from bsls.network.network import Network
from bsls.network.validation import Validation, validate
from bsls.project.files import Files
from bsls.source import Source, Span

_EPOCH = re.compile(r"\.\d+$")


class Project:
    """What `configFile=F[+G] key=value ...` means.

    `foresee` lets models that do not exist yet be known from the command that will write them: right for everything
    but a run.
    """

    def __init__(self, arguments: Sequence[str], files: Files | None = None, *, foresee: bool = True) -> None:
        self.files = files or Files()
        self.foresee = foresee
        self.counters = Counters()
        self.config_paths: list[str] = []
        self.unknown_models: list[tuple[str, Span | None]] = []
        """Models of which nothing is known, and where they are named."""
        self._planned: dict[str, Network | None] = {}
        parts: list[Source] = []
        for word in arguments:
            key, separator, value = word.partition("=")
            if key.strip().lower() == "configfile" and separator:
                for path in filter(None, (p.strip() for p in value.split("+"))):
                    self.config_paths.append(path)
                    parts.append(self.files.source(path))
            else:
                parts.append(argument(word))
        if not self.config_paths:
            raise BsError("usage", "no config file was given", None, help="give configFile=FILE")
        self.config: Section = assemble(parts, lambda path: self.files.source(path))
        self.counters.constant_seed = self.config.get_boolean("forceConstantRandomSeed", False)

    def commands(self) -> list[Command]:
        """The commands in order; raises where one does not exist."""
        return commands(self.config)

    # --- networks ----------------------------------------------------------------------------------------------------

    def environment(self, command: Command, *, strict: bool, counters: Counters | None = None) -> Environment:
        return Environment(
            precision="double" if command.precision == "double" else "float",
            trace_level=command.trace_level, strict=strict, counters=counters or self.counters, load=self.load_model,
            matrix_size=self.files.matrix_size,
        )  # fmt: skip

    def build(self, command: Command, *, strict: bool = True, counters: Counters | None = None) -> Evaluation:
        """The network that the command's description makes."""
        value = command.builder()
        if value is None:
            raise BsError(
                "missing-key", f"command '{command.name}' has no network description", command.section.span,
                help="add BrainScriptNetworkBuilder = { ... }",
            )  # fmt: skip
        if value.key.lower() not in ("brainscriptnetworkbuilder", "experimentalnetworkbuilder"):
            raise BsError(
                "unsupported-builder",
                f"{value.key} is not supported by this version",
                value.key_span,
                help="describe the network in BrainScriptNetworkBuilder",
            )
        return evaluate_network(value.raw, self.environment(command, strict=strict, counters=counters))

    def network(self, command: Command, *, strict: bool = True) -> Evaluation:
        """The network that the command works on: built or loaded, as its action does it.

        A loaded network without description must exist or be foreseen; otherwise `network` is None.
        """
        kind = command.kind.network
        if kind == "build" or (kind == "either" and command.builder() is not None):
            return self.build(command, strict=strict)
        if kind == "none":
            return Evaluation(None)
        value = command.section.require("modelPath")
        model = self.load_model(value.text, value.span)
        if model is None:
            return Evaluation(None, complete=False)
        return Evaluation(model.network, model.validation)

    def load_model(self, path: str, span: Span | None = None) -> Model | None:
        """The network of a model (a copy): from its file, else from the command that will write it.

        None where nothing is known of it. A run without that file raises.
        """
        if self.files.exists(path):
            try:
                network = v1.read(self.files.shown(path))
            except BsError as error:
                if error.finding.span is None:
                    error.finding.span = span
                raise
            return self._model(network)
        if not self.foresee:
            raise BsError(
                "missing-model",
                f"the model file '{path}' does not exist",
                span,
                help="train it first, or correct the path",
            )
        network = self._planned_network(path)
        if network is None:
            if self.writer(path) is None:
                self.unknown_models.append((path, span))
            return None
        return self._model(duplicate(network))

    def _model(self, network: Network) -> Model:
        network.ordinal = self.counters.next_network()
        return Model(network, validate(network))

    def _planned_network(self, path: str) -> Network | None:
        """The network that a command will write to `path`."""
        key = self.files.absolute(path)
        if key not in self._planned:
            self._planned[key] = None  # also ends a circle
            found = self.writer(path)
            if found is not None and found[1].builder() is not None:
                project, command = found
                evaluation = project.build(command, strict=False, counters=Counters())
                if evaluation.network is not None:
                    for node in evaluation.network:
                        if node.is_parameter and node.shape is not None:
                            node.attributes["dims"] = node.shape.dims
                            node.value = None
                    self._planned[key] = evaluation.network
        return self._planned[key]

    def writer(self, path: str) -> tuple[Project, Command] | None:
        """The command that writes the model `path`, here or in another config of the same folder."""
        for project in (self, *self._neighbours()):
            command = project.own_writer(path)
            if command is not None:
                return project, command
        return None

    def own_writer(self, path: str) -> Command | None:
        """The command of this config that writes the model `path`; `path` may be the model of an epoch, `m.dnn.3`."""
        wanted = self.files.absolute(path)
        candidates = [wanted] + ([_EPOCH.sub("", wanted)] if _EPOCH.search(wanted) else [])
        for section in self._all_sections():
            action = section.own("action")
            if action is None or section.holder("action") is not section:
                continue
            for word in action.array():
                try:
                    command = Command(section.name, word.text, section, word.span, word.span)
                    written = section.get(command.kind.writes) if command.kind.writes else None
                except (BsError, KeyError):
                    continue
                if written is not None and self.files.absolute(written.text) in candidates:
                    return command
        return None

    def writer_of_output(self, path: str) -> Section | None:
        """The section that writes a file which is no model: an `outputFile`, or what begins with its `outputPath`."""
        wanted = self.files.absolute(path)
        for section in self._all_sections():
            for key in ("outputFile", "outputPath", "labelMappingFile"):
                try:
                    value = section.own(key)
                except BsError:
                    continue
                if value is not None and value.text and wanted.startswith(self.files.absolute(value.text)):
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

    def _neighbours(self) -> list[Project]:
        found: list[Project] = []
        own = {self.files.absolute(p) for p in self.config_paths}
        folder = os.path.dirname(self.files.shown(self.config_paths[0])) or "."
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.cntk")))[:50]:
            if os.path.abspath(path) in own:
                continue
            try:
                found.append(
                    Project([f"configFile={os.path.abspath(path)}"], Files(self.files.base, self.files.documents))
                )
            except BsError:
                continue
        return found


__all__ = ["COMMAND_LINE", "Command", "Finding", "Project", "Validation", "Value"]
