"""The function that is being called at a place, and which of its parameters stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bsls.features.bindings import Bindings
from bsls.features.callee import Callee, attribute_of, callee_of
from bsls.features.document import Document, NetworkText
from bsls.features.place import View, completed_place, literal_at
from bsls.features.references import Names, bindings_at
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import parse_expression, tokens
from bsls.syntax.tree import Expr

_MAX_DEPTH = 8
"""Brackets around a place among which the call is looked for."""

_NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?![=>])")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*\s*$")


@dataclass(slots=True)
class Signature:
    """`parameters` are offsets in the label, with docs; `active` is the index of the one at the cursor."""

    label: str
    parameters: list[tuple[int, int, str]]
    active: int | None
    doc: str


@dataclass(slots=True)
class OpenCall:
    """A call whose arguments a place is in. `index` counts the positional arguments before the one at the place, `name`
    is the name of that one. `given` are the names given anywhere in the call. `direct`: nothing of the argument stands
    before the word at the place."""

    callee: Callee
    index: int
    name: str
    given: set[str]
    direct: bool


def signature_help(document: Document, offset: int) -> Signature | None:
    """The signature of the innermost call around the offset."""
    network = document.network_at(offset)
    call = open_call(document, network, offset) if network is not None else None
    if call is None:
        return None
    callee = call.callee
    label = callee.label
    parameters: list[tuple[int, int, str]] = []
    at = len(callee.name) + 2
    for name, text in zip([*callee.required, *callee.optional], callee.parameters, strict=True):
        attribute = attribute_of(callee, name)
        parameters.append((at, at + len(text), attribute.doc if attribute is not None else ""))
        at += len(text) + 2
    names = list(callee.optional)
    active = call.index if call.index < len(callee.required) else None
    if call.name:
        active = len(callee.required) + names.index(call.name) if call.name in names else None
    return Signature(label, parameters, active, callee.doc)


def open_call(document: Document, network: NetworkText, offset: int) -> OpenCall | None:
    """The innermost call of a known function whose brackets are around the offset."""
    source, text = document.source, network.members.text
    at = text.offset_of(source, offset)
    literal = literal_at(network, source, offset)
    if at is None or (literal is not None and literal.kind == "comment"):
        return None
    starts = [start for start, _ in network.members.names.values() if start < at]
    start = max(starts, default=0)
    stack = open_brackets(text.text, start, at)
    for opener, commas in reversed(stack[-_MAX_DEPTH:]):
        if text.text[opener] == "[":
            continue
        found = _function_before(document, network, offset - (at - opener), opener, start)
        callee = callee_of(*found) if found is not None else None
        if callee is not None:
            cuts = [opener, *commas]
            pieces = [text.text[a + 1 : b] for a, b in zip(cuts, [*commas, at], strict=True)]
            named = [m.group(1) if (m := _NAMED.match(piece)) else "" for piece in pieces]
            direct = opener == stack[-1][0] and not re.sub(r"\w*$", "", pieces[-1]).strip()
            given = {*named, *_names_after(text.text, at + (literal.end - offset if literal is not None else 0))} - {""}
            return OpenCall(callee, sum(not n for n in named[:-1]), named[-1], given, direct)
    return None


def open_brackets(text: str, start: int, at: int) -> list[tuple[int, list[int]]]:
    """The brackets open at `at`, each with the commas directly inside of it."""
    stack: list[tuple[int, list[int]]] = []
    for m in tokens(text, start, at):
        mark = m.group()
        if m.lastgroup == "open":
            stack.append((m.start(), []))
        elif m.lastgroup == "close":
            if stack:
                stack.pop()
        elif mark == "," and stack:
            stack[-1][1].append(m.start())
        elif mark in ("'", '"'):  # a string without end
            break
    return stack


def _names_after(text: str, at: int) -> list[str]:
    """The names of the arguments from the next comma to the end of the call."""
    found: list[str] = []
    depth = 0
    for m in tokens(text, at):
        mark = m.group()
        if m.lastgroup == "open":
            depth += 1
        elif m.lastgroup == "close":
            depth -= 1
            if depth < 0:
                break
        elif mark == "," and depth == 0 and (name := _NAMED.match(text, m.end())):
            found.append(name.group(1))
    return found


def _function_before(
    document: Document, network: NetworkText, offset: int, opener: int, start: int
) -> tuple[Expr, View, Bindings] | None:
    """The expression before an opening bracket if that makes it a call, and what is visible there."""
    text = network.members.text
    place = completed_place(network, document.source, offset + 1)
    if place is not None:
        base = start
        for expr, view in reversed(place.chain):
            if isinstance(expr, tree.Call):
                end = base + expr.function.end
                if end <= opener and not text.text[end:opener].strip():
                    return expr.function, view, bindings_at(document, place)
        return None
    m = _DOTTED.search(text.text, start, opener)  # what stands before does not parse
    if m is None:
        return None
    written = parse_expression(ExpandedText.of(Source("", m.group())))
    bindings = document.once(Names).bindings(network)
    bindings.add(written, bindings.top)
    return written, bindings.top, bindings
