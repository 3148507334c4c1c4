"""An editor for tests: documents that are typed in, over a real language server in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import make_test_lsp_client

CONVERTER = get_converter()


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class Open:
    """An open document. Offsets are those of Python; positions are sent in UTF-16."""

    def __init__(self, editor: Editor, path: Path, text: str) -> None:
        self.editor, self.path, self.text, self.version = editor, path, text, 1
        self.uri = path.as_uri()
        editor.client.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri, "brainscript", 1, text))
        )

    @property
    def id(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    def position(self, offset: int) -> types.Position:
        before = self.text[:offset].replace("\r\n", "\n").replace("\r", "\n")
        line = before.count("\n")
        return types.Position(line, utf16(before.rpartition("\n")[2]))

    def offset(self, place: types.Position) -> int:
        start = 0
        for _ in range(place.line):
            start = self.text.index("\n", start) + 1
        line = self.text[start:].partition("\n")[0]
        return start + len(line.encode("utf-16-le")[: 2 * place.character].decode("utf-16-le"))

    def marked(self, range: types.Range) -> str:
        """The text that a range covers."""
        return self.text[self.offset(range.start) : self.offset(range.end)]

    def edit(self, start: int, end: int, text: str) -> None:
        change = types.TextDocumentContentChangePartial(types.Range(self.position(start), self.position(end)), text)
        self.text = self.text[:start] + text + self.text[end:]
        self.version += 1
        self.editor.client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(self.version, self.uri), [change])
        )

    def replace(self, old: str, new: str) -> None:
        """Types `new` over the only `old`."""
        assert self.text.count(old) == 1, self.text.count(old)
        start = self.text.index(old)
        self.edit(start, start + len(old), new)

    def apply(self, edits: list[types.TextEdit]) -> str:
        """The text with edits of the server made."""
        text = self.text
        for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True):
            text = text[: self.offset(edit.range.start)] + edit.new_text + text[self.offset(edit.range.end) :]
        return text

    async def diagnostics(self) -> list[types.Diagnostic]:
        """What is shown when everything is known of the present text."""
        await self.editor.request("brainscript/settled", {"uri": self.uri})
        return list(self.editor.client.diagnostics.get(self.uri, []))

    def close(self) -> None:
        self.editor.client.text_document_did_close(types.DidCloseTextDocumentParams(self.id))


class Editor:
    """A client with its server, whose error stream goes to a file."""

    def __init__(self, client: LanguageClient, log: Path) -> None:
        self.client = client
        self._log = log

    @classmethod
    async def started(cls, folder: Path, encodings: list[types.PositionEncodingKind] | None = None) -> Editor:
        client = make_test_lsp_client()
        log = folder / "server.log"
        await client.start_io("sh", "-c", f'exec "$0" -m bsls lsp --stdio 2>"{log}"', sys.executable)
        await client.initialize_session(
            types.InitializeParams(
                capabilities=types.ClientCapabilities(
                    general=types.GeneralClientCapabilities(position_encodings=encodings),
                    window=types.WindowClientCapabilities(work_done_progress=True),
                    text_document=types.TextDocumentClientCapabilities(
                        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
                        completion=types.CompletionClientCapabilities(
                            completion_item=types.ClientCompletionItemOptions(
                                snippet_support=True, documentation_format=[types.MarkupKind.Markdown]
                            )
                        ),
                    ),
                ),
                process_id=os.getpid(),
                root_uri=folder.as_uri(),
            )
        )
        return cls(client, log)

    def open(self, path: Path, text: str | None = None) -> Open:
        return Open(self, path, path.read_bytes().decode() if text is None else text)

    async def request(self, method: str, params: Any) -> Any:
        """The answer to a request; `params` are plain."""
        kind = types.METHOD_TO_TYPES.get(method, (None,) * 3)[2]
        if kind is not None:
            params = CONVERTER.structure(params, kind)
        return await asyncio.wait_for(self.client.protocol.send_request_async(method, params), 30)

    async def stop(self) -> None:
        await self.client.shutdown_session()
        await self.client.stop()

    def assert_quiet(self) -> None:
        """Nothing has failed inside the server, and it has put nothing in the user's face."""
        assert self._log.read_text() == ""
        assert not self.client.messages
