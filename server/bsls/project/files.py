"""Where texts come from: the disk, with unsaved documents of an editor before it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from heapq import nsmallest
from itertools import islice

from bsls.config.section import Section
from bsls.finding import BsError
from bsls.schema.ops.parameters import matrix_size
from bsls.source import Source, Span

_MAX_SCANNED = 20_000
"""Entries of a folder that are looked at when it is listed."""

MAX_TEXT = 2_000_000
"""Characters of a text that is read; no config is as long."""

State = tuple[int, int, int] | None
"""What tells versions of a file apart: time of the last change, size, number on the disk. None: there is no file."""


def state_of(path: str) -> State:
    """The present state of a file or folder."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # no path can have a zero byte or half a surrogate pair
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class Files:
    """Reads texts and looks for files, relative to `base`; remembers what was read and what was absent.

    `documents` are open documents by absolute path; they come before the disk. `states` has the state of each file
    when it was first looked at. `assembled` has the texts of configs, by path, and what they were read as; it can be
    handed on to whoever reads them next.
    """

    def __init__(
        self,
        base: str = "",
        documents: Mapping[str, Source] | None = None,
        states: dict[str, State] | None = None,
        assembled: dict[str, tuple[str, Section]] | None = None,
    ) -> None:
        self.base = base
        self.documents = documents or {}
        self.states = {} if states is None else states
        self.assembled = {} if assembled is None else assembled
        self.read: dict[str, Source] = {}
        self.absent: set[str] = set()

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(os.path.abspath(self.base or "."), path.replace("\\", "/")))

    def shown(self, path: str) -> str:
        """The path to open, as short as the user wrote it."""
        return os.path.join(self.base, path.replace("\\", "/")) if self.base else path.replace("\\", "/")

    def exists(self, path: str) -> bool:
        found = self.look(path) is not None
        if not found:
            self.absent.add(self.absolute(path))
        return found

    def look(self, path: str) -> State:
        """The state of a file or folder; it is remembered."""
        absolute = self.absolute(path)
        state = state_of(absolute)
        self.states.setdefault(absolute, state)
        return state

    def changed(self) -> bool:
        """Whether a file that was looked at is no longer as it was."""
        looked_at = list(self.states.items())  # another thread may look at more meanwhile
        return any(state_of(path) != state for path, state in looked_at if path not in self.documents)

    def entries(self, folder: str, prefix: str = "", limit: int = 200) -> list[tuple[str, bool]]:
        """Names in a folder that begin with `prefix`, in order, and whether each is a folder; hidden ones only with their dot.

        At most `limit`; capitals do not matter. Empty where there is no such folder.
        """
        self.look(folder)
        start = prefix.lower()
        try:
            with os.scandir(self.shown(folder) or ".") as scanned:
                named = [e for e in islice(scanned, _MAX_SCANNED) if e.name.lower().startswith(start)]
                shown = [e for e in named if start or not e.name.startswith(".")]
                return [(e.name, e.is_dir()) for e in nsmallest(limit, shown, key=lambda e: (e.name.lower(), e.name))]
        except (OSError, ValueError):
            return []

    def similar(self, path: str) -> str | None:
        """A file in the same folder, or beside the config, that was probably meant by `path`."""
        name = os.path.basename(path)
        for folder in dict.fromkeys((os.path.dirname(path), "")):
            self.look(folder)
            try:
                entries = [e.name for e in os.scandir(self.shown(folder) or ".") if e.is_file()]
            except OSError:
                continue
            same = [e for e in entries if e.lower() == name.lower()] or get_close_matches(name, entries, 1, 0.7)
            if same:
                return os.path.join(folder, same[0])
        return None

    def matrix_size(self, path: str) -> tuple[int, int] | None:
        """Rows and columns of a text file with a matrix, a row a line; None where it is no such file."""
        self.look(path)
        try:
            with open(self.shown(path), encoding="ascii") as file:
                return matrix_size(file)
        except (OSError, UnicodeDecodeError):
            return None

    def source(self, path: str, span: Span | None = None) -> Source:
        """The text of a file; raises BsError, at `span` or else at the file itself, if it cannot be read as text."""
        absolute = self.absolute(path)
        place = span or Source(self.shown(path), "").span(0, 0)
        self.look(path)
        if absolute in self.documents:
            self.read[absolute] = self.documents[absolute]
            self._refuse(path, self.documents[absolute].text, place)
        if absolute not in self.read:
            state = self.states.get(absolute)
            if state is not None and state[1] > 4 * MAX_TEXT:  # bytes
                raise self._too_long(path, place)
            try:
                with open(self.shown(path), encoding="utf-8-sig", newline="") as file:
                    text = file.read()
            except UnicodeDecodeError:
                with open(self.shown(path), encoding="latin-1", newline="") as file:
                    text = file.read()
            except OSError as error:
                self.absent.add(absolute)
                raise BsError(
                    "missing-file", f"cannot read '{path}': {error.strerror}", place, help="correct the path"
                ) from error
            self._refuse(path, text, place)
            self.read[absolute] = Source(self.shown(path), text.replace("\r\n", "\n") if "\r\n" in text else text)
        return self.read[absolute]

    @staticmethod
    def _too_long(path: str, place: Span) -> BsError:
        message = f"'{path}' is longer than {MAX_TEXT} characters"
        return BsError("syntax", message, place, help="is this a config? data and models are not given here")

    @classmethod
    def _refuse(cls, path: str, text: str, place: Span) -> None:
        if len(text) > MAX_TEXT:
            raise cls._too_long(path, place)
        if "\0" in text:
            raise BsError(
                "syntax",
                f"'{path}' is not a text file",
                place,
                help="give a config file; a model is shown by `bsls model show`",
            )
