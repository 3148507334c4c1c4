"""The open documents of an editor, each analysed anew after a change: at once what takes no evaluation, the rest in the
background."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bsls.config.section import Section
from bsls.features.completion import prepare
from bsls.features.document import Document
from bsls.finding import Finding
from bsls.source import Source
from bsls.workspace.analysis import Analysis
from bsls.workspace.worker import Worker

log = logging.getLogger(__name__)

QUICK_DELAY = 0.005
"""Seconds after a change; changes that come in one burst are taken together."""
OTHERS_DELAY = 0.3
"""Seconds after a change for the other documents that it may concern; they wait until nothing is being typed."""
BUSY_AFTER = 0.5
"""Seconds after which an evaluation is one that takes long."""
POLL = 1.0
"""Seconds between two looks at the files on the disk that open documents depend on. Editors differ in which files they
watch, and none watches those outside its folder."""


class Timer(Protocol):
    def cancel(self) -> None: ...


class Loop(Protocol):
    """The thread that all methods of a workspace are called on."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer: ...

    def call_soon_threadsafe(self, callback: Callable[[], object], /) -> object: ...


class Client(Protocol):
    """Who looks at the results."""

    def publish(self, path: str, revision: int | None, findings: Sequence[Finding]) -> None:
        """Shows the findings of a file in the place of all that were shown before; `revision` is None if it is not open."""

    def busy(self, path: str, begun: bool) -> None:
        """An evaluation that takes long has begun, or is over."""


@dataclass(slots=True, eq=False)
class _Open:
    """An open document: its newest analysis, and the newest one that has finished."""

    analysis: Analysis
    finished: Analysis | None = None
    timer: Timer | None = None
    shown: Mapping[str, list[Finding]] = field(default_factory=dict)
    """Findings by path that were published for this document."""
    quick: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[Callable[[], object]] = field(default_factory=list)

    def uses(self, path: str) -> bool:
        """Whether the analysis has looked at a file, or will probably do so."""
        if path in self.analysis.files.states:
            return True
        return self.finished is None or (self.finished is not self.analysis and path in self.finished.files.states)


