"""Plain results to protocol types, in the position encoding of the client."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from lsprotocol import types
from pygls.uris import from_fs_path

from bsls.check.registry import all_rules
from bsls.features.semantic_tokens import MODIFIERS, TYPES, Token
from bsls.finding import Edit, Finding, Severity
from bsls.lsp.text import position
from bsls.source import Source, Span

_SEVERITY = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}
_UNUSED = frozenset({"unused-definition"})


class Converter:
    """`encoding` is the client's; `uri_of` knows the client's own address of an open document. `versioned`: the client
    takes edits that say of which text they are."""

    def __init__(
        self, encoding: str, uri_of: Callable[[str], str | None], line_end_of: Callable[[str], str], versioned: bool
    ) -> None:
        self.encoding = encoding
        self._versioned = versioned
        self._uri_of = uri_of
        self._line_end_of = line_end_of

    def uri(self, path: str) -> str:
        path = os.path.abspath(path)
        return self._uri_of(path) or from_fs_path(path) or path

    def range(self, span: Span) -> types.Range:
        return types.Range(
            position(span.source, span.start, self.encoding), position(span.source, span.end, self.encoding)
        )

    def location(self, span: Span) -> types.Location:
        return types.Location(self.uri(span.source.path), self.range(span))

    def diagnostic(self, finding: Finding, source: Source | None) -> types.Diagnostic:
        rule = all_rules().get(finding.rule)
        span = finding.span or (source.span(0, 0) if source is not None else None)
        return types.Diagnostic(
            range=self.range(span) if span is not None else types.Range(types.Position(0, 0), types.Position(0, 0)),
            message=finding.message + (f"\n{finding.help}" if finding.help else ""),
            severity=_SEVERITY[finding.severity],
            code=rule.name if rule is not None else finding.rule,
            source="bsls",
            tags=[types.DiagnosticTag.Unnecessary] if finding.rule in _UNUSED else None,
            related_information=[
                types.DiagnosticRelatedInformation(self.location(r.span), r.message)
                for r in finding.related
                if os.path.exists(r.span.source.path) or self._uri_of(os.path.abspath(r.span.source.path))
            ],
        )

    def text_edit(self, edit: Edit) -> types.TextEdit:
        end = self._line_end_of(os.path.abspath(edit.span.source.path))
        return types.TextEdit(self.range(edit.span), edit.text.replace("\n", end))

    def workspace_edit(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = {}
        versions: dict[str, int | None] = {}
        for edit in edits:
            uri = self.uri(edit.span.source.path)
            changes.setdefault(uri, []).append(self.text_edit(edit))
            versions[uri] = edit.span.source.revision or None
        if not self._versioned:
            return types.WorkspaceEdit(changes=changes)  # type: ignore[arg-type]
        return types.WorkspaceEdit(
            document_changes=[
                types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri, versions[uri]), list(changed))
                for uri, changed in changes.items()
            ]
        )

    def semantic_tokens(self, tokens: Iterable[Token]) -> list[int]:
        """Tokens in the relative form of the protocol, five numbers each."""
        data: list[int] = []
        line = column = 0
        for token in tokens:
            start = position(token.span.source, token.span.start, self.encoding)
            end = position(token.span.source, token.span.end, self.encoding)
            data += (
                start.line - line,
                start.character - (column if start.line == line else 0),
                end.character - start.character,
                TYPES.index(token.type),
                sum(1 << MODIFIERS.index(m) for m in token.modifiers),
            )
            line, column = start.line, start.character
        return data
