"""The language server: documents in, diagnostics out. What it can do beside that is in `requests`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cattrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcServerNotInitialized
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method
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


def _converter() -> cattrs.Converter:
    """Reads messages; the version of a changed document may be missing, as older versions of the protocol allow."""
    converter = default_converter()
    kind = types.VersionedTextDocumentIdentifier
    converter.register_structure_hook(kind, lambda data, _: kind(data.get("version") or 0, data["uri"]))
    return converter


class _Protocol(LanguageServerProtocol):
    """Texts are kept by the server itself: the library splits lines at characters that are no line ends.

    Its own handlers are generators, which it never forgets where they answer no request; these are plain functions.
    """

    _server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message; a request that cannot be understood is answered, too."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "method" in data and "id" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    def handle_message(self, message: Any) -> None:
        """Does nothing but answer that it is too early or too late before `initialize` and after `shutdown`."""
        method, number = getattr(message, "method", None), getattr(message, "id", None)
        early = self._workspace is None and method not in (types.INITIALIZE, types.EXIT)
        if method is None or not (early or (self._shutdown and method != types.EXIT)):
            super().handle_message(message)
        elif number is not None:
            reason = JsonRpcServerNotInitialized if early else JsonRpcInvalidRequest
            self._send_response(number, error=reason().to_response_error())

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        document = params.text_document
        self._server.opened(document.uri, document.text, document.version)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._server.changed(params.text_document.uri, params.content_changes, params.text_document.version)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._server.closed(params.text_document.uri)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a client can take: texts with places to fill in, texts with marks, edits that say of which text they are."""

    snippets: bool
    markdown_in_items: bool
    markdown_in_hovers: bool
    versioned_edits: bool


class Server(LanguageServer):
    """Open documents by path, and the workspace that analyses them."""

    def __init__(self) -> None:
        super().__init__("bsls", __version__, protocol_cls=_Protocol, converter_factory=_converter, max_workers=2)
        self._buffers: dict[str, Buffer] = {}  # by address
        self._uris: dict[str, list[str]] = {}  # addresses of open documents by path, the newest last
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
            self._convert = Converter(encoding, self._uri, self._line_end, self.taken.versioned_edits)
        return self._convert

    def _uri(self, path: str) -> str | None:
        """The client's address of an open document."""
        return self._uris[path][-1] if path in self._uris else None

    def _line_end(self, path: str) -> str:
        uri = self._uri(path)
        return self._buffers[uri].line_end if uri is not None else "\n"

    @cached_property
    def taken(self) -> Taken:
        """What the client can take."""
        document = self.client_capabilities.text_document or types.TextDocumentClientCapabilities()
        item = (document.completion and document.completion.completion_item) or types.ClientCompletionItemOptions()
        workspace = self.client_capabilities.workspace
        edits = workspace.workspace_edit if workspace is not None else None
        markdown = types.MarkupKind.Markdown
        return Taken(
            snippets=bool(item.snippet_support),
            markdown_in_items=markdown in (item.documentation_format or ()),
            markdown_in_hovers=bool(document.hover and markdown in (document.hover.content_format or ())),
            versioned_edits=bool(edits and edits.document_changes),
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
        known = self._uris.setdefault(path, [])
        if uri in known:
            known.remove(uri)
        known.append(uri)
        self._buffers[uri] = Buffer(text)
        self.documents.open(path, self._buffers[uri].normalised, version)

    def changed(self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent], version: int) -> None:
        buffer = self._buffers.get(uri)
        if buffer is None:
            return
        for change in changes:
            buffer.apply(change, self.convert.encoding)
        self.documents.open(self.path(uri), buffer.normalised, version)

    def closed(self, uri: str) -> None:
        path = self.path(uri)
        if uri not in self._buffers:
            return
        if self._uris[path] == [uri]:
            self.documents.close(path)
            del self._uris[path]
        else:  # it is still open under another address
            self._uris[path].remove(uri)
        del self._buffers[uri]

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
            types.PublishDiagnosticsParams(self.convert.uri(path), diagnostics, revision or None)
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
