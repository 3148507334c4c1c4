"""What a rule is, and what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bsls.config.commands import Command
from bsls.config.section import Section
from bsls.evaluate.brainscript import Evaluation
from bsls.finding import BsError, Finding, Severity
from bsls.project.project import Project
from bsls.syntax.brainscript import Members
from bsls.syntax.tree import Expr


@dataclass(slots=True)
class Checked:
    """A command and what its network came to (None if it could not even be tried)."""

    command: Command
    evaluation: Evaluation | None = None


@dataclass
class Context:
    """The config under check. Commands and their networks are worked out once, problems on the way are kept."""

    project: Project
    findings: list[Finding] = field(default_factory=list)

    @property
    def config(self) -> Section:
        return self.project.config

    @cached_property
    def commands(self) -> list[Command]:
        """The commands that can be run; what is wrong with the others is a finding."""
        from bsls.config.commands import command_names, commands_of

        found: list[Command] = []
        try:
            names = command_names(self.config)
        except BsError as error:
            if not any(f.severity == Severity.ERROR for f in self.config.problems):  # else that may be why
                self.findings.append(error.finding)
            return found
        for name in names:
            try:
                found += commands_of(self.config, name)
            except BsError as error:
                self.findings.append(error.finding)
        return found

    @cached_property
    def networks(self) -> list[Checked]:
        """Each command with its network, evaluated tolerantly; its findings are kept."""
        found: list[Checked] = []
        for command in self.commands:
            checked = Checked(command)
            found.append(checked)
            if command.kind.network == "none":
                continue
            try:
                if command.kind.network == "build" and command.builder() is None:
                    continue  # a missing key, said elsewhere
                if command.runs_script and command.section.get("editPath") is None:
                    continue
                if command.kind.network == "load" and command.model_path is None:
                    continue
                if command.kind.network == "either" and command.builder() is None and command.model_path is None:
                    continue
                checked.evaluation = self.project.network(command, strict=False)
            except BsError as error:
                self.findings.append(error.finding)
                continue
            self.findings += checked.evaluation.findings
        return found

    @property
    def descriptions(self) -> Iterator[Members | Expr]:
        """The texts of the networks in BrainScript that were evaluated, each once."""
        seen: set[int] = set()
        for checked in self.networks:
            evaluation = checked.evaluation
            if evaluation is None:
                continue
            text = evaluation.scope.source if evaluation.scope is not None else evaluation.expression
            if text is not None and id(text) not in seen:
                seen.add(id(text))
                yield text


Check = Callable[[Context], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong. `doc` explains it with an example; `check` finds it.

    Rules without `check` are found where the text is read or the network evaluated; they are here for their doc. A
    `quick` one needs no evaluation.
    """

    name: str
    code: str
    summary: str
    doc: str
    check: Check | None = None
    quick: bool = False
