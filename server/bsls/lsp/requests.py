"""What a client can ask for: each request is answered by the feature of its name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from bsls.features.document import Document
from bsls.finding import BsError
from bsls.lsp.server import Server
from bsls.lsp.text import offset
from bsls.source import Span

log = logging.getLogger(__name__)
P = TypeVar("P")


class Refused(JsonRpcException):
    """A request that cannot be fulfilled; the client shows why."""

    CODE = -32803
    MESSAGE = "request failed"


def register(server: Server) -> None:
    """Makes the server answer requests."""

    def answers(method: str, options: object = None) -> Callable[[Callable[[Document, Any], Any]], None]:
        def with_answer(answer: Callable[[Document, Any], Any]) -> None:
            async def handler(params: Any) -> Any:
                await asyncio.sleep(0)  # a cancellation that has come meanwhile counts
                path = server.path(params.text_document.uri)
                try:
                    document = server.documents.document(path)
                    return None if document is None else answer(document, params)
                except BsError as error:
                    finding = error.finding
                    raise Refused(finding.message + (f": {finding.help}" if finding.help else "")) from None
                except Exception:
                    log.warning("%s failed", method, exc_info=True)
                    return None

            server.feature(method, options)(handler)

        return with_answer

    def at(document: Document, place: types.Position) -> int:
        return offset(document.source, place, server.convert.encoding)

    def span(document: Document, range: types.Range) -> Span:
        return document.source.span(at(document, range.start), at(document, range.end))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(_: types.DidChangeWatchedFilesParams) -> None:
        server.documents.look_again()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def settings_changed(_: types.DidChangeConfigurationParams) -> None:
        """There are no settings of the server yet; clients send this nevertheless."""

    @server.feature("brainscript/commands")
    async def commands(params: Any) -> list[dict[str, Any]]:
        document = server.documents.document(server.path(params.uri))
        return [] if document is None else [command_entry(c) for c in document.commands]

    @server.feature("brainscript/settled")
    async def settled(params: Any) -> dict[str, Any]:
        path = server.path(params.uri)
        known = asyncio.get_running_loop().create_future()
        server.documents.when_settled(path, lambda: known.done() or known.set_result(None))
        await known
        source = server.documents.source(path)
        return {"version": source.revision if source is not None else None}

    del at, span, answers


def command_entry(command: Any) -> dict[str, Any]:
    """What a client needs to know of a command to offer it."""
    try:
        model = command.model_path
    except BsError:
        model = None
    return {
        "name": command.name,
        "action": command.action,
        "trains": command.kind.trains,
        "line": command.section.span.start_position.line,
        "modelPath": model.text if model is not None else None,
    }


Answer = Callable[[Document, P], Awaitable[object]]
