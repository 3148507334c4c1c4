"""Where each definition of the standard library stands. A definition is parsed when it is first used.

In a library file every definition begins in column 0 and everything else is indented or closes a bracket, so that a
glance at the line starts is enough to find the definitions. The definitions of a file whose name begins with a capital,
as in `BS.Network.bs`, are the members of the record of that name; those of the other files are the top level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from importlib.resources import files
from threading import RLock
from typing import ParamSpec, TypeVar

from bsls.source import ExpandedText, Source
from bsls.syntax.brainscript import parse_member
from bsls.syntax.tree import Access, Function, Home, Member, Name, Record

P = ParamSpec("P")
R = TypeVar("R")
_DEFINITION = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*", re.MULTILINE)


class LibraryFile:
    """Text of one file, where its definitions are, and which record (`BS.Network`) they are the members of."""

    def __init__(self, source: Source, record: str = "") -> None:
        self.source = source
        self.record = record
        self.text = ExpandedText.of(source)
        found = list(_DEFINITION.finditer(source.text))
        ends = [*(m.start() for m in found[1:]), len(source.text)]
        self.names = {m.group(): (m.start(), end) for m, end in zip(found, ends, strict=False)}

    def member(self, name: str) -> Member:
        """The tree of a definition."""
        start, end = self.names[name]
        end = start + len(re.sub(r"(\s*#[^\n]*)*\s*$", "", self.source.text[start:end]))
        return parse_member(self.text, start, end, library=True)


class _Members(Mapping[str, Member]):
    """The members of a record that is a file, and of those whose files are named as a part of it."""

    def __init__(self, file: LibraryFile) -> None:
        prefix = file.record + "."
        self._file = file
        self._records = {
            record.removeprefix(prefix): inner
            for record, inner in _files().items()
            if record.startswith(prefix) and "." not in record.removeprefix(prefix)
        }
        self._parsed: dict[str, Member] = {}
        self._parsing = RLock()

    def __getitem__(self, name: str) -> Member:
        with self._parsing:
            if name not in self._parsed:
                inner = self._records.get(name)
                self._parsed[name] = self._file.member(name) if inner is None else _record(inner)
            return self._parsed[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._records
        yield from self._file.names

    def __len__(self) -> int:
        return len(self._records) + len(self._file.names)

    def __contains__(self, name: object) -> bool:
        return name in self._records or name in self._file.names


def _record(file: LibraryFile) -> Member:
    """A record that is a file, as if it were written out there below the comment at the beginning."""
    doc = re.match(r"(#[^\n]*\n)*", file.source.text)
    home = Home(file.text, doc.end() if doc else 0, library=True)
    return Member(home, 0, 0, file.record.rpartition(".")[2], Record(home, 0, 0, _Members(file)))


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
def _files() -> dict[str, LibraryFile]:
    """The files by the record that they are, else by their name."""
    found: dict[str, LibraryFile] = {}
    for entry in sorted(files("bsls.library").iterdir(), key=lambda e: e.name):
        name, _, kind = entry.name.rpartition(".")
        if kind == "bs":
            record = name if name[0].isupper() else ""
            found[name] = LibraryFile(Source(str(entry), entry.read_text(encoding="utf-8")), record)
    return found


@_once
def library() -> dict[str, LibraryFile]:
    """Each name of the top level and the file that defines it."""
    found: dict[str, LibraryFile] = {}
    for file in _files().values():
        if file.record:
            if "." not in file.record:
                found[file.record] = file
        else:
            found |= dict.fromkeys(file.names, file)
    return found


@_once
def sources() -> frozenset[Source]:
    """The texts of the library."""
    return frozenset(file.source for file in _files().values())


@_once
def definition(name: str) -> Member:
    """The tree of a definition of the top level. Another name of a record's function (`Abs = CNTK2.Abs`) gives that
    function, whose body means the same in both places."""
    file = library()[name]
    if name == file.record:
        return _record(file)
    found = file.member(name)
    match found.value:
        case Access(object=Name(id=record), id=member) if record in library():
            value = definition(record).value
            target = value.members.get(member) if isinstance(value, Record) else None
            if target is not None and isinstance(target.value, Function):
                return target
    return found
