"""A place in a network description: the expressions around it, the names that are visible there, and their values.

Nothing is evaluated here: values are read from the last finished evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bsls.evaluate.values import DONE, BsArray, NetworkValue, RecordScope, Scope, Thunk, Unknown
from bsls.features.document import NetworkText, text_before
from bsls.network.naming import find_by_access
from bsls.resolve.scopes import Level, inner, top_level
from bsls.source import Source, Span
from bsls.syntax import tree
from bsls.syntax.brainscript import CLOSERS, COMMENT_BODY, parse_member, tokens
from bsls.syntax.tree import Expr

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$|$")
_WORD_AFTER = re.compile(r"[A-Za-z0-9_]*")
_LITERAL = re.compile(rf"'[^'\n]*(?P<quote>')?|\"[^\"\n]*(?P<quotes>\")?|(?:#|//)[^\n]*|{COMMENT_BODY}(?P<end>\*/)?")
"""As the scan has them, but a string that is being typed ends with its line, and a comment may have no end yet."""
_MAX_DEPTH = 100
"""Expressions inside one another that are looked into."""

PLACEHOLDER = "cursor__"
"""Stands for what is being typed where a text is completed so that it parses."""

_RESTS = ("", " = 0", " then 0 else 0", " else 0")
"""What may be missing after PLACEHOLDER, but for brackets."""


@dataclass(slots=True, eq=False)
class View:
    """One level of names with their values (None where they are not known, as in a function), and what is around it."""

    level: Level
    values: Scope | None
    outer: View | None

    def value(self, name: str) -> object:
        """The value of a visible name; None where it is not known."""
        view: View | None = self
        while view is not None:
            if name in view.level.names:
                return _known(view.values.own(name)) if view.values is not None else None
            view = view.outer
        return None

    def visible(self) -> Iterator[tuple[str, tree.Member | tree.Parameter, View]]:
        """All names that can be used, inner ones first, each with the level it belongs to."""
        view: View | None = self
        seen: set[str] = set()
        while view is not None:
            for name, target in view.level.names.items():
                if name not in seen:
                    seen.add(name)
                    yield name, target, view
            view = view.outer


@dataclass(slots=True, eq=False)
class Place:
    """`chain` has the expressions around the place, from the member in, each with what is visible there."""

    network: NetworkText
    chain: list[tuple[Expr, View]]

    @property
    def expr(self) -> Expr:
        return self.chain[-1][0]

    @property
    def view(self) -> View:
        return self.chain[-1][1]

    def enclosing(self, kind: type[Expr]) -> Expr | None:
        """The innermost expression of a kind around the place."""
        return next((e for e, _ in reversed(self.chain) if isinstance(e, kind)), None)


def _known(thunk: Thunk | None) -> object:
    if thunk is None or thunk.state != DONE or isinstance(thunk.value, Unknown):
        return None
    return thunk.value


def top_view(network: NetworkText) -> View:
    """The outermost names of a network description."""
    scope = network.evaluation.scope if network.evaluation is not None else None
    return View(top_level(network.members), scope, None)


def _inside(expr: Expr, view: View) -> list[tuple[Expr, View]]:
    """The parts of an expression with what each sees."""
    found: list[tuple[Expr, View]] = []
    made: dict[int, View] = {id(view.level): view}
    for part, level in inner(expr, view.level):
        if id(level) not in made:
            values = None
            if isinstance(expr, tree.Member | tree.Record):
                values = _record_values(expr, view)
            made[id(level)] = View(level, values, view)
        found.append((part, made[id(level)]))
    return found


def _record_values(record: Expr, view: View) -> Scope | None:
    """The values of the members of a record that is itself the value of a member."""
    for name in view.level.names:
        target = view.level.names[name]
        if isinstance(target, tree.Member) and target.value is record:
            value = view.value(name)
            return value if isinstance(value, RecordScope) else None
    return None


def walk_from(expr: Expr, view: View) -> Iterator[tuple[Expr, View]]:
    """An expression and all its parts, in the order of the text, with what each sees."""
    stack = [(expr, view)]
    while stack:
        expr, view = stack.pop()
        yield expr, view
        stack += reversed(_inside(expr, view))


def place_at(network: NetworkText, source: Source, offset: int) -> Place | None:
    """What stands at an offset of the document; None between members and where the text does not parse."""
    at = network.members.text.offset_of(source, offset)
    if at is None:
        return None
    for name, (start, end) in network.members.names.items():
        if start <= at <= end:
            return _descend(network, network.members.member(name), at - start)
    return None


def _descend(network: NetworkText, member: tree.Member, at: int, top: View | None = None) -> Place:
    chain: list[tuple[Expr, View]] = [(member, top or top_view(network))]
    while True:
        expr, view = chain[-1]
        parts = [(e, v) for e, v in _inside(expr, view) if e.start <= at <= e.end]
        if not parts:
            return Place(network, chain)
        chain.append(parts[-1])  # of two that touch, the one that begins here


def completed_place(network: NetworkText, source: Source, offset: int) -> Place | None:
    """The place of what is being typed at an offset: the text up to there, completed so that it parses.

    The last expression is the name or member access whose last word is PLACEHOLDER. None between members, and where
    what stands before does not parse even so.
    """
    text = network.members.text
    at = text.offset_of(source, offset)
    if at is None:
        return None
    found = [(start, name) for name, (start, _) in network.members.names.items() if start < at]
    if not found:
        return None
    start, name = max(found)
    word = _WORD_BEFORE.search(text.text, start, at)
    assert word is not None
    before = text.slice(start, word.start())
    closers = _open_brackets(before.text)
    for rest in _RESTS:
        joined = before.join([before, PLACEHOLDER + rest + closers])
        member = parse_member(joined, 0, len(joined))
        if isinstance(member.value, tree.Broken) or member.name != name:
            continue
        top = top_view(network)
        top = View(Level({**top.level.names, name: member}, None), top.values, None)  # records are found by their tree
        place = _descend(network, member, word.start() - start, top)
        if isinstance(place.expr, tree.Access | tree.Name) and place.expr.id == PLACEHOLDER:
            return place
        if isinstance(place.expr, tree.Argument | tree.Member | tree.Parameter) and place.expr.name == PLACEHOLDER:
            return place
    return None


def _open_brackets(text: str) -> str:
    """What closes the brackets that are open at the end of a text."""
    stack: list[str] = []
    for m in tokens(text):
        if m.lastgroup == "open":
            stack.append(CLOSERS[m.group()])
        elif m.lastgroup == "close" and stack and stack[-1] == m.group():
            stack.pop()
    return "".join(reversed(stack))


def word_at(source: Source, offset: int) -> Span | None:
    """The identifier at or directly before an offset."""
    before = _WORD_BEFORE.search(source.text, source.line_starts[source.position(offset).line], offset)
    after = _WORD_AFTER.match(source.text, offset)
    assert before is not None and after is not None
    start, end = before.start(), after.end()
    return Span(source, start, end) if _WORD.fullmatch(source.text, start, end) else None


@dataclass(frozen=True, slots=True)
class Literal:
    """A string or a comment; `start` and `end` are offsets in the document, quotes and marks included."""

    kind: str  # "string" or "comment"
    start: int
    end: int


def literal_at(network: NetworkText, source: Source, offset: int) -> Literal | None:
    """The string or comment that an offset is inside of."""
    line = source.position(offset).line
    begin = source.line_starts[line]
    blanked = text_before(source, offset).rstrip()
    if blanked != source.text[begin:offset].rstrip():
        return Literal("comment", begin + len(blanked), begin + len(source.line(line)))
    text = network.members.text
    at = text.offset_of(source, offset)
    if at is None:
        return None
    first = max((start for start, _ in network.members.names.values() if start <= at), default=0)
    for m in _LITERAL.finditer(text.text, first):
        if m.start() >= at:
            break
        comment = m.group()[0] not in "'\""
        open_end = m.lastgroup is None
        if at < m.end() or (open_end and at == m.end()):
            end = offset - at + m.end()
            if not comment:  # its closing mark may not stand in the document
                end = min(end, begin + len(source.line(line)))
            return Literal("comment" if comment else "string", offset - at + m.start(), end)
    return None


def value_of(expr: Expr, view: View, depth: int = 0) -> object:
    """The value of an expression as far as it can be read off without evaluating anything; None where it cannot."""
    if depth > _MAX_DEPTH:
        return None
    match expr:
        case tree.Name():
            return view.value(expr.id)
        case tree.Access():
            return member_of(value_of(expr.object, view, depth + 1), expr.id)
        case tree.Index(index=tree.Number(value=number)):
            array = value_of(expr.array, view, depth + 1)
            i = int(number) - array.low if isinstance(array, BsArray) and number.is_integer() else -1
            return _known(array.elements[i]) if isinstance(array, BsArray) and 0 <= i < len(array.elements) else None
        case tree.Number() | tree.String() | tree.Boolean():
            return expr.value
        case tree.Argument():
            return value_of(expr.value, view, depth + 1)
    return None


def member_of(value: object, name: str) -> object:
    """The member `name` of a record or of a loaded network."""
    if isinstance(value, RecordScope):
        return _known(value.own(name))
    if isinstance(value, NetworkValue):
        return find_by_access(value.loaded, name)
    return None
