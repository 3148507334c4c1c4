"""One revision of one document, and everything that is worked out from it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Event

from bsls.check.rule import Checked, Context
from bsls.check.run import all_findings, check_brainscript, check_script, is_brainscript, is_script, quick_findings
from bsls.config.section import Section
from bsls.features.document import Document, DocumentKind
from bsls.finding import BsError, Finding, Severity
from bsls.project.files import Files
from bsls.project.project import Project
from bsls.project.scripts import ScriptRun, run_of_script
from bsls.source import Source

log = logging.getLogger(__name__)

MAX_LENGTH = 1_000_000
"""Characters of a text up to which it is looked at while it is edited."""


class Analysis:
    """What is known of a document at one revision: first without evaluation, then, in the background, all of it.

    `previous` is an earlier revision of the same document, whose parsed texts and evaluations are used as long as there
    are no newer ones. `assembled` are configs that were read for other analyses.
    """

    def __init__(
        self,
        source: Source,
        documents: Mapping[str, Source],
        previous: Analysis | None = None,
        assembled: dict[str, tuple[str, Section]] | None = None,
    ) -> None:
        self.source = source
        self.cancel = Event()
        self.files = Files(os.path.dirname(source.path), documents, assembled=assembled)
        self.findings: list[Finding] | None = None
        """All findings, when the evaluation has finished."""
        if previous is not None and "document" not in previous.__dict__:  # nobody has looked at it
            previous = previous._previous
        self._previous = previous
        self._checked: Sequence[Checked] = ()
        self._context: Context | None = None
        self._script: ScriptRun | None = None
        self._problem: Finding | None = None

    @cached_property
    def kind(self) -> DocumentKind:
        """What the document is; `other` is not analysed."""
        if len(self.source.text) > MAX_LENGTH:
            return "other"
        if is_brainscript(self.source):
            return "brainscript"
        if self.source.path.lower().endswith(".mel"):
            return "script"
        return "other" if is_script(self.source.path) else "config"

    @cached_property
    def document(self) -> Document:
        """What features see now."""
        context = self.context
        before = self._previous.document if self._previous is not None else None
        document = Document(self.source, kind=self.kind, files=self.files, previous=before)
        if context is not None:
            document.project = context.project
            document.commands = context.commands
        if before is not None:
            document.evaluations, document.script = before.evaluations, before.script
            before.previous = None  # no chain of all revisions
        _ = document.networks
        self._previous = document.previous = None
        return document

    @property
    def context(self) -> Context | None:
        """What the rules see; None where the text is no config, or one that cannot be put together."""
        if self._context is None and self._problem is None and self.kind == "config":
            before = self._previous.context if self._previous is not None else None
            try:
                words = [f"configFile={os.path.basename(self.source.path)}"]
                old = before.project if before is not None else None
                project = Project(words, self.files, previous=old, cancel=self.cancel, tolerant=True)
                self._context = Context(project)
            except BsError as error:
                self._problem = error.finding
        return self._context

    @cached_property
    def quick(self) -> list[Finding]:
        """The findings that take no evaluation."""
        document, context = self.document, self.context
        if context is not None:
            try:
                found = quick_findings(context)
            except Exception as error:  # the editor must live on
                found = self.findings = [_failure(error, self.source)]
        else:
            found = self._without_config(document)
            self.findings = None if self.kind == "script" else found
        document.findings = found
        return found

    def _without_config(self, document: Document) -> list[Finding]:
        if len(self.source.text) > MAX_LENGTH:
            message = f"this file is longer than {MAX_LENGTH:,} characters and is not checked while it is edited"
            return [Finding("syntax", message, self.source.span(0, 0), Severity.INFORMATION, help="use `bsls check`")]
        if self.kind == "brainscript":
            try:
                members = document.networks[0].members if document.networks else None
                return check_brainscript(self.source, self.files, os.path.basename(self.source.path), members)
            except BsError as error:
                return [error.finding]
        if is_script(self.source.path):
            try:
                return check_script(self.source)
            except BsError as error:
                return [error.finding]
        return [self._problem] if self._problem is not None else []

    def evaluate(self) -> None:
        """Works out all findings, on a thread with a deep stack; leaves them unknown if `cancel` was set meanwhile."""
        quick, context = self.quick, self.context
        if self.findings is not None:
            return
        try:
            if context is None:
                found = self._run_script(quick)
            else:
                found = all_findings(context)
                self._checked = context.networks
        except Exception as error:  # the editor must live on
            found = [*quick, _failure(error, self.source)]
        if not self.cancel.is_set():
            self.findings = found

    def _run_script(self, quick: Sequence[Finding]) -> list[Finding]:
        """What is wrong with a script: its syntax, and what the check of the config that runs it finds there."""
        run = self._script = run_of_script(self.source, self.files, self.cancel, self.document.script)
        found = [] if run.project is None else all_findings(Context(run.project))
        own = [f for f in found if f.span is not None and f.span.source is self.source]
        kept = {(f.rule, f.message, f.span): f for f in (*quick, *own)}
        return sorted(kept.values(), key=lambda f: f.span.start if f.span is not None else 0)

    def finish(self) -> None:
        """Lets features see what `evaluate` has found. What could not be evaluated this time stays as it was before."""
        document = self.document
        commands = {(c.name, c.action) for c in document.commands}  # none while the text around them is broken
        evaluations = {key: e for key, e in document.evaluations.items() if key in commands or not commands}
        for checked in self._checked:
            key, evaluation = (checked.command.name, checked.command.action), checked.evaluation
            known = evaluation is not None and (evaluation.scope is not None or evaluation.network is not None)
            if evaluation is not None and (known or key not in evaluations):
                evaluations[key] = evaluation
        document.evaluations = evaluations
        document.findings = self.findings or []
        document.script = self._script or document.script
        for network in document.networks:
            found = [evaluations.get((c.name, c.action)) for c in network.commands]
            network.evaluation = next((e for e in found if e is not None), network.evaluation)
        document.forget()


def _failure(error: Exception, source: Source) -> Finding:
    log.exception("analysis failed: %s", source.path)
    return Finding(
        "internal", f"bsls itself failed while it checked this file: {type(error).__name__}: {error}",
        source.span(0, 0), Severity.INFORMATION, help="please report it, with the file",
    )  # fmt: skip
