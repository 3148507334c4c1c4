"""What the word at a place stands for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bsls.evaluate.values import BsFunction, NetworkValue
from bsls.features.callee import (
    attribute_of,
    callee_of,
    callee_of_member,
    doc_above,
    static_members,
    target_of,
    values_of,
)
from bsls.features.describe import callee_text, code, node_text, paragraphs, value_text, written
from bsls.features.document import Document, NetworkText
from bsls.features.hover_config import hover_in_config, hover_of_variable
from bsls.features.place import Place, View, completed_place, literal_at, member_of, place_at, value_of, word_at
from bsls.network.node import Node
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
    if not document.brainscript and (found := hover_of_variable(document, offset)) is not None:
        return Hover(*found)
    network = document.network_at(offset)
    at = network.members.text.offset_of(document.source, offset) if network is not None else None
    if network is None or (at == 0 and not document.brainscript):
        found = None if document.brainscript else hover_in_config(document, offset)
        return Hover(*found) if found is not None else None
    word = word_at(document.source, offset)
    if word is None or literal_at(network, document.source, offset) is not None:
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
    if member.name == name and member.span.start == word.start:
        return _of_member(member, around)
    match expr:
        case tree.Name():
            return _of_name(name, tree.Name(expr.home, expr.start, expr.end, name, expr.id_start), view, place)
        case tree.Access() if expr.id_start >= expr.object.end:
            return _of_access(expr.object, name, tree.Access(expr.home, 0, 0, expr.object, name, expr.id_start), view)
        case tree.Parameter() if expr.name == name:
            return _of_parameter(expr, place)
        case tree.Argument() if expr.name == name and word.start == expr.span.start:
            return _of_argument(name, place)
    return ""


def _of_name(name: str, expr: tree.Name, view: View, place: Place) -> str:
    target = target_of(expr, view.level)
    if isinstance(target, tree.Parameter):
        return _of_parameter(target, place)
    value = view.value(name)
    if target is None:
        return code(name) + "\n\ngiven by the config" if name in PRELUDE else ""
    return _described(name, expr, target, value, view)


def _of_access(object: Expr, name: str, expr: tree.Access, view: View) -> str:
    base = value_of(object, view)
    value = member_of(base, name)
    if isinstance(base, NetworkValue):
        if not isinstance(value, Node):
            return ""
        return paragraphs(f"node `{value.name}` of `{base.path}`" if base.path else "", node_text(value))
    target = static_members(object, view.level).get(name)
    if target is None and value is None:
        return ""
    return _described(name, expr, target, value, view)


def _described(name: str, expr: Expr, target: tree.Member | None, value: object, view: View) -> str:
    """A function by its signature, anything else by its value, else by its definition."""
    callee = callee_of(expr, view) if value is None or isinstance(value, BsFunction) else None
    if callee is not None:
        return callee_text(callee)
    doc = doc_above(target) if target is not None else ""
    shown = value_text(name, value) if value is not None else ""
    if not shown and target is not None:
        text = written(target, _MAX_SHOWN)
        if isinstance(target.value, tree.Record):
            text = f"{name} = {{ {', '.join(target.value.members)} }}"
        shown = code(text)
    return paragraphs(shown, doc.replace("\n", " "))


def _of_member(member: tree.Member, view: View) -> str:
    value = view.value(member.name)
    callee = callee_of_member(member, view.level) if value is None or isinstance(value, BsFunction) else None
    if callee is not None:
        return callee_text(callee)
    name = tree.Name(member.home, member.start, member.name_end, member.name, member.start)
    return _described(member.name, name, member, value, view)


def _of_parameter(parameter: tree.Parameter, place: Place) -> str:
    default = f" = {parameter.default.span.text}" if parameter.default is not None else ""
    function = ""
    for (outer, _), (expr, _) in pairwise(place.chain):
        if isinstance(expr, tree.Function) and any(p.name == parameter.name for p in expr.parameters):
            function = outer.name if isinstance(outer, tree.Member) else ""
    return paragraphs(code(parameter.name + default), "parameter" + (f" of `{function}`" if function else ""))


def _of_argument(name: str, place: Place) -> str:
    for expr, view in reversed(place.chain):
        if isinstance(expr, tree.Call):
            callee = callee_of(expr.function, view)
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
