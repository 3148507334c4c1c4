"""The model editing language: commands, models that get a name, and lines of NDL between them.

It is cut like NDL; which of its assignments are commands is for those to say who know the commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bsls.finding import Finding
from bsls.source import ExpandedText, Span
from bsls.syntax import ndl
from bsls.syntax.outer import closing, list_separator, scan_list

_BRACKET = re.compile(r"[\[{(\"]")


@dataclass(frozen=True, slots=True)
class Command:
    """`Name (argument, ...)`, with `target = ` before it where that was written.

    With a target it is a command only if it makes a model; else it is a line of NDL.
    """

    text: ExpandedText
    name: ExpandedText
    arguments: tuple[ExpandedText, ...]
    target: ExpandedText | None = None

    @property
    def span(self) -> Span:
        return self.text.span()


@dataclass(frozen=True, slots=True)
class Snippet:
    """`model = [ NDL ]`."""

    text: ExpandedText
    target: ExpandedText
    body: ExpandedText


@dataclass(frozen=True, slots=True)
class Line:
    """`name = value`, a line of NDL."""

    text: ExpandedText


Statement = Command | Snippet | Line


@dataclass(slots=True)
class MelScript:
    """Statements in order, and what cannot be read between them."""

    text: ExpandedText
    statements: list[Statement] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def leaves(self) -> Iterator[ExpandedText]:
        """The words of which all is made, in their order; what lies between them only separates."""
        for statement in self.statements:
            if isinstance(statement, Command):
                yield from (statement.target,) if statement.target is not None else ()
                yield statement.name
                yield from statement.arguments
            elif isinstance(statement, Snippet):
                yield statement.target
                yield from ndl.parse_script(statement.body).leaves()
            else:
                yield from ndl.parse_script(statement.text).leaves()


def parse(text: ExpandedText) -> MelScript:
    """The statements of a text: blocks in brackets one after another, or bare statements.

    Comments are blanked and brackets match.
    """
    script = MelScript(text)
    for start, end in ndl.blocks(text.text):
        for first, last in scan_list(text.text, start, end, ";"):
            _statement(script, text.slice(first, last))
    return script


def _statement(script: MelScript, text: ExpandedText) -> None:
    bracket = _BRACKET.search(text.text)
    stop = bracket.start() if bracket else len(text)
    equal = text.text.find("=", 0, stop)
    if equal < 0:
        command = _command(text, text, None)
        sign = _sign(text, stop)
        if command is not None and sign is not None:
            script.problems.append(Finding(
                "syntax", f"'{sign.text}' after a bracket separates the arguments, it is no part of the first one", sign.span(),
                help="write the name of the model before it: m.*",
            ))  # fmt: skip
        elif command is not None:
            script.statements.append(command)
        else:
            script.problems.append(Finding(
                "syntax", f"'{text.text[:40]}' is no statement", text.span(),
                help="write `Command (arguments)` or `name = value`",
            ))  # fmt: skip
        return
    target, value = text.slice(0, equal).strip(), text.slice(equal + 1, len(text)).strip()
    if not target.text or not value.text:
        what = f"no value given for '{target.text}'" if target.text else "a name is missing before '='"
        script.problems.append(Finding("syntax", what, text.span(), help="write `name = value`"))
    elif value.text[0] in "[{(":
        script.statements.append(Snippet(text, target, value))
    else:
        script.statements.append(_command(text, value, target) or Line(text))


def _sign(text: ExpandedText, bracket: int) -> ExpandedText | None:
    """The sign behind the bracket of a command which takes the place of the comma."""
    sign, first = list_separator(text.text, bracket + 1, ",")
    return text.slice(first - 1, first) if first > bracket + 1 and sign not in ",;" else None


def _command(text: ExpandedText, call: ExpandedText, target: ExpandedText | None) -> Command | None:
    bracket = _BRACKET.search(call.text)
    name = call.slice(0, bracket.start()).strip() if bracket else call.slice(0, 0)
    if bracket is None or not name.text or bracket.group() != "(" or closing(call.text, bracket.start()) < 0:
        return None
    arguments = ndl.arguments(call.slice(bracket.start(), len(call)), ",")
    return Command(text, name, tuple(arguments), target)
