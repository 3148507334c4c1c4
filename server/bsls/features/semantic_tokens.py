"""Colours by meaning: what each word of a document is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bsls.config.section import VARIABLE
from bsls.features.bindings import Bindings, Composed, Definition, LoadedModel
from bsls.features.document import Document
from bsls.features.references import Names, is_node_key
from bsls.resolve.scopes import PRELUDE
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.brainscript import COMMENT, NUMBER, STRING
from bsls.syntax.messages import KEYWORDS
from bsls.syntax.outer import blank_comments
from bsls.syntax.raw import RawBlock, RawItem

TYPES = (
    "namespace", "class", "type", "parameter", "variable", "property", "function", "keyword", "string", "number", "macro",
)  # fmt: skip
MODIFIERS = ("declaration", "readonly", "defaultLibrary")

_MACRO = VARIABLE.pattern.replace("(", "(?:", 1)
_OUTER = re.compile(
    rf"(?P<string>\"[^\"]*\")|(?P<macro>{_MACRO})|(?P<property>[A-Za-z_]\w*)(?=[ \t]*=(?!=))"
    rf"|(?P<number>(?<![\w.])(?:{NUMBER})(?![\w.]))|(?P<word>[A-Za-z_]\w*)"
)
_NETWORK = re.compile(
    rf"(?P<skip>{COMMENT})|(?P<string>{STRING})"
    rf"|(?P<macro>{_MACRO})|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>{NUMBER})"
)

Meaning = tuple[str, frozenset[str]]
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Token:
    """A word; `span` stays within a line."""

    span: Span
    type: str
    modifiers: frozenset[str] = _NONE


def semantic_tokens(document: Document) -> list[Token]:
    """All tokens in the order of the text; they do not overlap."""
    if document.kind in ("script", "other"):
        return []
    text = blank_comments(document.source.text)
    meanings = _meanings(document)
    if document.kind == "brainscript":
        found = list(_in_network(document, text, 0, len(text), meanings))
    else:
        commands = {name.lower() for name in _command_names(document)}
        found = list(_of_block(document, document.tree, text, meanings, commands, top=True))
    apart: list[Token] = []
    for token in sorted((t for f in found for t in _lines(f)), key=lambda t: (t.span.start, -t.span.end)):
        if not apart or token.span.start >= apart[-1].span.end:
            apart.append(token)
    return apart


def _lines(token: Token) -> Iterator[Token]:
    """The parts of a token in each line, without the `$x$` in it."""
    source, at = token.span.source, token.span.start
    if token.type == "macro":
        yield token
        return
    cuts = [(m.start(), m.end()) for m in re.finditer(rf"\r?\n\s*|{_MACRO}", token.span.text)]
    for start, end in [*((token.span.start + a, token.span.start + b) for a, b in cuts), (token.span.end,) * 2]:
        if start > at:
            yield Token(source.span(at, start), token.type, token.modifiers)
        if source.text[start:end].startswith("$"):
            yield Token(source.span(start, end), "macro")
        at = end


# --- the config ----------------------------------------------------------------------------------------------------


def _command_names(document: Document) -> Iterator[str]:
    for item in document.tree.items:
        if item.name.lower() == "command":
            yield from re.findall(r"\w+", item.value.text)


def _of_block(
    document: Document, block: RawBlock, text: str, meanings: dict[int, Meaning], commands: set[str], top: bool = False
) -> Iterator[Token]:
    for item in block.items:
        kind = "property"
        if item.block is not None or item.language:
            runs = item.name.lower() in commands or (item.block is not None and item.block.find("action") is not None)
            kind = "class" if top and runs else "namespace"
        yield Token(item.key, kind, frozenset({"declaration"}) if kind == "class" else _NONE)
        if item.block is not None:
            yield from _of_block(document, item.block, text, meanings, commands)
        elif item.language == "brainscript":
            yield from _in_network(document, text, item.value.start, item.value.end, meanings)
        elif not item.language:
            yield from _of_value(item, text)


def _of_value(item: RawItem, text: str) -> Iterator[Token]:
    source = item.value.source
    names = {"command": "class"}.get(item.name.lower(), "variable" if is_node_key(item.name) else "")
    for m in _OUTER.finditer(text, item.value.start, item.value.end):
        kind = m.lastgroup or ""
        if kind == "word":
            kind = "keyword" if m.group() in ("true", "false") else names
        if kind:
            yield Token(source.span(m.start(), m.end()), kind)


# --- network descriptions --------------------------------------------------------------------------------------------


def _in_network(document: Document, text: str, start: int, end: int, meanings: dict[int, Meaning]) -> Iterator[Token]:
    after_new = False
    for m in _NETWORK.finditer(text, start, end):
        kind, modifiers = m.lastgroup or "", _NONE
        if kind == "skip":
            continue
        if kind == "word":
            if after_new:
                kind = "type"
            elif m.group() in KEYWORDS:
                kind = "keyword"
            else:
                kind, modifiers = meanings.get(m.start(), ("variable", _NONE))
        after_new = m.group() == "new"
        yield Token(document.source.span(m.start(), m.end()), kind, modifiers)


def _meanings(document: Document) -> dict[int, Meaning]:
    """What the names in network descriptions are, by where they begin in the document."""
    found: dict[int, Meaning] = {}
    names = document.once(Names)
    for network in document.networks:
        for span, meaning in _names(names.bindings(network)):
            if span.source is document.source:
                found[span.start] = meaning
    return found


def _names(bindings: Bindings) -> Iterator[tuple[Span, Meaning]]:
    for expr, _ in bindings.parts:
        at = expr.home.offset + expr.start
        match expr:
            case tree.Member() | tree.Parameter():
                kind, modifiers = _kind(bindings, expr)
                meaning = kind, modifiers | {"declaration"}
                yield expr.home.text.span(at, at + len(expr.name)), meaning
            case tree.Name():
                target = bindings.target(expr)
                if target is not None:
                    yield expr.id_span, _kind(bindings, target)
                elif expr.id in PRELUDE:
                    yield expr.id_span, ("variable", frozenset({"readonly", "defaultLibrary"}))
            case tree.Access():
                yield expr.id_span, _accessed(bindings, expr)
            case tree.Call():
                for argument in expr.arguments:
                    at = argument.home.offset + argument.start
                    if argument.name:
                        yield argument.home.text.span(at, at + len(argument.name)), ("parameter", _NONE)


def _accessed(bindings: Bindings, access: tree.Access) -> Meaning:
    if not any(isinstance(v, LoadedModel) for v in bindings.values(access.object)):
        for target in bindings.accessed(access).targets:
            kind, modifiers = _kind(bindings, target)
            return ("property" if kind == "variable" else kind), modifiers
    return "property", _NONE


def _kind(bindings: Bindings, target: Definition) -> Meaning:
    if isinstance(target, tree.Parameter):
        return "parameter", _NONE
    library = frozenset({"defaultLibrary"}) if target.home.library else _NONE
    values = bindings.values(target.value)
    if any(isinstance(v, tree.Function | Composed) for v in values):
        return "function", library
    if library and any(isinstance(v, tree.Record) for v in values):
        return "namespace", library
    if library:
        return "variable", library | {"readonly"}
    constant = isinstance(target.value, tree.Number | tree.String | tree.Boolean)
    value = bindings.view(target).value(target.name)
    if constant or isinstance(value, float | bool | str):
        return "variable", frozenset({"readonly"})
    return "variable", _NONE
