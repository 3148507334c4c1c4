"""The outline of a document: sections, blocks and main settings of a config, members of its networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bsls.evaluate.roots import SPECIAL
from bsls.evaluate.values import RecordScope, Thunk
from bsls.features.config_place import unquoted
from bsls.features.document import Document, NetworkText
from bsls.network.node import Node
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.raw import RawBlock, RawItem

Kind = Literal["section", "block", "key", "variable", "function", "record", "array"]
_SETTINGS = frozenset(
    ("action", "modelpath", "outputmodelpath", "outputpath", "outputfile", "outputnodenames", "evalnodenames", "readertype",
     "file", "type", "maxepochs", "minibatchsize", "learningratespersample", "learningratespermb")
)  # fmt: skip
"""Settings, in lower case, that are shown inside blocks; at the top all are."""


@dataclass(slots=True)
class Symbol:
    """An entry of the outline. `span` is all of its text, `selection` its name in there."""

    name: str
    kind: Kind
    detail: str
    span: Span
    selection: Span
    children: list[Symbol] = field(default_factory=list)


def document_symbols(document: Document) -> list[Symbol]:
    """The outline, in the order of the text."""
    if document.kind == "brainscript":
        return [s for network in document.networks for s in _members_of(network)]
    return _of_block(document, document.tree, top=True)


def _of_block(document: Document, block: RawBlock, top: bool = False) -> list[Symbol]:
    found: list[Symbol] = []
    for item in block.items:
        if item.name and (top or item.block is not None or item.language or item.name.lower() in _SETTINGS):
            found.append(_of_item(document, item, top))
    return found


def _of_item(document: Document, item: RawItem, top: bool) -> Symbol:
    if item.block is not None:
        action = item.block.find("action") or item.block.find("readerType") or item.block.find("type")
        detail = _shown(action) if action is not None else ""
        kind = "section" if top else "block"
        return Symbol(item.name, kind, detail, item.span, item.key, _of_block(document, item.block))
    if item.language:
        network = document.network_at(item.value.start) if item.language == "brainscript" else None
        children = _members_of(network) if network is not None else []
        return Symbol(item.name, "block", "", item.span, item.key, children)
    return Symbol(item.name, "key", _shown(item), item.span, item.key)


def _shown(item: RawItem) -> str:
    text = " ".join(unquoted(item.value.text).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _members_of(network: NetworkText) -> list[Symbol]:
    scope = network.evaluation.scope if network.evaluation is not None else None
    found = [network.members.member(name) for name in network.members.names]
    return [_of_member(m, scope.variables.get(m.name) if scope is not None else None) for m in found]


def _of_member(member: tree.Member, thunk: Thunk | None) -> Symbol:
    """`thunk` has the value, where the member was evaluated."""
    value, detail, kind = member.value, "", "variable"
    if isinstance(value, tree.Function):
        kind, detail = "function", ", ".join(_parameter(p) for p in value.parameters)
        detail = f"({detail})"
        value = value.body
        while isinstance(value, tree.Access):  # `{ ... }.y`
            value = value.object
    elif isinstance(value, tree.ArrayByIndex):
        kind = "array"
    elif isinstance(value, tree.Record):
        kind = "record"
    elif thunk is not None and isinstance(thunk.value, Node) and member.name not in SPECIAL:
        detail = f"{thunk.value.op} {thunk.value.shape or ''}".rstrip()
    symbol = Symbol(member.name, kind, detail, member.span, member.name_span)
    if isinstance(value, tree.Record):
        inside = thunk.value.variables if thunk is not None and isinstance(thunk.value, RecordScope) else {}
        symbol.children = [_of_member(m, inside.get(m.name)) for m in value.members.values()]
    return symbol


def _parameter(parameter: tree.Parameter) -> str:
    if parameter.default is None:
        return parameter.name
    return f"{parameter.name} = {' '.join(parameter.default.span.text.split())}"
