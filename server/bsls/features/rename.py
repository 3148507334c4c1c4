"""Another name for a member, parameter, section or `$x$`, wherever it is named in the document.

Refused is what would change the meaning of the text, and what cannot be seen from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from bsls.evaluate.roots import SPECIAL
from bsls.features.bindings import UNCERTAIN, Bindings, Clone, Definition
from bsls.features.document import Document
from bsls.features.place import View
from bsls.features.references import Names, Occurrence, Outer, Target
from bsls.finding import BsError, Edit
from bsls.library.index import library
from bsls.network.node import Node
from bsls.resolve.scopes import PRELUDE, Level
from bsls.schema import config as schema
from bsls.schema.ops import OPS
from bsls.source import Source, Span
from bsls.syntax import tree
from bsls.syntax.messages import KEYWORDS
from bsls.syntax.raw import RawItem

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(
    r"'[^']*'|\"[^\"]*\"|(?:#|//)[^\n]*|/\*(?:[^*]|\*[^/])*\*/|\bnew\s+\w+|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
)


def prepare(document: Document, offset: int) -> Span | None:
    """What would be renamed at an offset; None where nothing can be."""
    try:
        return _Renaming(document, offset).span
    except BsError:
        return None


def rename(document: Document, offset: int, new_name: str) -> list[Edit]:
    """The edits that give what is named at an offset another name; raises BsError where that is not possible."""
    renaming = _Renaming(document, offset)
    return [] if new_name == renaming.old else renaming.edits(new_name)


class _Renaming:
    """What is renamed; `targets` are all that must keep one name, as inputs of networks that share a stream."""

    def __init__(self, document: Document, offset: int) -> None:
        self.document = document
        self.names = Names(document)
        here = self.names.at(offset)
        self.targets: set[Target] = {t for o in here for t in o.targets}
        if not self.targets:
            raise _refused("there is nothing here that can be renamed", None)
        self.span = here[0].span
        self.old = self.span.text
        self.everywhere = list(self.names.everywhere(self.old))
        self._link()
        for target in self.targets:
            self._refuse_fixed(target)

    def _link(self) -> None:
        """Adds what is named by the same words as the targets."""
        together: dict[tuple[Source, int, int], set[Target]] = {}
        for o in self.everywhere:
            together.setdefault((o.span.source, o.span.start, o.span.end), set()).update(o.targets)
        grown = True
        while grown:
            found = {t for group in together.values() if not group.isdisjoint(self.targets) for t in group}
            grown = not found <= self.targets
            self.targets |= found

    @property
    def occurrences(self) -> list[Occurrence]:
        return [o for o in self.everywhere if not self.targets.isdisjoint(o.targets)]

    def edits(self, new: str) -> list[Edit]:
        """All edits, in the order of the text."""
        for o in self.occurrences:
            if o.span.source is not self.document.source:
                raise _refused(f"'{self.old}' is also named in {o.span}, outside of this document", o.span)
            if not o.plain:
                raise _refused(f"'{self.old}' comes out of {o.word.text} in line {_line(o.span)}", o.span)
        for target in self.targets:
            if isinstance(target, Outer):
                self._check_outer(target, new)
            else:
                self._check_member(target, new)
        spans = {(o.span.start, o.span.end): Edit(o.span, new) for o in self.occurrences}
        for o in self.occurrences:
            if o.role == "stream" and (alias := self._alias(o.span, new)) is not None:
                spans[alias.span.start, alias.span.end] = alias
        return [spans[key] for key in sorted(spans)]

    # --- what can be renamed at all ----------------------------------------------------------------------------------

    def _refuse_fixed(self, target: Target) -> None:
        if isinstance(target, Outer):
            if not any(o.definition and target in o.targets for o in self.everywhere):
                raise _refused(f"'{self.old}' is not defined in this document", self.span)
            if target.kind == "variable" and self._is_setting(target):
                raise _refused(f"'{self.old}' is a setting of CNTK, not a name of your own", self.span)
            return
        if target.home.library:
            raise _refused(f"'{target.name}' is part of the library", target.span)
        if target.span.source is not self.document.source:
            raise _refused(f"'{target.name}' is defined in {target.span}; rename it there", target.span)
        if target.name in SPECIAL and self._is_top(target):
            raise _refused(f"'{target.name}' is a special name, which marks a group of nodes", target.span)

    def _bindings(self, target: Definition) -> Bindings:
        return next(b for n in self.document.networks if (b := self.names.bindings(n)).has(target))

    def _is_top(self, target: Definition) -> bool:
        return isinstance(target, tree.Member) and self._bindings(target).view(target).outer is None

    # --- the config --------------------------------------------------------------------------------------------------

    def _check_outer(self, target: Outer, new: str) -> None:
        if not _NAME.fullmatch(new):
            raise _refused(f"'{new}' is not a name: letters, digits and _ are possible", self.span)
        if self._is_setting(Outer(target.kind, new.lower())):
            raise _refused(f"'{new}' is a setting of CNTK", self.span)
        for item in self.document.tree.items:
            if item.name.lower() == new.lower() != target.name:
                raise _refused(f"there is a '{item.name}' already, in line {_line(item.key)}", item.key)
        items = self.document.tree.items
        if target.kind == "section" and not any(i.name.lower() == "command" for i in items):
            raise _refused(f"without `command = ...` the section '{self.old}' is found by its name", self.span)
        project = self.document.project
        for source in project.files.read.values() if project is not None else ():
            if source is not self.document.source and f"${target.name}$" in source.text.lower():
                raise _refused(f"'${self.old}$' is also used in {source.path}", self.span)

    def _is_setting(self, target: Outer) -> bool:
        """Whether a command of this config looks for such a key, or for such a block, here or in an enclosing block."""
        kinds = {schema.actions(c.action)[0] for c in self.document.commands}
        return any(_reads(kind, target) for kind in ("top", *kinds))

    # --- network descriptions ----------------------------------------------------------------------------------------

    def _check_member(self, target: Definition, new: str) -> None:
        bindings = self._bindings(target)
        view = _scope_of(target, bindings)
        top = view.outer is None
        if not _NAME.fullmatch(new):
            raise _refused(f"'{new}' is not a name: letters, digits and _ are possible", self.span)
        if new in KEYWORDS:
            raise _refused(f"'{new}' is a word of the language", self.span)
        if top and new in SPECIAL:
            raise _refused(f"'{new}' is a special name, which marks a group of nodes", self.span)
        if new in library() or new in PRELUDE:
            raise _refused(f"'{new}' is part of the library", self.span)
        self._refuse_unseen(bindings)
        self._refuse_clash(target, view.level, new)
        self._refuse_capture(bindings, view, new)
        self._refuse_options(bindings, view.level, new)
        self._refuse_passed(bindings, view.level)
        if top:
            self._refuse_other_alias(view, new)

    def _refuse_unseen(self, bindings: Bindings) -> None:
        """Places where it is not known what they name, or which are not what they seem."""
        for o in self.everywhere:
            if o.certain:
                continue
            text = o.network is bindings.network or (
                o.role in ("access", "argument")
                and o.network is not None
                and self.names.bindings(o.network).loaded() != []
            )
            if text and self.old in re.split(r"\W+" if o.role in ("access", "argument") else r"[\W_]+", o.span.text):
                raise _refused(
                    f"it is not known what '{o.span.text}' in line {_line(o.span)} belongs to", o.span
                )  # fmt: skip
        seen: set[int] = set()
        for expr, start in _written(bindings):
            seen.add(expr.home.offset + start)
        text = bindings.network.members.text
        for m in _WORDS.finditer(text.text):
            if m["word"] == self.old and m.start() not in seen:
                span = text.span(m.start(), m.end())
                raise _refused(f"the text of line {_line(span)} cannot be read, and '{self.old}' stands in it", span)

    def _refuse_clash(self, target: Definition, level: Level, new: str) -> None:
        for name, other in level.names.items():
            same = name.lower() == new.lower() if isinstance(target, tree.Member) else name == new
            if same and other is not target:
                note = "" if name == new else ", and names of nodes must not differ in capitals only"
                raise _refused(f"there is a '{name}' already, in line {_line(other.span)}{note}", other.span)

    def _refuse_capture(self, bindings: Bindings, view: View, new: str) -> None:
        """Uses that would mean something else afterwards, as the new name has a meaning already."""
        visible = bindings.lookup(new, view)
        if visible is not None:
            raise _refused(f"'{new}' already means something here, see line {_line(visible.span)}", visible.span)
        for expr, inside in bindings.parts:
            if isinstance(expr, tree.Name):
                found = bindings.target(expr)
                if found in self.targets and (other := bindings.lookup(new, inside)) is not None:
                    raise _refused(
                        f"in line {_line(expr.id_span)} '{new}' already means something else", other.span
                    )  # fmt: skip
                if expr.id == new and _sees(inside, view.level) and not _before(inside, view.level, new):
                    raise _refused(f"'{new}' is used in line {_line(expr.id_span)}", expr.id_span)
            elif isinstance(expr, tree.Access) and expr.id == new:
                for record in bindings.values(expr.object):
                    if not isinstance(record, tree.Record) or new in record.members:
                        continue
                    if record.members is view.level.names or _sees(bindings.view(record), view.level):
                        raise _refused(f"'{new}' is used in line {_line(expr.id_span)}", expr.id_span)
        if view.outer is None:
            for o in self.names.all(new):
                if o.role == "model" and o.network is bindings.network and o.word.text.lower() == new.lower():
                    raise _refused(f"'{new}' names another node in line {_line(o.word)}", o.word)

    def _refuse_options(self, bindings: Bindings, level: Level, new: str) -> None:
        """`new T [ ... ]` takes its options from all names that are visible there."""
        options = _option_names() & {self.old, new}
        for expr, inside in bindings.parts:
            if not isinstance(expr, tree.New):
                continue
            record = expr.argument
            own = record.members if isinstance(record, tree.Record) else {}
            if own is level.names:
                raise _refused(f"`new {expr.type}` looks for '{self.old}' by its name", expr.span)
            if any(name not in own for name in options) and _sees(inside, level):
                raise _refused(
                    f"`new {expr.type}` in line {_line(expr.span)} looks for '{min(options)}' by its name", expr.span
                )  # fmt: skip

    def _refuse_passed(self, bindings: Bindings, level: Level) -> None:
        """A record whose members a function of the library, or one that is not known, may look for by their names."""
        for expr, _ in bindings.parts:
            if not isinstance(expr, tree.Call):
                continue
            for function in bindings.values(expr.function):
                library = isinstance(function, tree.Function) and function.home.library
                if not library and function is not UNCERTAIN:
                    continue
                if any(isinstance(v, Clone) for v in bindings.values(expr)):
                    continue  # its outputs are named by the record, whatever the names
                for argument in expr.arguments:
                    for value in _elements(bindings, argument.value):
                        if isinstance(value, tree.Record) and value.members is level.names:
                            raise _refused(
                                f"'{self.old}' may be used by the function that is called in line {_line(argument.span)}",
                                argument.span,
                            )

    def _refuse_other_alias(self, view: View, new: str) -> None:
        """A node with several names is called by the last of them in the alphabet."""
        value = view.value(self.old)
        if not isinstance(value, Node):
            return
        names = [n for n in view.level.names if n not in SPECIAL and view.value(n) is value]
        if len(names) > 1 and (max(names) == self.old) != (max([new, *(n for n in names if n != self.old)]) == new):
            other = max(n for n in names if n != self.old)
            raise _refused(
                f"'{self.old}' and '{other}' are the same node, which is called by the last name in the alphabet;"
                f" with '{new}' that would be another one", self.span,
            )  # fmt: skip

    # --- streams -----------------------------------------------------------------------------------------------------

    def _alias(self, stream: Span, new: str) -> Edit | None:
        """What keeps a stream's name in the data, which is its own name if the config does not tell."""
        item = self.document.tree.path_to(stream.start)[-1]
        block = item.block
        if item.key != stream or block is None or block.find("format") is None or not block.items:
            return None
        alias, last = block.find("alias"), block.items[-1]
        if alias is None:
            return Edit(stream.source.span(last.span.end, last.span.end), f' ; alias = "{self.old}"')
        if alias is last and len(block.items) > 1 and alias.value.text.strip('"') == new:
            return Edit(stream.source.span(_end_before(block.items), last.span.end), "")
        return None


