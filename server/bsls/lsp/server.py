"""The language server: documents in, diagnostics out. What it can do beside that is in `requests`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import to_fs_path

from bsls import __version__
from bsls.finding import Finding
from bsls.lsp.convert import Converter
from bsls.lsp.text import Buffer
from bsls.workspace.workspace import Workspace

log = logging.getLogger(__name__)
_SWITCH_INTERVAL = 0.001
"""Seconds after which a request gets its turn while a network is being evaluated."""


class Refused(JsonRpcException):
    """A request that cannot be fulfilled; the client says why."""

    CODE = -32803  # RequestFailed
    MESSAGE = "request failed"


_Steps = Generator[Any, Any, None]
"""The form that the library gives its built-in handlers."""


class _Protocol(LanguageServerProtocol):
    """Texts are kept by the server itself: the library splits lines at characters that are no line ends."""

    _server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> _Steps:
        document = params.text_document
        self._server.opened(document.uri, document.text, document.version)
        yield from ()

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> _Steps:
        self._server.changed(params.text_document.uri, params.content_changes, params.text_document.version)
        yield from ()

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> _Steps:
        self._server.closed(params.text_document.uri)
        yield from ()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a client can take: texts with places to fill in, and texts with marks."""

    snippets: bool
    markdown_in_items: bool
    markdown_in_hovers: bool


class Server(LanguageServer):
    """Open documents by path, and the workspace that analyses them."""

    def __init__(self) -> None:
        super().__init__("bsls", __version__, protocol_cls=_Protocol, max_workers=2)
        self._buffers: dict[str, Buffer] = {}
        self._uris: dict[str, str] = {}
        self._analysed: Workspace | None = None
        self._convert: Converter | None = None
        self._busy: dict[str, str] = {}
        self._tokens = 0

    @property
    def documents(self) -> Workspace:
        """What is known of the open documents."""
        if self._analysed is None:
            sys.setswitchinterval(_SWITCH_INTERVAL)
            self._analysed = Workspace(asyncio.get_running_loop(), self)
        return self._analysed

    @property
    def convert(self) -> Converter:
        if self._convert is None:
            encoding = types.PositionEncodingKind(self.workspace.position_encoding)  # the library gives either type
            self._convert = Converter(encoding, self._uris.get, self._line_end)
        return self._convert

    def _line_end(self, path: str) -> str:
        buffer = self._buffers.get(path)
        return buffer.line_end if buffer is not None else "\n"

    @cached_property
    def taken(self) -> Taken:
        """What the client can take."""
        document = self.client_capabilities.text_document or types.TextDocumentClientCapabilities()
        item = (document.completion and document.completion.completion_item) or types.ClientCompletionItemOptions()
        markdown = types.MarkupKind.Markdown
        return Taken(
            snippets=bool(item.snippet_support),
            markdown_in_items=markdown in (item.documentation_format or ()),
            markdown_in_hovers=bool(document.hover and markdown in (document.hover.content_format or ())),
        )

    def path(self, uri: str) -> str:
        """The absolute path of a document; one that is not saved yet lies in the folder of the workspace."""
        found = to_fs_path(uri) if uri.startswith("file:") else None
        if found is None:
            root = self.workspace.root_path or os.getcwd()
            found = os.path.join(root, uri.rpartition("/")[2].replace(":", "-"))
        return os.path.abspath(found)

    # --- documents ---------------------------------------------------------------------------------------------------

    def opened(self, uri: str, text: str, version: int) -> None:
        path = self.path(uri)
        self._uris[path] = uri
        self._buffers[path] = Buffer(text)
        self.documents.open(path, self._buffers[path].normalised, version)

    def changed(self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent], version: int) -> None:
        path = self.path(uri)
        buffer = self._buffers.get(path)
        if buffer is None:
            return
        for change in changes:
            buffer.apply(change, self.convert.encoding)
        self.documents.open(path, buffer.normalised, version)

    def closed(self, uri: str) -> None:
        path = self.path(uri)
        self._buffers.pop(path, None)
        self.documents.close(path)
        self._uris.pop(path, None)

    def settled(self, path: str) -> asyncio.Future[None]:
        """Done when everything is known of a document's newest text."""
        known: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.documents.when_settled(path, lambda: known.done() or known.set_result(None))
        return known

    # --- results -----------------------------------------------------------------------------------------------------

    def publish(self, path: str, revision: int | None, findings: Sequence[Finding]) -> None:
        source = self.documents.source(path)
        diagnostics = [self.convert.diagnostic(f, source) for f in findings]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(self.convert.uri(path), diagnostics, revision)
        )

    def busy(self, path: str, begun: bool) -> None:
        window = self.client_capabilities.window
        if window is None or not window.work_done_progress:
            return
        if begun:
            self._tokens += 1
            token = self._busy[path] = f"evaluation {self._tokens}"
            title = f"Evaluating {os.path.basename(path)}"
            self.work_done_progress.create(
                token, lambda _: self.work_done_progress.begin(token, types.WorkDoneProgressBegin(title))
            )
        elif (token := self._busy.pop(path, None)) is not None:
            self.work_done_progress.end(token, types.WorkDoneProgressEnd())
            self.work_done_progress.tokens.pop(token, None)

    # --- life --------------------------------------------------------------------------------------------------------

    def report_server_error(self, error: Exception, source: object) -> None:
        """An internal error goes to the log of the client, and never into the user's face."""
        if not isinstance(error, Refused):
            log.warning("%s", "".join(traceback.format_exception(error)).rstrip())

    def shutdown(self) -> None:
        if self._analysed is not None:
            self._analysed.shut_down()
        super().shutdown()


def _is_failure(record: logging.LogRecord) -> bool:
    """Whether a message of the log is about a failure: not a request that was refused, or cancelled when it was answered."""
    if record.exc_info and isinstance(record.exc_info[1], Refused):
        return False
    return not str(record.msg).startswith("Cancel notification for unknown message")


def start() -> None:
    """Serves a client over standard input and output until it says that it is over."""
    from bsls.lsp.requests import register

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_failure)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # else the thread that waits for input would keep it alive
    server = Server()
    register(server)
    gc.freeze()  # what is there now stays; collections, which stop everything, need not look at it again
    server.start_io()
