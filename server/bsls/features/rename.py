"""Another name for a member, parameter, section or `$x$`, wherever it is named: in the document, and in the other configs
of the folder that use its networks.

Refused is what would change the meaning of a text, and what cannot be seen from here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from bsls.evaluate.roots import SPECIAL
from bsls.features.bindings import UNCERTAIN, Bindings, Clone, Definition
from bsls.features.document import Document, NetworkText
from bsls.features.place import View
from bsls.features.references import Names, Occurrence, Outer, Target, key_of, same_text
from bsls.finding import BsError, Edit
from bsls.library.index import library
from bsls.network.node import Node
from bsls.resolve.scopes import PRELUDE, Level
from bsls.schema import config as schema
from bsls.schema.ops import OPS
from bsls.source import Source, Span
from bsls.syntax import tree
from bsls.syntax.brainscript import tokens
from bsls.syntax.messages import KEYWORDS

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
        self.names = document.once(Names)
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
        for o in (o for o in self.everywhere if o.plain):
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
            self._refuse_other_place(o, self.document)
        for target in self.targets:
            if isinstance(target, Outer):
                self._check_outer(target, new)
            else:
                self._check_member(target, new)
        found = _edits(self.occurrences, new, self.old, self.document)
        return found if any(isinstance(t, Outer) for t in self.targets) else [*found, *self._elsewhere(new)]

    def _refuse_other_place(self, o: Occurrence, document: Document) -> None:
        """Where a name cannot be changed in its document."""
        if o.span.source is not document.source:
            raise _refused(f"'{self.old}' is also named in {o.span}, outside of this document", o.span)
        if not o.plain:
            raise _refused(f"'{self.old}' comes out of {o.word.text} in {self._where(o.span)}", o.span)

    def _where(self, span: Span) -> str:
        """A line; of which file, if it is not this document."""
        other = "" if span.source is self.document.source else f" of {os.path.basename(span.source.path)}"
        return f"line {_line(span)}{other}"

    # --- other configs -----------------------------------------------------------------------------------------------

    def _elsewhere(self, new: str) -> Iterator[Edit]:
        """The edits in the other configs of the folder."""
        keys = {key_of(t) for t in self.targets}
        texts = [self._bindings(t).network for t in self.targets if not isinstance(t, Outer)]
        here = {(o.span.start, o.span.end) for o in self.occurrences}
        for names in self.names.neighbours(self.old):
            document = names.document
            everywhere = list(names.everywhere(self.old))
            found: list[Occurrence] = []
            for o in everywhere:
                if not keys.isdisjoint(map(key_of, o.targets)):
                    if os.path.abspath(o.span.source.path) != os.path.abspath(self.document.source.path):
                        self._refuse_other_place(o, document)
                        found.append(o)
                    elif (o.span.start, o.span.end) not in here:  # another config uses this one otherwise
                        raise _refused(
                            f"'{self.old}' in {self._where(o.span)} has a meaning in {document.source.path}", o.span
                        )
                elif not o.certain and self._may_name(o, names, texts) and _contains(o, self.old):
                    raise _refused(f"it is not known what '{o.span.text}' in {self._where(o.span)} belongs to", o.span)
            spans = {o.span for o in found}
            for o in everywhere:
                for target in o.targets if o.span in spans else ():
                    if key_of(target) not in keys and not isinstance(target, Outer):
                        raise _refused(
                            f"'{self.old}' in {self._where(o.span)} also names what is defined in {target.span}", o.span
                        )  # fmt: skip
            if self._uses(names, texts):
                self._refuse_unread(names, everywhere)
            yield from _edits(found, new, self.old, document)

    def _may_name(self, o: Occurrence, names: Names, texts: Sequence[NetworkText]) -> bool:
        """Whether something in another config, of which it is not known what it names, may be of one of `texts`."""
        if o.role not in ("access", "argument"):
            unread = o.network is None and self.names.unread != []
            return unread or any(same_text(o.network, text) for text in texts)
        if o.network is None:
            return False
        used = [names.network_of_model(model.path) for model in names.bindings(o.network).loaded()]
        return any(same_text(one, text) for one in used for text in texts)

    def _uses(self, names: Names, texts: Sequence[NetworkText]) -> bool:
        """Whether another config seems to use a model with one of the networks."""
        read = names.document.project.files.read.values() if names.document.project is not None else ()
        for command in self.names.commands:
            if any(same_text(self.names.network_of_command(command), text) for text in texts):
                try:
                    path = command.section.get(command.kind.writes) if command.kind.writes else None
                except BsError:
                    continue
                model = os.path.basename(path.text) if path is not None else ""
                if model and any(model in source.text for source in read):
                    return True
        return False

    def _refuse_unread(self, names: Names, everywhere: Iterable[Occurrence]) -> None:
        """Names in what cannot be read of a config: lists of nodes, streams."""
        known = {o.span for o in everywhere}
        word = re.compile(rf"(?<!\w){self.old}(?!\w)", re.IGNORECASE)
        for unread in names.unread:
            for m in word.finditer(unread.text.text):
                span = unread.text.span(m.start(), m.end())
                descriptions = (n.span for n in names.document.networks)
                inside = any(d.source is span.source and d.start <= span.start < d.end for d in descriptions)
                if not inside and span not in known:
                    raise _refused(
                        f"'{self.old}' stands in {self._where(span)}, in a part of the config that cannot be read: "
                        f"{unread.reason.finding.message}", span,
                    )  # fmt: skip

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
        if isinstance(target, tree.Member):
            self._refuse_unread(self.names, self.everywhere)
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
            if o.role in ("access", "argument"):
                possible = o.network is not None and self.names.bindings(o.network).loaded() != []
            else:
                possible = o.network is None and (o.role != "model" or self.names.unread != [])
            if (possible or o.network is bindings.network) and _contains(o, self.old):
                raise _refused(
                    f"it is not known what '{o.span.text}' in line {_line(o.span)} belongs to", o.span
                )  # fmt: skip
        seen: set[int] = set()
        for expr, start in _written(bindings):
            seen.add(expr.home.offset + start)
        text = bindings.network.members.text
        previous = ""
        for m in tokens(text.text):
            word, before, previous = m.group(), previous, m.group()
            if word == self.old and before != "new" and m.start() not in seen:
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
            for o in (o for names in (self.names, *self.names.neighbours(new)) for o in names.all(new)):
                if o.role == "model" and same_text(o.network, bindings.network) and o.word.text.lower() == new.lower():
                    raise _refused(f"'{new}' names another node in {self._where(o.word)}", o.word)

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
            for function in bindings.results(expr.function):
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


def _edits(occurrences: Iterable[Occurrence], new: str, old: str, document: Document) -> list[Edit]:
    """The edits in one document, in the order of the text."""
    found: dict[tuple[int, int], Edit] = {}
    for o in occurrences:
        found[o.span.start, o.span.end] = Edit(o.span, new)
        if o.role == "stream" and (alias := _alias(document, o.span, new, old)) is not None:
            found[alias.span.start, alias.span.end] = alias
    return [found[key] for key in sorted(found)]


def _alias(document: Document, stream: Span, new: str, old: str) -> Edit | None:
    """What keeps a stream's name in the data, which is its own name if the config does not tell."""
    around = document.tree.path_to(stream.start)
    block = around[-1].block if around else None
    if not around or around[-1].key != stream or block is None or block.find("format") is None or not block.items:
        return None
    alias, last = block.find("alias"), block.items[-1]
    if alias is None:
        return Edit(stream.source.span(last.span.end, last.span.end), f' ; alias = "{old}"')
    if alias is last and len(block.items) > 1 and alias.value.text.strip('"') == new:
        return Edit(stream.source.span(block.items[-2].span.end, last.span.end), "")
    return None


def _contains(o: Occurrence, name: str) -> bool:
    """Whether something of which it is not known what it names may name `name`, or a part of it."""
    if not o.plain:
        return True
    if o.role == "stream":
        return o.span.text == name
    if o.role in ("access", "argument"):
        return re.search(rf"(?<!\w){name}(?!\w)", o.span.text) is not None
    return re.search(rf"(?<![^\W_]){name}(?![^\W_])", o.span.text, re.IGNORECASE) is not None


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
