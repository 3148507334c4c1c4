"""The standard library as a scope."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.evaluate.values import Scope, Thunk
from bsls.library.index import definition, library


class LibraryScope(Scope):
    """All definitions of the library, beside the few variables that the config gives (`precision`, ...)."""

    __slots__ = ()

    def own(self, name: str) -> Thunk | None:
        thunk = self.variables.get(name)
        if thunk is None and name in library():
            thunk = self.variables[name] = Thunk(definition(name).value, self, name)
        return thunk

    def names(self) -> Iterator[str]:
        yield from self.variables
        yield from (n for n in library() if not n.startswith("_"))