class Workspace:
    """All methods are called on the thread of `loop`; evaluation has one of its own."""

    def __init__(self, loop: Loop, client: Client) -> None:
        self._loop = loop
        self._client = client
        self._open: dict[str, _Open] = {}
        self._documents: Mapping[str, Source] = {}
        self._assembled: dict[str, tuple[str, Section]] = {}
        self._worker = Worker()
        self._published: set[str] = set()
        self._poll = loop.call_later(POLL, self._look_at_files)
        self._prepared = False

    # --- documents ---------------------------------------------------------------------------------------------------

    def open(self, path: str, text: str, revision: int = 0) -> None:
        """A document was opened, or changed; `path` is absolute, line ends are single characters."""
        source = Source(path, text, revision)
        self._set_documents({**self._documents, path: source})
        known = self._open.get(path)
        if known is None:
            self._open[path] = known = _Open(Analysis(source, self._documents, None, self._assembled))
        else:
            self._renew(known, source)
        self._schedule(known, QUICK_DELAY)
        self._refresh_users(path)

    def close(self, path: str) -> None:
        """A document was closed: the file on the disk counts again."""
        closed = self._open.pop(path, None)
        if closed is None:
            return
        self._abandon(closed)
        self._set_documents({p: s for p, s in self._documents.items() if p != path})
        self._publish(closed.shown)
        self._tell(closed)
        self._refresh_users(path)

    def _set_documents(self, documents: Mapping[str, Source]) -> None:
        """What a feature looks up in another document is its present text, whatever an analysis began with."""
        self._documents = documents
        for document in self._open.values():
            document.analysis.files.documents = documents

    def shut_down(self) -> None:
        """Ends the background work."""
        self._poll.cancel()
        for document in self._open.values():
            self._abandon(document)
        self._worker.stop()

    def document(self, path: str) -> Document | None:
        """The document as features see it now; None if it is not open."""
        found = self._open.get(path)
        return found.analysis.document if found is not None else None

    def source(self, path: str) -> Source | None:
        return self._documents.get(path)

    def is_settled(self, path: str) -> bool:
        """Whether everything is known of the document's newest text."""
        found = self._open.get(path)
        return found is None or found.finished is found.analysis

    def was_settled(self, path: str) -> bool:
        """Whether everything was known of this or an earlier text of the document."""
        found = self._open.get(path)
        return found is None or found.finished is not None

    def when_settled(self, path: str, told: Callable[[], object]) -> None:
        """Calls `told` when `is_settled` holds, at the latest when the document is closed."""
        found = self._open.get(path)
        if found is None or found.finished is found.analysis:
            told()
        else:
            found.waiting.append(told)

    # --- analysis ----------------------------------------------------------------------------------------------------

    def _renew(self, document: _Open, source: Source) -> None:
        self._abandon(document)
        document.analysis = Analysis(source, self._documents, document.analysis, self._assembled)

    def _abandon(self, document: _Open) -> None:
        document.analysis.cancel.set()
        if document.timer is not None:
            document.timer.cancel()
            document.timer = None

    def _refresh_users(self, path: str) -> None:
        """Analyses the other open documents again that have looked at this file."""
        for other, document in self._open.items():
            if other != path and document.uses(path):
                self._renew(document, document.analysis.source)
                self._schedule(document, OTHERS_DELAY)

    def _schedule(self, document: _Open, delay: float) -> None:
        analysis = document.analysis
        document.timer = self._loop.call_later(delay, lambda: self._look(document, analysis))

    def _look(self, document: _Open, analysis: Analysis) -> None:
        """Publishes what needs no evaluation, if that is something new, and has the rest worked out."""
        if analysis.cancel.is_set():
            return
        document.timer = None
        quick = analysis.quick
        said = [(f.rule, f.message) for f in quick]
        if analysis.findings is not None:
            self._done(document, analysis)
            return
        if said != document.quick:  # else what is shown stays until the rest is known: nothing flickers
            self._show(document, quick)
        document.quick = said
        self._worker.submit(lambda: self._evaluate(document, analysis))

    def _evaluate(self, document: _Open, analysis: Analysis) -> None:
        """On the worker's thread."""
        if analysis.cancel.is_set():
            return
        path = analysis.source.path
        slow: list[Timer] = []
        told: list[bool] = []

        def busy() -> None:
            if not analysis.cancel.is_set():
                told.append(True)
                self._client.busy(path, True)

        def over() -> None:
            for timer in slow:
                timer.cancel()
            if told:
                self._client.busy(path, False)
            if not analysis.cancel.is_set():
                self._done(document, analysis)

        self._loop.call_soon_threadsafe(lambda: slow.append(self._loop.call_later(BUSY_AFTER, busy)))
        try:
            analysis.evaluate()
        finally:
            self._loop.call_soon_threadsafe(over)

    def _done(self, document: _Open, analysis: Analysis) -> None:
        if self._open.get(analysis.source.path) is not document or document.analysis is not analysis:
            return
        analysis.finish()
        document.finished = analysis
        document.quick = [(f.rule, f.message) for f in analysis.quick]
        self._show(document, analysis.findings or [])
        self._tell(document)
        if not self._prepared:
            self._prepared = True
            self._worker.submit(prepare)

    @staticmethod
    def _tell(document: _Open) -> None:
        waiting, document.waiting = document.waiting, []
        for told in waiting:
            told()

    # --- results -----------------------------------------------------------------------------------------------------

    def _show(self, document: _Open, findings: Sequence[Finding]) -> None:
        own = document.analysis.source.path
        by_path: dict[str, list[Finding]] = {own: []}
        for finding in findings:
            path = own if finding.span is None else os.path.abspath(finding.span.source.path)
            by_path.setdefault(path, []).append(finding)
        before, document.shown = document.shown, by_path
        self._publish([*before, *by_path])

    def _publish(self, paths: Mapping[str, object] | Sequence[str]) -> None:
        for path in dict.fromkeys(paths):
            opened = self._open.get(path)
            shown = [opened] if opened is not None else []
            shown += (other for other in self._open.values() if other is not opened)
            kept: dict[tuple[object, ...], Finding] = {}  # what several documents say of one place is shown once
            for finding in (f for document in shown for f in document.shown.get(path, ())):
                kept.setdefault((finding.rule, finding.message, finding.span.start if finding.span else 0), finding)
            found = list(kept.values())
            if opened is not None or found or path in self._published:
                self._client.publish(path, opened.analysis.source.revision if opened is not None else None, found)
            (self._published.add if found else self._published.discard)(path)

    # --- files -------------------------------------------------------------------------------------------------------

    def _look_at_files(self) -> None:
        """Looks again at what open documents depend on; on the worker's thread, as a disk may be slow."""
        finished = [d.analysis for d in self._open.values() if d.finished is d.analysis]

        def look() -> None:
            changed: list[Analysis] = []
            try:
                changed += (a for a in finished if not a.cancel.is_set() and a.files.changed())
            finally:  # whatever happens, one looks again later
                self._loop.call_soon_threadsafe(lambda: refresh(changed))

        def refresh(changed: Sequence[Analysis]) -> None:
            for analysis in changed:
                document = self._open.get(analysis.source.path)
                if document is not None and document.analysis is analysis:
                    self._renew(document, analysis.source)
                    self._schedule(document, QUICK_DELAY)
            self._poll.cancel()
            self._poll = self._loop.call_later(POLL, self._look_at_files)

        self._worker.submit(look)

    def look_again(self) -> None:
        """Files have changed on the disk, as the editor has noticed."""
        self._poll.cancel()
        self._look_at_files()
