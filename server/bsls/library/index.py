"""Where each definition of the standard library stands. A definition is parsed when it is first used.

In a library file every definition begins in column 0 and everything else is indented or closes a bracket, so that a
glance at the line starts is enough to find the definitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from threading import RLock
from typing import ParamSpec, TypeVar

from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brainscript import parse_member
from bsls.syntax.tree import Member

P = ParamSpec("P")
R = TypeVar("R")
_DEFINITION = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*", re.MULTILINE)


class LibraryFile:
    """Text of one file and where its definitions are."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = ExpandedText.of(source)
        found = list(_DEFINITION.finditer(source.text))
        ends = [m.start() for m in found[1:]] + [len(source.text)]
        self.names = {m.group(): (m.start(), end) for m, end in zip(found, ends, strict=True)}

    def doc(self, name: str) -> str:
        """The comment above a definition."""
        lines: list[str] = []
        for line in reversed(self.source.text[: self.names[name][0]].split("\n")[:-1]):
            if not line.startswith("#"):
                break
            lines.insert(0, line.lstrip("#").strip())
        return "\n".join(lines)

    def name_span(self, name: str) -> Span:
        start = self.names[name][0]
        return self.source.span(start, start + len(name))


def _once(make: Callable[P, R]) -> Callable[P, R]:
    """As `functools.cache`, and two threads that ask at the same time get the same object, too: trees are compared by
    identity."""
    known: dict[tuple[object, ...], R] = {}
    making = RLock()

    @wraps(make)
    def cached(*arguments: P.args, **named: P.kwargs) -> R:
        found = known.get(arguments)
        if found is None:
            with making:
                found = known.get(arguments)
                if found is None:
                    found = known[arguments] = make(*arguments, **named)
        return found

    return cached


@_once
def library() -> dict[str, LibraryFile]:
    """Each name of the library and the file that defines it."""
    found: dict[str, LibraryFile] = {}
    folder = files("bsls.library")
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".bs"):
            file = LibraryFile(Source(str(entry), entry.read_text(encoding="utf-8")))
            for name in file.names:
                found[name] = file
    return found


@_once
def sources() -> frozenset[Source]:
    """The texts of the library."""
    return frozenset(file.source for file in library().values())


@_once
def definition(name: str) -> Member:
    """The tree of a library definition."""
    file = library()[name]
    start, end = file.names[name]
    end = start + len(re.sub(r"(\s*#[^\n]*)*\s*$", "", file.source.text[start:end]))
    return parse_member(file.text, start, end, library=True)
