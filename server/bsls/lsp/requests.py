"""What a client can ask for: each request is answered by the feature of its name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lsprotocol import types

from bsls.config.commands import Command
from bsls.features.completion import Completion, complete
from bsls.features.definition import definition
from bsls.features.document import Document
from bsls.features.document_symbols import Symbol, document_symbols
from bsls.features.folding import folding
from bsls.features.formatting import formatting
from bsls.features.highlights import highlights
from bsls.features.hover import hover
from bsls.features.quick_fixes import quick_fixes
from bsls.features.references import references
from bsls.features.rename import prepare, rename
from bsls.features.semantic_tokens import MODIFIERS, TYPES, semantic_tokens
from bsls.features.signature_help import signature_help
from bsls.finding import BsError
from bsls.lsp.server import Refused, Server
from bsls.lsp.text import offset
from bsls.source import Span
from bsls.syntax.format import Style

log = logging.getLogger(__name__)
_FIRST_WAIT = 1.0

_ITEM_KINDS = {
    "function": types.CompletionItemKind.Function,
    "variable": types.CompletionItemKind.Variable,
    "node": types.CompletionItemKind.Field,
    "key": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "block": types.CompletionItemKind.Struct,
    "keyword": types.CompletionItemKind.Keyword,
    "parameter": types.CompletionItemKind.TypeParameter,
    "command": types.CompletionItemKind.Event,
    "stream": types.CompletionItemKind.Interface,
    "module": types.CompletionItemKind.Module,
    "file": types.CompletionItemKind.File,
}
_SYMBOL_KINDS = {
    "section": types.SymbolKind.Namespace,
    "block": types.SymbolKind.Struct,
    "key": types.SymbolKind.Property,
    "variable": types.SymbolKind.Variable,
    "function": types.SymbolKind.Function,
    "record": types.SymbolKind.Object,
    "array": types.SymbolKind.Array,
}


def register(server: Server) -> None:
    """Makes the server answer requests."""

    def answers(
        method: str, options: object = None, first_wait: float = 0
    ) -> Callable[[Callable[[Document, Any], Any]], None]:
        """Answers a request about a document; nothing where that is not open, or where something fails inside.

        `first_wait`: seconds for which a request in a document that has just been opened waits for its evaluation.
        """

        def with_answer(answer: Callable[[Document, Any], Any]) -> None:
            async def handler(params: Any) -> Any:
                path = server.path(params.text_document.uri)
                await asyncio.sleep(0)  # a cancellation that has come meanwhile counts
                if first_wait and not server.documents.was_settled(path):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(server.settled(path), first_wait)
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

    def span(document: Document, place: types.Range) -> Span:
        start, end = at(document, place.start), at(document, place.end)
        return Span(document.source, start, max(start, end))

    @answers(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=[".", "/", "=", ":", "(", "{", "[", ",", '"', "'", "$", " "]),
        first_wait=_FIRST_WAIT,
    )
    def _(document: Document, params: types.CompletionParams) -> types.CompletionList:
        items = [_completion(server, item) for item in complete(document, at(document, params.position))]
        settled = server.documents.is_settled(document.source.path)
        return types.CompletionList(is_incomplete=not settled, items=items)

    @answers(types.TEXT_DOCUMENT_HOVER, first_wait=_FIRST_WAIT)
    def _(document: Document, params: types.HoverParams) -> types.Hover | None:
        found = hover(document, at(document, params.position))
        if found is None:
            return None
        content = _markup(found.markdown, server.taken.markdown_in_hovers)
        return types.Hover(content, server.convert.range(found.span))

    @answers(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(["(", "{", ",", "="], [")", "}"]))
    def _(document: Document, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        found = signature_help(document, at(document, params.position))
        if found is None:
            return None
        parameters = [types.ParameterInformation((start, end), doc or None) for start, end, doc in found.parameters]
        information = types.SignatureInformation(found.label, found.doc or None, parameters)
        return types.SignatureHelp([information], 0, found.active)

    @answers(types.TEXT_DOCUMENT_DEFINITION)
    def _(document: Document, params: types.DefinitionParams) -> list[types.Location]:
        return [server.convert.location(place.span) for place in definition(document, at(document, params.position))]

    @answers(types.TEXT_DOCUMENT_REFERENCES)
    def _(document: Document, params: types.ReferenceParams) -> list[types.Location]:
        found = references(document, at(document, params.position))
        wanted = [r for r in found if params.context.include_declaration or not r.definition]
        return [server.convert.location(r.span) for r in wanted]

    @answers(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def _(document: Document, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        kinds = types.DocumentHighlightKind
        return [
            types.DocumentHighlight(server.convert.range(r.span), kinds.Write if r.definition else kinds.Read)
            for r in highlights(document, at(document, params.position))
        ]

    @answers(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def _(document: Document, params: types.PrepareRenameParams) -> types.Range | None:
        span = prepare(document, at(document, params.position))
        return None if span is None else server.convert.range(span)

    @answers(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def _(document: Document, params: types.RenameParams) -> types.WorkspaceEdit:
        return server.convert.workspace_edit(rename(document, at(document, params.position), params.new_name))

    @answers(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _(document: Document, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return [_symbol(server, symbol) for symbol in document_symbols(document)]

    @answers(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def _(document: Document, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        return [types.FoldingRange(r.start_line, r.end_line, kind=r.kind) for r in folding(document)]

    @answers(types.TEXT_DOCUMENT_FORMATTING)
    def _(document: Document, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        return [server.convert.text_edit(e) for e in formatting(document, _style(params.options))]

    @answers(types.TEXT_DOCUMENT_RANGE_FORMATTING)
    def _(document: Document, params: types.DocumentRangeFormattingParams) -> list[types.TextEdit]:
        found = formatting(document, _style(params.options), span(document, params.range))
        return [server.convert.text_edit(e) for e in found]

    @answers(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        types.SemanticTokensLegend(list(TYPES), list(MODIFIERS)),
    )
    def _(document: Document, params: types.SemanticTokensParams) -> types.SemanticTokens:
        return types.SemanticTokens(server.convert.semantic_tokens(semantic_tokens(document)))

    @answers(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    def _(document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
        return [
            types.CodeAction(
                fix.title[:1].upper() + fix.title[1:],
                types.CodeActionKind.QuickFix,
                [server.convert.diagnostic(fix.finding, document.source)] if fix.finding is not None else None,
                is_preferred=fix.preferred or None,
                edit=server.convert.workspace_edit(fix.edits),
            )
            for fix in quick_fixes(document, span(document, params.range))
        ]

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _(_: types.DidChangeWatchedFilesParams) -> None:
        server.documents.look_again()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def _(_: types.DidChangeConfigurationParams) -> None:
        """The server has no settings; clients send this nevertheless."""

    @server.feature("brainscript/commands")
    async def _(params: Any) -> list[dict[str, Any]]:
        document = server.documents.document(server.path(params.uri))
        return [] if document is None else [_command(c) for c in document.commands]

    @server.feature("brainscript/settled")
    async def _(params: Any) -> dict[str, Any]:
        path = server.path(params.uri)
        await server.settled(path)
        source = server.documents.source(path)
        return {"version": source.revision if source is not None else None}


def _style(options: types.FormattingOptions) -> Style:
    return Style(max(1, options.tab_size), not options.insert_spaces)


def _markup(text: str, marks: bool) -> types.MarkupContent | str:
    """Text for a client that shows marks, or, without the worst of them, for one that does not."""
    if marks:
        return types.MarkupContent(types.MarkupKind.Markdown, text)
    return "\n".join(line for line in text.split("\n") if not line.startswith("```"))


def _completion(server: Server, item: Completion) -> types.CompletionItem:
    snippets = server.taken.snippets
    doc = _markup(item.doc, server.taken.markdown_in_items) if item.doc else None
    text = item.insert if snippets or not item.snippet else item.label
    return types.CompletionItem(
        item.label,
        kind=_ITEM_KINDS[item.kind],
        detail=item.detail or None,
        documentation=doc,
        sort_text=item.sort or None,
        filter_text=item.filter or None,
        insert_text_format=types.InsertTextFormat.Snippet if item.snippet and snippets else None,
        text_edit=types.TextEdit(server.convert.range(item.replace), text),
    )


def _symbol(server: Server, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        symbol.name,
        _SYMBOL_KINDS[symbol.kind],
        server.convert.range(symbol.span),
        server.convert.range(symbol.selection),
        symbol.detail or None,
        children=[_symbol(server, child) for child in symbol.children],
    )


def _command(command: Command) -> dict[str, Any]:
    """What a client needs to know of a command to offer it."""
    try:
        model = command.model_path
    except BsError:  # a `$x$` without value
        model = None
    return {
        "name": command.name,
        "action": command.action,
        "trains": command.kind.trains,
        "line": command.section.span.start_position.line,
        "modelPath": model.text if model is not None else None,
    }