def _end_before(items: list[RawItem]) -> int:
    return items[-2].span.end


def _refused(message: str, span: Span | None) -> BsError:
    return BsError("rename", message, span)


def _line(span: Span) -> int:
    return span.start_position.line + 1


@cache
def _reads(kind: str, target: Outer) -> bool:
    found = schema.find(kind, target.name)
    if found is None and kind != "top" and (below := schema.find_below(kind, target.name)) is not None:
        found = below[1]
    return found is not None and (kind == "top" or target.kind == "variable" or "block" in found.type)


@cache
def _option_names() -> set[str]:
    """What the types behind `new` look for."""
    names = {a.key or a.name for op in OPS.values() for a in op.attributes}
    return names | {"inputs", "tag", "operation", "precision", "pathName", "inputNodes", "outputNodes", "parameters"}


def _scope_of(target: Definition, bindings: Bindings) -> View:
    """The names among which a target is defined."""
    if isinstance(target, tree.Member):
        return bindings.view(target)
    function = next(e for e, _ in bindings.parts if isinstance(e, tree.Function) and target in e.parameters)
    return bindings.view(function.body)


def _sees(view: View | None, level: Level) -> bool:
    while view is not None:
        if view.level is level:
            return True
        view = view.outer
    return False


def _before(view: View | None, level: Level, name: str) -> bool:
    """Whether a name is found further in than a level."""
    while view is not None and view.level is not level:
        if name in view.level.names:
            return True
        view = view.outer
    return False


def _written(bindings: Bindings) -> Iterator[tuple[tree.Expr, int]]:
    """All expressions that are or begin with a word of their own, and where that begins in their member."""
    for expr, _ in bindings.parts:
        if isinstance(expr, tree.Name | tree.Access):
            yield expr, expr.id_start
        elif isinstance(expr, tree.Member | tree.Parameter | tree.Argument):
            yield expr, expr.start


def _elements(bindings: Bindings, expr: tree.Expr) -> Iterator[object]:
    for value in bindings.values(expr):
        yield value
        if type(value) is not tree.ArrayByIndex and isinstance(value, tree.Array):
            for element in value.elements:
                yield from bindings.values(element)
