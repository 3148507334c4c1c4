"""Where a command's script of the model editing language is, and what it means as long as nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bsls.config.assemble import joined_text
from bsls.config.commands import Command
from bsls.config.section import Section, Value
from bsls.evaluate.brainscript import Evaluation, with_deep_stack
from bsls.evaluate.environment import Counters, Environment, Model
from bsls.evaluate.mel import Host, run_script, saved_files
from bsls.finding import BsError
from bsls.network.cloning import duplicate
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.project.files import Files
from bsls.project.ndl import macro_files, parts, required, script_source, script_text
from bsls.source import Span
from bsls.syntax import mel as tree
from bsls.syntax import ndl

Load = Callable[[str, Span | None], Model | None]


class SavedModels:
    """Keeps what a script saves, as it is then, and loads it from there; writes nothing."""

    def __init__(self, files: Files, load: Load, counters: Counters) -> None:
        self.files = files
        self.counters = counters
        self.saved: dict[str, Evaluation] = {}
        self._load = load

    def load(self, path: str, span: Span) -> Model | None:
        own = next((e for p, e in self.saved.items() if self.files.absolute(p) == self.files.absolute(path)), None)
        if own is None or own.network is None:
            return self._load(path, span)
        network = duplicate(own.network)
        network.enter(self.counters.axis_names)
        return Model(network, validate(network), own.complete)

    def save(self, path: str, network: Network, complete: bool, span: Span) -> None:
        self.saved[path] = Evaluation(network, complete=complete)

    def dump(self, path: str, nodes: Sequence[Node], values: bool, span: Span) -> None:
        pass

    def snippet(self, path: str, section: str, span: Span) -> ndl.Script:
        return snippet(path, section, span, self.files)

    def say(self, line: str) -> None:
        pass


def snippet(path: str, section: str, span: Span, files: Files) -> ndl.Script:
    """A section of a file of NDL, whose `$x$` are its own keys."""
    source = script_source(path, span, files)
    text, problems = joined_text([source], lambda name: files.source(name, span))
    for problem in problems:
        raise BsError.of(problem)
    return ndl.parse_script(required(Section("", text), section, span).raw)


def run_mel(command: Command, files: Files, environment: Environment, host: Host) -> Evaluation:
    """Runs the script of an `edit` command."""
    scripts = list(_scripts(command, files))
    macros = list(macro_files(command.section, files))
    result = Evaluation(None, findings=environment.findings)

    def run() -> None:
        for script in scripts:
            result.complete = run_script(script, macros, environment, host) and result.complete

    with_deep_stack(run)
    return result


def saved_by_script(command: Command, files: Files) -> list[Value]:
    """The models that the script of a command saves; none where it cannot be read."""
    try:
        scripts = list(_scripts(command, files))
    except BsError:
        return []
    return [Value("SaveModel", text, text.span()) for script in scripts for text in saved_files(script)]


def _scripts(command: Command, files: Files) -> list[tree.MelScript]:
    """What `editPath` names: the sections that its key `edit` lists, or all of it."""
    value = command.section.require("editPath")
    text = script_text(value.text, value, command.section, files)
    return [tree.parse(part) for part in parts(text, "edit")]
