"""What a feature sees: one document as it is now, and the last finished evaluation of its networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from bsls.config.assemble import assemble
from bsls.config.commands import Command
from bsls.config.section import Section
from bsls.evaluate.brainscript import Evaluation, members_of
from bsls.finding import BsError, Finding
from bsls.project.files import Files
from bsls.project.project import Project
from bsls.project.scripts import ScriptRun
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import check_depth
from bsls.syntax.brainscript import Members
from bsls.syntax.outer import blank_comments
from bsls.syntax.raw import RawBlock, raw_tree

T = TypeVar("T")

DocumentKind = Literal["config", "brainscript", "script", "other"]
"""What language a whole document is in; `script` is the model editing language, `other` one that features know nothing
of."""


@dataclass(slots=True, eq=False)
class NetworkText:
    """A network description that stands in the document: its members, and the commands whose network it describes.

    `evaluation` is the last finished one; it may be of an older text, so that names in it need not be there any more.
    """

    members: Members
    commands: list[Command] = field(default_factory=list)
    evaluation: Evaluation | None = None

    @property
    def span(self) -> Span:
        """From the first to the last bracket."""
        return self.members.text.span()


@dataclass(eq=False)
class Document:
    """A document with unsaved changes.

    `evaluations` are by name and action of the command. `findings` are those of this very text, as far as they are known
    by now. `files` are those that paths in it lead to, also where there is no project. `script` is the last finished run of
    a script.
    """

    source: Source
    project: Project | None = None
    commands: Sequence[Command] = ()
    evaluations: Mapping[tuple[str, str], Evaluation] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    kind: DocumentKind = "config"
    files: Files | None = None
    previous: Document | None = None
    script: ScriptRun | None = None
    _made: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, make: Callable[[Document], T]) -> T:
        """What `make` makes of this document; it is kept until an evaluation has finished."""
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]

    def forget(self) -> None:
        """To be called when `evaluations`, or that of a network, are other ones than before."""
        self._made.clear()

    @cached_property
    def tree(self) -> RawBlock:
        """The raw tree of a config."""
        return raw_tree(self.source)

    @cached_property
    def config(self) -> Section | None:
        """The top of the config as it counts; without included files where one of them cannot be read.

        Not that of the project, which takes down what is missing when one looks things up in it.
        """
        if self.kind != "config":
            return None
        if self.project is not None:
            return Section("", self.project.config.text)
        try:
            return assemble([self.source])
        except BsError:  # the check says it
            return None

    @cached_property
    def networks(self) -> list[NetworkText]:
        """The network descriptions in this document, those that no command uses as well."""
        found: list[NetworkText] = []
        if self.kind in ("script", "other"):
            return []
        if self.kind == "brainscript":
            old = self.previous.networks[0].members if self.previous and self.previous.networks else None
            text = ExpandedText.of(self.source)
            try:
                check_depth(text)
            except BsError:  # the check says it
                return []
            return [NetworkText(members_of(text, old) or Members(text, 0, len(text), old))]
        for command in self.commands:
            try:
                members = self.project.members(command) if self.project is not None else None
            except BsError:
                continue
            if members is None or members.text.span().source is not self.source:
                continue
            known = next((n for n in found if n.members is members), None)
            if known is None:
                known = NetworkText(members)
                found.append(known)
            known.commands.append(command)
            known.evaluation = known.evaluation or self.evaluations.get((command.name, command.action))
        taken = [n.span for n in found]
        old = {n.members.text.text: n.members for n in self.previous.networks} if self.previous is not None else {}
        for item in self.tree.walk():
            if item.language == "brainscript" and not any(s.start <= item.value.start < s.end for s in taken):
                members = members_of(item.text, old.get(item.text.strip().text))
                if members is not None:
                    found.append(NetworkText(members))
        return found

    def network_at(self, offset: int) -> NetworkText | None:
        """The network description around an offset."""
        for network in self.networks:
            span = network.span
            if span.start <= offset <= span.end:
                return network
        return None


def text_before(source: Source, offset: int) -> str:
    """The line up to an offset, comments blanked."""
    line = source.position(offset).line
    return blank_comments(source.line(line))[: offset - source.line_starts[line]]
