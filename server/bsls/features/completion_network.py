"""Completion in BrainScript: members after a dot, names, arguments, strings with a fixed set of values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bsls.evaluate.objects import TYPES
from bsls.evaluate.roots import SPECIAL
from bsls.evaluate.values import BsFunction, NetworkValue, RecordScope
from bsls.features.bindings import Bindings, Definition, of_library
from bsls.features.callee import Callee, attribute_of, callee_named, values_of, written_name
from bsls.features.completion_item import Completion, Kind, snippet_text
from bsls.features.completion_nodes import node_items
from bsls.features.completion_path import model_paths, paths
from bsls.features.describe import callee_text, node_text, short, special_text, written
from bsls.features.document import Document, NetworkText, text_before
from bsls.features.model_nodes import loaded_models, names_node
from bsls.features.place import (
    Literal,
    View,
    completed_place,
    literal_at,
    member_of,
    value_of,
    word_at,
)
from bsls.features.references import Names, bindings_at
from bsls.features.signature_help import OpenCall, open_brackets, open_call
from bsls.library.index import definition, library
from bsls.network.naming import access_names
from bsls.network.node import Node
from bsls.resolve.docs import doc_above
from bsls.schema.ops import OPS
from bsls.source import ExpandedText, Source, Span
from bsls.syntax import tree
from bsls.syntax.brainscript import parse_expression
from bsls.syntax.tree import Expr

_NUMBER = re.compile(r"(?:^|[^\w.])\.?\d[\w.]*$")
_DOTTED = re.compile(r"([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)\s*\.\s*\w*$")
_TYPE = re.compile(r"\bnew\s+\w*$")
_OPERAND_EXPECTED = re.compile(r"(?:[=(,:\[{+\-*/<>!|&%]|\b(?:if|then|else))\s*\w*$")
_MAX_DETAIL = 60
_KEYWORDS = {
    "if": "if ${1:condition} then ${2:a} else ${0:b}",
    "array": "array [${1:0} .. ${2:n}] (i => $0)",
    "new": "new ${0:ComputationNode} [ ]",
    "true": "",
    "false": "",
}


def complete_in_network(document: Document, network: NetworkText, offset: int) -> list[Completion]:
    """What fits at an offset of a network description."""
    source = document.source
    literal = literal_at(network, source, offset)
    if literal is not None:
        return list(_strings(document, network, literal, offset)) if literal.kind == "string" else []
    before = text_before(source, offset)
    if _NUMBER.search(before):
        return []
    replace = _word(source, offset)
    if _TYPE.search(before):
        return [Completion(name, "keyword", name, replace, "type") for name in TYPES]
    place = completed_place(network, source, offset)
    if place is None:
        return list(_unparsed(document, network, offset, before, replace))
    expr, view = place.chain[-1]
    if isinstance(expr, tree.Access):
        return list(_members(expr.object, view, bindings_at(document, place), replace))
    if isinstance(expr, tree.Name | tree.Argument):
        return list(_names(document, network, offset, view, bindings_at(document, place), replace))
    return []


def _word(source: Source, offset: int) -> Span:
    """The word that is being typed; one that begins here is not meant."""
    word = word_at(source, offset)
    return word if word is not None and word.start < offset else source.span(offset, offset)


def _unparsed(
    document: Document, network: NetworkText, offset: int, before: str, replace: Span
) -> Iterator[Completion]:
    """Between members, and where what stands before is not right."""
    source = document.source
    bindings = document.once(Names).bindings(network)
    if (m := _DOTTED.search(before)) is not None:
        object = parse_expression(ExpandedText.of(Source("", m.group(1))))
        bindings.add(object, bindings.top)
        yield from _members(object, bindings.top, bindings, replace)
        return
    at = network.members.text.offset_of(source, offset) or 0
    start = max((s for s, _ in network.members.names.values() if s < at - len(replace.text)), default=0)
    depth = len(open_brackets(network.members.text.text, start, at))
    stem = before[: len(before) - (offset - replace.start)].strip()
    if depth == (start == 0 and network.members.text.text[:1] in ("{", "[")) and (not stem or stem[-1] in ";{["):
        yield from _special_members(network, replace)
    elif _OPERAND_EXPECTED.search(before):
        yield from _names(document, network, offset, bindings.top, bindings, replace)
    elif re.search(r"\bif\b", before):
        yield from (Completion(word, "keyword", f"{word} ", replace) for word in ("then", "else"))


def _special_members(network: NetworkText, replace: Span) -> Iterator[Completion]:
    for name in SPECIAL:
        if name not in network.members.names:
            yield Completion(
                name,
                "variable",
                f"{name} = ($0)",
                replace,
                "nodes of the network",
                special_text(name),
                True,
                "0" + name,
            )


# --- members ---------------------------------------------------------------------------------------------------------


def _members(object: Expr, view: View, bindings: Bindings, replace: Span) -> Iterator[Completion]:
    """What may follow the dot after an expression."""
    value = value_of(object, view)
    if isinstance(value, NetworkValue):
        loaded = value.loaded
        yield from node_items(loaded, replace, access_names(loaded))
        return
    before = written_name(object)
    for name, target in bindings.members(object).items():
        full = f"{before}.{name}" if before else name
        yield _variable(name, full, target, member_of(value, name), view, bindings, replace, "0")


def _variable(
    name: str,
    full: str,
    target: Definition | None,
    value: object,
    view: View,
    bindings: Bindings,
    replace: Span,
    sort: str,
) -> Completion:
    """A name or member, which is written as `full`, with what is known of it."""
    if isinstance(target, tree.Parameter):
        return Completion(name, "parameter", name, replace, "parameter", sort=sort + name.lower())
    unknown = value is None or isinstance(value, BsFunction)
    callee = callee_named(full, target, value, view, bindings) if unknown else None
    if callee is not None:
        return _function(name, callee, replace, sort)
    doc = node_text(value) if isinstance(value, Node) else doc_above(target) if target is not None else ""
    kind: Kind = "node" if isinstance(value, Node) else "module" if _is_record(value, target) else "variable"
    detail = short(value)
    if not detail and target is not None and kind == "variable":
        detail = written(target.value, _MAX_DETAIL)
    return Completion(name, kind, name, replace, detail, doc, sort=sort + name.lower())


def _is_record(value: object, target: tree.Member | None) -> bool:
    return isinstance(value, RecordScope | NetworkValue) or (
        value is None and target is not None and isinstance(target.value, tree.Record)
    )


# --- names -----------------------------------------------------------------------------------------------------------


def _names(
    document: Document, network: NetworkText, offset: int, view: View, bindings: Bindings, replace: Span
) -> Iterator[Completion]:
    """The names that are visible, after the arguments that can be given here."""
    source = document.source
    call = open_call(document, network, offset)
    if call is not None and call.direct and not call.name:
        yield from _arguments(call, replace)
    seen: set[str] = set()
    for name, target, level in view.visible():
        seen.add(name)
        inner = "1" if level.outer is not None else "3" if name in SPECIAL else "2"
        yield _variable(name, name, target, view.value(name), view, bindings, replace, inner)
    called = source.text[replace.end : replace.end + 2].lstrip(" ")[:1] in ("(", "{")
    for item, plain in library_items():
        if item.label not in seen:
            use = plain if called else item
            yield Completion(
                use.label, use.kind, use.insert, replace, use.detail, use.doc, use.snippet, use.sort, use.filter
            )
    for word, snippet in _KEYWORDS.items():
        yield Completion(word, "keyword", snippet or word, replace, snippet=bool(snippet), sort="4" + word)


def _arguments(call: OpenCall, replace: Span) -> Iterator[Completion]:
    """The optional arguments; they come behind the names for as long as a required one is missing here."""
    first = "0" if call.index >= len(call.callee.required) else "2~"
    for i, (name, default) in enumerate(call.callee.optional.items()):
        if name not in call.given:
            attribute = attribute_of(call.callee, name)
            doc = attribute.doc if attribute is not None else ""
            yield Completion(
                f"{name} = ",
                "parameter",
                f"{name} = ",
                replace,
                f"default: {default}",
                doc,
                sort=f"{first}{i:02}",
                filter=name,
            )


@cache
def library_items() -> list[tuple[Completion, Completion]]:
    """The names of the library, as calls and as plain names."""
    found: list[tuple[Completion, Completion]] = []
    nowhere = Source("", "").span(0, 0)
    bindings = of_library()
    view = bindings.top
    for name in library():
        if name.startswith("_"):
            continue
        member = definition(name)
        bindings.lookup(name, None)
        item = _variable(name, name, member, None, view, bindings, nowhere, "3")
        plain = Completion(name, item.kind, name, nowhere, item.detail, item.doc, sort=item.sort)
        found.append((item, plain))
    return found


def _function(name: str, callee: Callee, replace: Span, sort: str) -> Completion:
    """A function with places for its required arguments."""
    opener, closer = "{}" if callee.braces else "()"
    holes = [f"${{{i}:{snippet_text(parameter)}}}" for i, parameter in enumerate(callee.required, 1)]
    arguments = ", ".join(holes) or ("$0" if callee.optional else "")
    after = replace.source.text[replace.end : replace.end + 2].lstrip(" ")[:1]
    insert = name if after and after in "({" else f"{name} {opener}{arguments}{closer}"
    detail = callee.label.removeprefix(callee.name).strip()
    return Completion(
        name, "function", insert, replace, detail, callee_text(callee), insert != name, sort + name.lower()
    )


# --- strings ---------------------------------------------------------------------------------------------------------


def _strings(document: Document, network: NetworkText, literal: Literal, offset: int) -> Iterator[Completion]:
    """What the string at a place may be, if there is a list of that."""
    source = document.source
    text = source.text[literal.start : literal.end]
    closed = len(text) > 1 and text[-1] == text[0]
    replace = source.span(literal.start + 1, literal.end - 1 if closed else offset)
    if names_node(network, literal):
        for _, loaded in loaded_models(network):
            yield from node_items(loaded, replace)
        return
    call = open_call(document, network, literal.start)
    if call is not None and (call.direct or call.name):
        required = call.callee.required
        name = call.name or (required[call.index] if call.index < len(required) else "")
        if name == "pathName":
            yield from model_paths(document, replace, offset, but=network.commands)
        if name == "initFromFilePath":
            yield from paths(document, replace, offset)
        for i, value in enumerate(values_of(call.callee, name)):
            yield Completion(value, "value", value, replace, sort=f"{i:02}")
        if name:
            return
    place = completed_place(network, source, literal.start)
    members = [e for e, _ in place.chain if isinstance(e, tree.Member)] if place is not None else []
    if place is not None and place.enclosing(tree.New) is not None and members[-1].name == "operation":
        for name, op in OPS.items():
            if not op.in_scripts:
                continue
            yield Completion(name, "function", name, replace, f"({', '.join(op.inputs)})", op.doc)
