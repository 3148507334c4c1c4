"""The tree of a BrainScript member. Offsets count from the start of the member, so that an edit above moves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bsls.finding import Finding, Severity
from bsls.source import ExpandedText, Span


class Home:
    """Where a member stands now: the text it was parsed from, its offset there, and whether that is the library."""

    __slots__ = ("library", "offset", "text")

    def __init__(self, text: ExpandedText, offset: int, library: bool = False) -> None:
        self.text = text
        self.offset = offset
        self.library = library


@dataclass(slots=True, eq=False)
class Expr:
    """An expression from offset `start` to `end` of its member."""

    home: Home
    start: int
    end: int

    @property
    def span(self) -> Span:
        return self.home.text.span(self.home.offset + self.start, self.home.offset + self.end)


def _word_span(home: Home, start: int, word: str) -> Span:
    return home.text.span(home.offset + start, home.offset + start + len(word))


@dataclass(slots=True, eq=False)
class Number(Expr):
    value: float


@dataclass(slots=True, eq=False)
class String(Expr):
    value: str


@dataclass(slots=True, eq=False)
class Boolean(Expr):
    value: bool


@dataclass(slots=True, eq=False)
class Name(Expr):
    """`id_start` is where the word itself begins; around it there may be parentheses."""

    id: str
    id_start: int

    @property
    def id_span(self) -> Span:
        return _word_span(self.home, self.id_start, self.id)


@dataclass(slots=True, eq=False)
class Unary(Expr):
    op: str
    operand: Expr


@dataclass(slots=True, eq=False)
class Binary(Expr):
    op: str
    left: Expr
    right: Expr
    quoted: bool = False
    """Whether the operator is written as a string."""


@dataclass(slots=True, eq=False)
class Access(Expr):
    """`object.id`; `id_start` is where the name begins."""

    object: Expr
    id: str
    id_start: int

    @property
    def id_span(self) -> Span:
        return _word_span(self.home, self.id_start, self.id)


@dataclass(slots=True, eq=False)
class Index(Expr):
    array: Expr
    index: Expr


@dataclass(slots=True, eq=False)
class Argument(Expr):
    """An argument of a call; `name` is empty for a positional one."""

    name: str
    value: Expr


@dataclass(slots=True, eq=False)
class Call(Expr):
    function: Expr
    arguments: list[Argument]


@dataclass(slots=True, eq=False)
class Parameter(Expr):
    """A parameter; one with a default is optional."""

    name: str
    default: Expr | None


@dataclass(slots=True, eq=False)
class Function(Expr):
    """`x => body`, or the right side of `f (a, b = 1) = body`."""

    parameters: list[Parameter]
    body: Expr


@dataclass(slots=True, eq=False)
class Array(Expr):
    """`a : b : c` or `[| a ; b |]`."""

    elements: list[Expr]


class ParenthesizedArray(Array):
    """`(a : b)`. Parentheses leave no trace but this: `(a:b):c` is the flat array a:b:c."""


@dataclass(slots=True, eq=False)
class ArrayByIndex(Expr):
    """`array [low .. high] (function)`, or the right side of `x[i:low..high] = e`."""

    low: Expr
    high: Expr
    function: Expr


@dataclass(slots=True, eq=False)
class Conditional(Expr):
    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(slots=True, eq=False)
class New(Expr):
    type: str
    argument: Expr


@dataclass(slots=True, eq=False)
class Broken(Expr):
    """Text that does not parse."""

    finding: Finding


@dataclass(slots=True, eq=False)
class Member(Expr):
    """`name = value`; for `f (a) = e` the value is a function. `doc` is the comment above it."""

    name: str
    value: Expr
    name_end: int = 0
    doc: str = ""

    @property
    def name_span(self) -> Span:
        return self.home.text.span(self.home.offset + self.start, self.home.offset + self.name_end)


@dataclass(slots=True, eq=False)
class Record(Expr):
    """`{ members }` or `[ members ]`; `problems` are findings about its own members (the same name twice)."""

    members: Mapping[str, Member]
    problems: list[Finding] = field(default_factory=list)


def problems(expr: Expr) -> Iterator[Finding]:
    """What is wrong with the text of an expression, evaluated or not."""
    stack = [expr]
    while stack:
        part = stack.pop()
        match part:
            case Broken():
                yield part.finding
            case Record():
                yield from part.problems
            case Binary(quoted=True):
                message = f"the string '{part.op}' counts as the operator {part.op} here"
                yield Finding("syntax", message, part.span, Severity.WARNING, "leave the quotation marks out")
            case Call():
                yield from _given_twice(part.arguments)
            case Function():
                yield from _given_twice([p for p in part.parameters if p.default is not None])
        stack += reversed(children(part))


def _given_twice(items: Sequence[Argument | Parameter]) -> Iterator[Finding]:
    seen: set[str] = set()
    for item in items:
        if item.name and item.name in seen:
            yield Finding("syntax", f"duplicate optional parameter '{item.name}'", item.span, help="remove one of them")
        seen.add(item.name)


def put_in_doubt(expr: Expr, finding: Finding) -> None:
    """Makes the innermost member broken in which a finding has its place."""
    if finding.span is None:
        return
    at = expr.home.text.offset_of(finding.span.source, finding.span.start)
    found, stack = None, [expr]
    while stack and at is not None:
        part = stack.pop()
        if part.home.offset + part.start <= at <= part.home.offset + part.end:
            found = part if isinstance(part, Member) else found
            stack = children(part)
    if found is not None:
        found.value = Broken(found.home, found.value.start, found.value.end, finding)


def deeper_than(expr: Expr, limit: int) -> bool:
    """Whether more than `limit` parts of an expression stand inside one another."""
    level = [expr]
    for _ in range(limit):
        level = [child for part in level for child in children(part)]
        if not level:
            return False
    return True


def children(expr: Expr) -> list[Expr]:
    """The direct parts of an expression, in the order in which they are written."""
    match expr:
        case Unary():
            return [expr.operand]
        case Binary():
            return [expr.left, expr.right]
        case Access():
            return [expr.object]
        case Index():
            return [expr.array, expr.index]
        case Call():
            return [expr.function, *expr.arguments]
        case Argument() | Member():
            return [expr.value]
        case Parameter():
            return [expr.default] if expr.default else []
        case Function():
            return [*expr.parameters, expr.body]
        case Array():
            return list(expr.elements)
        case ArrayByIndex():
            return [expr.low, expr.high, expr.function]
        case Conditional():
            return [expr.condition, expr.then, expr.otherwise]
        case New():
            return [expr.argument]
        case Record():
            return list(expr.members.values())
        case _:
            return []
