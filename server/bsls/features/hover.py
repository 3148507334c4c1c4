"""What the word at a place stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bsls.evaluate.values import BsFunction, NetworkValue
from bsls.features.bindings import Bindings, Definition
from bsls.features.callee import (
    attribute_of,
    callee_named,
    callee_of,
    values_of,
    written_name,
)
from bsls.features.describe import callee_text, code, paragraphs, value_text, written
from bsls.features.document import Document, NetworkText
from bsls.features.hover_config import hover_in_config, hover_of_variable
from bsls.features.hover_script import hover_in_script
from bsls.features.model_nodes import Mention, mention_at, mention_text
from bsls.features.place import Place, View, completed_place, literal_at, member_of, place_at, value_of, word_at
from bsls.features.references import bindings_at
from bsls.network.node import Node
from bsls.resolve.docs import doc_above
from bsls.resolve.scopes import PRELUDE
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.tree import Expr

_MAX_SHOWN = 120
"""Characters of a definition that are shown where its value is not known."""


@dataclass(slots=True)
class Hover:
    """Markdown about what stands at `span`."""

    markdown: str
    span: Span


def hover(document: Document, offset: int) -> Hover | None:
    """What is known of the word at an offset."""
    if document.kind == "script":
        found = hover_in_script(document, offset)
        return Hover(*found) if found is not None else None
    if document.kind == "config" and (found := hover_of_variable(document, offset)) is not None:
        return Hover(*found)
    network = document.network_at(offset)
    at = network.members.text.offset_of(document.source, offset) if network is not None else None
    if network is None or (at == 0 and document.kind == "config"):
        found = hover_in_config(document, offset) if document.kind == "config" else None
        return Hover(*found) if found is not None else None
    if literal_at(network, document.source, offset) is not None:
        mention = mention_at(document, offset)
        return Hover(mention_text(mention), mention.span) if mention is not None else None
    word = word_at(document.source, offset)
    if word is None:
        return None
    markdown = _of_word(network, document, word)
    return Hover(markdown, word) if markdown else None


def _of_word(network: NetworkText, document: Document, word: Span) -> str:
    place = place_at(network, document.source, word.start)
    if place is None:
        return ""
    expr, view = place.chain[-1]
    if isinstance(expr, tree.Broken):
        place = completed_place(network, document.source, word.end)
        if place is None:
            return ""
        expr, view = place.chain[-1]
    name = word.text
    member, around = next((e, v) for e, v in reversed(place.chain) if isinstance(e, tree.Member))
    bindings = bindings_at(document, place)
    if member.name == name and member.span.start == word.start:
        return _described(name, member, around.value(name), around, bindings)
    match expr:
        case tree.Name():
            return _of_name(name, view, bindings, place)
        case tree.Access() if expr.id_start >= expr.object.end:
            return _of_access(expr.object, word, view, bindings)
        case tree.Parameter() if expr.name == name:
            return _of_parameter(expr, place)
        case tree.Argument() if expr.name == name and word.start == expr.span.start:
            return _of_argument(name, bindings, place)
    return ""


def _of_name(name: str, view: View, bindings: Bindings, place: Place) -> str:
    target = bindings.lookup(name, view)
    if isinstance(target, tree.Parameter):
        return _of_parameter(target, place)
    value = view.value(name)
    if target is None:
        return code(name) + "\n\ngiven by the config" if name in PRELUDE else ""
    return _described(name, target, value, view, bindings)


def _of_access(object: Expr, word: Span, view: View, bindings: Bindings) -> str:
    name = word.text
    base = value_of(object, view)
    value = member_of(base, name)
    if isinstance(base, NetworkValue):
        if not isinstance(value, Node):
            return ""
        return mention_text(Mention(word, base.loaded, [value], base.path))
    found = bindings.member(object, name).targets
    if not found and value is None:
        return ""
    before = written_name(object)
    full = f"{before}.{name}" if before else name
    return _described(name, found[0] if found else None, value, view, bindings, full)


def _described(
    name: str, target: Definition | None, value: object, view: View, bindings: Bindings, full: str = ""
) -> str:
    """A function by its signature, anything else by its value, else by its definition."""
    unknown = value is None or isinstance(value, BsFunction)
    callee = callee_named(full or name, target, value, view, bindings) if unknown else None
    if callee is not None:
        return callee_text(callee)
    doc = doc_above(target) if isinstance(target, tree.Member) else ""
    shown = value_text(name, value) if value is not None else ""
    if not shown and isinstance(target, tree.Member):
        text = written(target, _MAX_SHOWN)
        if isinstance(target.value, tree.Record):
            text = f"{name} = {{ {', '.join(target.value.members)} }}"
        shown = code(text)
    return paragraphs(shown, doc.replace("\n", " "))


def _of_parameter(parameter: tree.Parameter, place: Place) -> str:
    default = f" = {parameter.default.span.text}" if parameter.default is not None else ""
    function = ""
    for (outer, _), (expr, _) in pairwise(place.chain):
        if isinstance(expr, tree.Function) and any(p.name == parameter.name for p in expr.parameters):
            function = outer.name if isinstance(outer, tree.Member) else ""
    return paragraphs(code(parameter.name + default), "parameter" + (f" of `{function}`" if function else ""))


def _of_argument(name: str, bindings: Bindings, place: Place) -> str:
    for expr, view in reversed(place.chain):
        if isinstance(expr, tree.Call):
            callee = callee_of(expr.function, view, bindings)
            if callee is None or name not in callee.optional:
                return ""
            attribute = attribute_of(callee, name)
            allowed = ", ".join(f"`{v}`" for v in values_of(callee, name))
            return paragraphs(
                code(f"{name} = {callee.optional[name]}"),
                f"optional parameter of `{callee.name}`",
                attribute.doc if attribute is not None else "",
                f"one of {allowed}" if allowed else "",
            )
    return ""
