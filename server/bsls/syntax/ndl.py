"""NDL, the older network description language: statements `name = value`, macros, and calls inside one another.

It is cut like the outer config language (line ends, commas and semicolons separate; a piece ends behind its first
bracket), and has no operators. The tree keeps for everything the text that it stands for; names are not looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bsls.finding import Finding, Severity
from bsls.source import ExpandedText, Span
from bsls.syntax.outer import OPENERS, closing, list_separator, scan_list

MAX_CALLS = 100
"""Calls inside one another."""

_NUMBER = re.compile(
    r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|inf(?:inity)?|nan)$", re.IGNORECASE
)
_BRACKET = re.compile(r"[\[{(\"]")


@dataclass(frozen=True, slots=True)
class Value:
    """Something that stands for a value; `text` is what was written."""

    text: ExpandedText

    @property
    def span(self) -> Span:
        return self.text.span()


@dataclass(frozen=True, slots=True)
class Word(Value):
    """A number, or the name of something."""

    @property
    def id(self) -> str:
        return self.text.text

    @property
    def is_number(self) -> bool:
        return is_number(self.id)


@dataclass(frozen=True, slots=True)
class Option(Value):
    """`name = value` among the arguments of a call; the value is text without quotes."""

    name: ExpandedText
    value: ExpandedText


@dataclass(frozen=True, slots=True)
class Array(Value):
    """`(a, b)`, `{a, b}` or `[a, b]`."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Call(Value):
    """`Function(argument, ..., option = value)`."""

    function: ExpandedText
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name = value`. A call without name, which only a macro on one line may have, has an empty name.

    It is `broken` where a part of it cannot be read.
    """

    text: ExpandedText
    name: ExpandedText
    value: Value
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    """`name(parameter, ...) = [ statements ]`, also without `=` or with one statement on the line."""

    text: ExpandedText
    name: ExpandedText
    parameters: tuple[Word, ...]
    body: Script


Statement = Assignment | Macro


@dataclass(slots=True)
class Script:
    """Statements in order, and what cannot be read between them."""

    text: ExpandedText
    statements: list[Statement] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def all_problems(self) -> Iterator[Finding]:
        """What is wrong here and in the macros."""
        yield from self.problems
        for statement in self.statements:
            if isinstance(statement, Macro):
                yield from statement.body.all_problems()

    def leaves(self) -> Iterator[ExpandedText]:
        """The words of which all is made, in their order; what lies between them only separates."""
        for statement in self.statements:
            yield from _leaves(statement)


def is_number(text: str) -> bool:
    """Whether a word is a number, in the notation of C."""
    return _NUMBER.match(text) is not None


def parse_script(text: ExpandedText, one_line: bool = False) -> Script:
    """The statements of a text: blocks in brackets one after another, or bare statements.

    Comments are blanked and brackets match. With `one_line`, statements without `=` are calls, not macros.
    """
    script = Script(text)
    for start, end in blocks(text.text):
        _Parser(text, script, one_line).statements(start, end)
    return script


def blocks(text: str) -> list[tuple[int, int]]:
    """Begin and end of the insides of the blocks of which `text` consists; all of it where it is no block."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        close = closing(text, at) if text[at] in "[{(" else -1
        if close < 0:
            return [*found, (at, len(text))] if found else [(0, len(text))]
        found.append((at + 1, close))
        at = close + 1
    return found


def parse_value(text: ExpandedText, problems: list[Finding]) -> Value:
    """A value on the right of `=`."""
    return _Parser(text, Script(text, problems=problems), False).value(0, len(text))


def arguments(text: ExpandedText, separator: str) -> list[ExpandedText]:
    """The elements of a list in brackets, without their quotes."""
    end = len(text) - 1 if len(text) > 1 and closing(text.text, 0) == len(text) - 1 else len(text)
    sign, start = list_separator(text.text, 1, separator)
    return [_unquoted(text.slice(a, b)) for a, b in scan_list(text.text, start, end, sign)]


def _unquoted(text: ExpandedText) -> ExpandedText:
    whole = len(text) >= 2 and text.text[0] == text.text[-1] == '"'
    return text.slice(1, len(text) - 1) if whole else text


class _Parser:
    def __init__(self, text: ExpandedText, script: Script, one_line: bool) -> None:
        self.whole = text
        self.text = text.text
        self.script = script
        self.one_line = one_line
        self.depth = 0

    def problem(self, message: str, start: int, end: int, help: str) -> None:
        self.script.problems.append(Finding("syntax", message, self.whole.span(start, end), help=help))

    def odd(self, message: str, start: int, end: int, help: str) -> None:
        """Takes down what the reference reads, but not as it must have been meant."""
        self.problem(message, start, end, help)
        self.script.problems[-1].severity = Severity.WARNING

    def _errors(self) -> int:
        return sum(p.severity == Severity.ERROR for p in self.script.problems)

    def statements(self, start: int, end: int) -> None:
        pieces = scan_list(self.text, start, end, ";")
        at = 0
        while at < len(pieces):
            at += self._statement(pieces, at)

    def _statement(self, pieces: list[tuple[int, int]], at: int) -> int:
        """Reads the statement that begins with piece `at`; how many pieces it has."""
        start, end = pieces[at]
        bracket = _BRACKET.search(self.text, start, end)
        stop = bracket.start() if bracket else end
        equal = self.text.find("=", start, stop)
        if equal < 0 and not self.one_line:
            if bracket is None or bracket.group() != "(" or stop == start:
                shown = self.text[start:end] if end - start < 40 else self.text[start : start + 37] + "..."
                self.problem(
                    f"'{shown}' is no statement: it has no '='", start, end, "write `name = Function (...)`, one a line"
                )
                return 1
            return self._macro(pieces, at, stop)
        name = self.whole.slice(start, max(equal, start)).strip()
        if equal >= 0 and not name.text:
            self.problem("a name is missing before '='", start, end, "write `name = value`")
            return 1
        first = equal + 1 if equal >= 0 else start
        while first < end and self.text[first].isspace():
            first += 1
        if first >= end:
            self.problem(f"no value given for '{name.text}'", start, end, "write a value after '='")
            return 1
        before = self._errors()
        value = self.value(first, end)
        broken = self._errors() > before
        self.script.statements.append(Assignment(self.whole.slice(start, end), name, value, broken))
        return 1

    def _macro(self, pieces: list[tuple[int, int]], at: int, bracket: int) -> int:
        start, end = pieces[at]
        name = self.whole.slice(start, bracket).strip()
        words = arguments(self.whole.slice(bracket, end), ":")
        first, last = pieces[at + 1] if at + 1 < len(pieces) else (end, end)
        if self.text[first : first + 1] not in ("=", "[", "{", "("):
            self.problem(
                f"'{name.text} (...)' is neither assigned to a name nor the head of a macro", start, end,
                f"write `name = {name.text} (...)`, or `{name.text} (...) = [ ... ]` for a macro",
            )  # fmt: skip
            return 1
        one_line = self.text[first] == "="
        if one_line:
            first += 1
            while first < last and self.text[first].isspace():
                first += 1
        body = parse_script(self.whole.slice(first, last), one_line)
        parameters = tuple(Word(w) for w in words)
        self.script.statements.append(Macro(self.whole.slice(start, last), name, parameters, body))
        return 2

    def value(self, start: int, end: int) -> Value:
        """What stands after `=`, or as an argument without `=`."""
        text = self.whole.slice(start, end)
        round_bracket = self.text.find("(", start, end)
        if self.text[start] == '"':
            return Word(_unquoted(text))
        if self.text[start] in OPENERS and round_bracket in (-1, start):
            return Array(text, self._items(start, end))
        if round_bracket > start:
            return self._call(start, end)
        bracket = _BRACKET.search(self.text, start, end)
        if bracket is not None and bracket.group() != '"':
            self.odd(
                f"'{bracket.group()}' calls nothing, all of this is taken for a name", bracket.start(), bracket.end(),
                "a function is called with ( ), and a list has no name before it",
            )  # fmt: skip
        elif "=" in text.text or any(c.isspace() for c in text.text.strip()):
            self.odd(
                f"'{text.text}' is taken for a name", start, end,
                "put each statement on a line of its own; functions are called with ( ), and there are no operators",
            )  # fmt: skip
        return Word(text)

    def _call(self, start: int, end: int) -> Value:
        bracket = _BRACKET.search(self.text, start, end)
        assert bracket is not None
        function = self.whole.slice(start, bracket.start()).strip()
        text = self.whole.slice(start, end)
        if bracket.group() != "(" or not function.text:
            self.problem(f"'{bracket.group()}' is not possible here", start, end, "calls stand outside of lists")
            return Word(text)
        if "=" in function.text:
            name = function.text.partition("=")[0].strip()
            self.problem(
                f"the value of '{name}' cannot be a call or a list in ( )", start, end,
                "write a list in { }; give a call a name in a statement of its own",
            )  # fmt: skip
            return Word(text)
        self.depth += 1
        if self.depth > MAX_CALLS:
            self.problem(f"more than {MAX_CALLS} calls are nested here", start, end, "give the inner ones names")
            items: tuple[Value, ...] = ()
        else:
            items = self._items(bracket.start(), end)
        self.depth -= 1
        return Call(text, function, items)

    def _items(self, start: int, end: int) -> tuple[Value, ...]:
        """The elements of a list whose opening bracket is at `start`."""
        close = closing(self.text, start, end)
        close = end if close < 0 else close
        sign, first = list_separator(self.text, start + 1, ":")
        if first > start + 1 and sign not in ":,;":
            self.odd(
                f"'{sign}' after a bracket separates the elements of the list, it is no part of the first one",
                start + 1, first, f"write a number such as 0{self.text[start + 1 : start + 3]} with a digit first"
                if sign == "." else "put a blank before it, or give the value a name in a statement of its own",
            )  # fmt: skip
        found: list[Value] = []
        for a, b in scan_list(self.text, first, close, sign):
            found += self._item(a, b)
        return tuple(found)

    def _item(self, start: int, end: int) -> list[Value]:
        text = self.text
        if text[start] in OPENERS:
            return [self.value(start, end)]
        star = text.find("*", start, end)
        count = 1
        if star >= 0:
            factor = text[star + 1 : end].strip()
            if not factor.isdigit() or len(factor) > 6:
                self.problem(
                    f"'{text[start:end]}': NDL has no operators", start, end,
                    "write Times (a, b) or ElementTimes (a, b); `a*3` in a list is a three times",
                )  # fmt: skip
                return [Word(self.whole.slice(start, end))]
            count, end = int(factor), start + len(text[start:star].rstrip())
        equal = text.find("=", start, end)
        if equal >= 0 and text.find("(", start, end) < 0:
            name = self.whole.slice(start, equal).strip()
            option = Option(self.whole.slice(start, end), name, _unquoted(self.whole.slice(equal + 1, end).strip()))
            return [option] * count
        return [self.value(start, end)] * count


def _leaves(item: Statement | Value) -> Iterator[ExpandedText]:
    match item:
        case Assignment(_, name, value):
            if name.text:
                yield name
            yield from _leaves(value)
        case Macro(_, name, parameters, body):
            yield name
            for parameter in parameters:
                yield parameter.text
            yield from body.leaves()
        case Call(_, function, items):
            yield function
            yield from _once(items)
        case Array(_, items):
            yield from _once(items)
        case Option(_, name, value):
            yield name
            yield value
        case Word(text):
            yield text


def _once(items: tuple[Value, ...]) -> Iterator[ExpandedText]:
    """The words of the elements; `a*3` stands there once."""
    for i, value in enumerate(items):
        if i == 0 or value is not items[i - 1]:
            yield from _leaves(value)
