"""Every place of a document that names something, and what it names: members, parameters, sections, `$x$`.

A node's name is made of the names of members, so node lists (`outputNodeNames = L1.y`), the streams of a reader and the
accesses of a loaded network (`net.L1_y`) name members, too, each part of such a name its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from bsls.config.commands import SGD_KEYS, Command, command_names, commands_of
from bsls.config.section import VARIABLE, Section, Value
from bsls.evaluate.values import NetworkValue
from bsls.features.bindings import Bindings, Definition
from bsls.features.document import Document, NetworkText
from bsls.features.place import Place, value_of
from bsls.finding import BsError
from bsls.network.naming import find_by_access
from bsls.project.project import BRAINSCRIPT, Project
from bsls.schema import config as schema
from bsls.source import ExpandedText, Span
from bsls.syntax import tree
from bsls.syntax.outer import blank_comments
from bsls.syntax.raw import RawItem
from bsls.syntax.tree import Expr

_MAX_MODELS = 20  # models that were made from models


@dataclass(frozen=True, slots=True)
class Outer:
    """A section that a command can run, or a key that `$x$` stands for; `name` is in lower case, as capitals are equal."""

    kind: Literal["section", "variable"]
    name: str


Target = Definition | Outer
Role = Literal["name", "access", "argument", "node", "stream", "model", "outer"]


@dataclass(slots=True)
class Occurrence:
    """`span` names one of `targets`; none where it is not known what it names.

    `word` is what is written as a whole: `L1_y` where `span` is its `y`. `network` is the description that the members
    are of. `certain` if it can name nothing else; not `plain` if the name comes out of a `$x$` that stands there.
    """

    span: Span
    targets: tuple[Target, ...]
    role: Role
    word: Span
    network: NetworkText | None = None
    definition: bool = False
    certain: bool = True
    plain: bool = True


Wanted = Callable[[Span, str], bool]
"""Whether a word at a place is asked for, before it is looked up what it names."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a name, or where it is defined."""

    span: Span
    definition: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of a config, as it is written, that cannot be read; `reason` says why."""

    text: ExpandedText
    reason: BsError


def references(document: Document, offset: int) -> list[Reference]:
    """All uses of what is named at an offset, its definition included: in this document, in the order of the text, then
    those in the other configs of the folder."""
    names = document.once(Names)
    targets = {t for o in names.at(offset) for t in o.targets}
    found = _among(names, targets)
    words = [t.name for t in targets if not isinstance(t, Outer)]
    for other in names.neighbours(*words) if words else ():
        found += _among(other, targets)
    return found


def _among(names: Names, targets: Iterable[Target]) -> list[Reference]:
    keys = {key_of(t) for t in targets}
    found = {
        (o.span.start, o.span.end): Reference(o.span, o.definition)
        for o in names.all(*(t.name for t in targets))
        if not keys.isdisjoint(map(key_of, o.targets))
    }
    return [found[key] for key in sorted(found)]


def highlighted(document: Document, offset: int) -> list[Reference]:
    """As `references`, in this document alone."""
    names = document.once(Names)
    return _among(names, {t for o in names.at(offset) for t in o.targets})


def key_of(target: Target) -> tuple[object, ...]:
    """What tells a definition from all others, in whatever reading of its text."""
    if isinstance(target, Outer):
        return target.kind, target.name
    at = target.home.offset + target.start
    span = target.home.text.span(at, at + len(target.name))
    return os.path.abspath(span.source.path), span.start, target.name


def same_text(one: NetworkText | None, other: NetworkText | None) -> bool:
    """Whether two network descriptions are one, perhaps in different readings of a file."""
    if one is None or other is None:
        return False
    spans = one.span, other.span
    return spans[0].start == spans[1].start and (
        os.path.abspath(spans[0].source.path) == os.path.abspath(spans[1].source.path)
    )


class Names:
    """All names of a document. What stands in other configs is looked up when a name needs it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._bindings: dict[int, Bindings] = {}
        self._words: dict[int, list[tuple[Expr, str, Span]]] = {}
        self._of_model: dict[str, NetworkText | None] = {}
        self._others: dict[int, NetworkText] = {}
        self._neighbours: dict[int, Names] = {}

    def neighbours(self, *parts: str) -> Iterator[Names]:
        """The names of the other configs of the folder that have one of `parts` somewhere in their texts."""
        project = self.document.project
        if project is None:
            return
        lower = [p.lower() for p in parts]
        for other in project.neighbours(parts[0] if len(parts) == 1 else ""):
            if any(p in source.text.lower() for source in other.files.read.values() for p in lower):
                known = self._neighbours.get(id(other))
                if known is None:
                    known = self._neighbours[id(other)] = names_of(other)
                yield known

    @cached_property
    def _read(self) -> tuple[list[Command], list[Unread]]:
        project = self.document.project
        return ([], []) if project is None or self.document.kind != "config" else _commands_of(project)

    @property
    def commands(self) -> list[Command]:
        """All commands, also those that are not in `command = ...`: one can run them from the command line."""
        return self._read[0]

    @cached_property
    def unread(self) -> list[Unread]:
        """What cannot be read of this config, and may have names of nodes or streams in it."""
        if self.document.kind != "config":
            return []
        if self.document.project is None:
            text = ExpandedText.of(self.document.source)
            text = text.with_text(blank_comments(text.text))
            problem = BsError("syntax", "the config cannot be read", self.document.source.span(0, 0))
            return [Unread(text, problem)]
        found = list(self._read[1])
        for command in self.commands:
            for _ in self._values(command, found):
                pass
            _streams_of(command, found)
        return list({(u.text.span(), u.text.text): u for u in found}.values())

    def at(self, offset: int) -> list[Occurrence]:
        """What is named at an offset; for a name of several parts the part there."""
        found = [o for o in self.words_at(offset) if o.span.start <= offset <= o.span.end]
        return found or self.words_at(offset)

    def words_at(self, offset: int) -> list[Occurrence]:
        """What the word at an offset names, all of its parts."""
        source = self.document.source
        found = self._all(lambda s, _: s.source is source and s.start <= offset <= s.end)
        return [o for o in found if o.plain and o.word.start <= offset <= o.word.end]

    def all(self, *parts: str) -> Iterator[Occurrence]:
        """All names written in this document whose word has one of `parts` in it."""
        return (o for o in self.everywhere(*parts) if o.plain and o.span.source is self.document.source)

    def everywhere(self, *parts: str) -> Iterator[Occurrence]:
        """As `all`, and names in the settings of this config that stand in other files or come out of a `$x$`."""
        lower = [p.lower() for p in parts]
        return self._all(lambda _, word: any(p in word.lower() for p in lower))

    def bindings(self, network: NetworkText) -> Bindings:
        known = self._bindings.get(id(network))
        if known is None:
            known = self._bindings[id(network)] = Bindings(network)
        return known

    def _all(self, wanted: Wanted) -> Iterator[Occurrence]:
        for network in self.document.networks:
            yield from self._in_text(network, wanted)
        if self.document.kind == "config":
            yield from self._commands(wanted)
            yield from self._variables(wanted)
            yield from self._nodes(wanted)
            yield from self._streams(wanted)

    def of_model(self, path: str, name: Span) -> list[Occurrence]:
        """What the parts of the name of a node mean, which stands at a place outside of this document."""
        return list(self._parts(self.network_of_model(path), name.text, ".", name, "node"))

    # --- in network descriptions -------------------------------------------------------------------------------------

    def _in_text(self, network: NetworkText, wanted: Wanted) -> Iterator[Occurrence]:
        bindings = self.bindings(network)
        words = self._words.get(id(network))
        if words is None:
            words = self._words[id(network)] = list(_words_of(bindings))
        for expr, word, span in words:
            if wanted(span, word):
                for occurrence in self._meaning(bindings, expr, word, span):
                    occurrence.plain = span.text == word
                    yield occurrence

    def _meaning(self, bindings: Bindings, expr: Expr, word: str, span: Span) -> Iterator[Occurrence]:
        network = bindings.network
        match expr:
            case tree.Member() | tree.Parameter():
                yield Occurrence(span, (expr,), "name", span, network, definition=True)
            case tree.Name():
                target = bindings.target(expr)
                yield Occurrence(span, () if target is None else (target,), "name", span, network)
            case tree.Access():
                yield from self._access(bindings, expr, span)
            case tree.Call():
                found = bindings.named_argument(expr, word)
                yield Occurrence(span, found.targets, "argument", span, network, certain=found.certain)

    def _access(self, bindings: Bindings, access: tree.Access, span: Span) -> Iterator[Occurrence]:
        models = bindings.models(access)
        for model in models:
            written, separator = access.id, "_"
            loaded = value_of(access.object, bindings.view(access.object))
            node = find_by_access(loaded.loaded, access.id) if isinstance(loaded, NetworkValue) else None
            if node is not None and len(node.name) == len(written):
                written, separator = node.name, "."
            yield from self._parts(self.network_of_model(model.path), written, separator, span, "model")
        found = bindings.accessed(access)
        if found.targets or not models:
            yield Occurrence(span, found.targets, "access", span, bindings.network, certain=found.certain)

    def _parts(
        self, network: NetworkText | None, name: str, separator: str, span: Span, role: Role, steps: int = 0
    ) -> Iterator[Occurrence]:
        """What the parts of a node's name mean that is written at `span`."""
        if network is None:
            yield Occurrence(span, (), role, span, certain=False)
            return
        bindings = self.bindings(network)
        parts = bindings.along(name, separator)
        if not parts and steps < _MAX_MODELS:  # a node of a model that is used in this one keeps its name
            for model in bindings.loaded():
                further = self.network_of_model(model.path)
                if further is not None and further is not network and self.bindings(further).along(name, separator):
                    yield from self._parts(further, name, separator, span, role, steps + 1)
                    return
        end = 0
        for start, end, target in parts:
            part = span.source.span(span.start + start, span.start + end)
            yield Occurrence(part, (target,), role, span if role == "model" else part, network)
        if end < len(name):  # what the text does not tell, as the names that layers give to their nodes
            rest = span.source.span(span.start + end, span.end)
            yield Occurrence(rest, (), role, span if role == "model" else rest, network, certain=False)

    # --- in the config -----------------------------------------------------------------------------------------------

    def _commands(self, wanted: Wanted) -> Iterator[Occurrence]:
        used: set[str] = set()
        for item in self.document.tree.items:
            for value in _array(item) if item.name.lower() == "command" else ():
                used.add(value.text.lower())
                span = bare(value)
                if span is not None and wanted(span, value.text):
                    yield Occurrence(span, (Outer("section", value.text.lower()),), "outer", span)
        for item in self.document.tree.items:
            runs = item.block is not None and (item.name.lower() in used or item.block.find("action") is not None)
            if runs and wanted(item.key, item.name):
                yield Occurrence(item.key, (Outer("section", item.name.lower()),), "outer", item.key, definition=True)

    def _variables(self, wanted: Wanted) -> Iterator[Occurrence]:
        source = self.document.source
        used: set[str] = set()
        for m in VARIABLE.finditer(blank_comments(source.text)):
            used.add(m.group(1).lower())
            word, span = source.span(m.start(), m.end()), source.span(m.start(1), m.end(1))
            if wanted(word, m.group(1)):
                yield Occurrence(span, (Outer("variable", m.group(1).lower()),), "outer", word)
        for item in self.document.tree.items:
            if item.name.lower() in used and wanted(item.key, item.name):
                yield Occurrence(item.key, (Outer("variable", item.name.lower()),), "outer", item.key, definition=True)

    def _nodes(self, wanted: Wanted) -> Iterator[Occurrence]:
        """Names of nodes in the settings of commands."""
        for command in self.commands:
            for value in self._values(command):
                span = bare(value)
                if wanted(span or value.span, value.text):
                    network = self.network_of_command(command)
                    other = network is None and _is_foreign(command)
                    for part in self._parts(network, value.text, ".", span or value.span, "node"):
                        if span is None:  # where each part stands is not known
                            part.plain, part.span, part.word = False, value.span, value.span
                        part.certain = part.certain or other
                        yield part

    def _values(self, command: Command, unread: list[Unread] | None = None) -> Iterator[Value]:
        """The names of nodes that are given to a command. What cannot be read is put into `unread`."""
        unread = [] if unread is None else unread
        blocks = [command.section]
        for key in SGD_KEYS if command.kind.trains else ():
            block = _block(command.section, key, unread)
            if block is not None:
                blocks.append(block)
                break
        for section in blocks:
            for key in _node_keys():
                try:
                    yield from section.get_array(key) or []
                except BsError as error:
                    unread += _as_written(section, key, error)

    def _streams(self, wanted: Wanted) -> Iterator[Occurrence]:
        """Names of streams, which are those of the network's inputs."""
        for command in self.commands:
            for stream in _streams_of(command, []):
                span = self._in_variable(stream) or stream.key_span
                if wanted(span, stream.key):
                    network = self.network_of_command(command)
                    members = network.members if network is not None else None
                    known = members is not None and stream.key in members.names
                    targets = (members.member(stream.key),) if members is not None and known else ()
                    certain = known or (network is None and _is_foreign(command))
                    plain = span.text == stream.key
                    yield Occurrence(span, targets, "stream", span, network, certain=certain, plain=plain)

    def _in_variable(self, stream: Value) -> Span | None:
        """Where a stream's name stands that comes out of a `$x$` (`input = $inputs$`)."""
        name = VARIABLE.fullmatch(stream.key_span.text)
        item = self.document.tree.find(name.group(1)) if name is not None else None
        found = [i.key for i in item.block.walk() if i.name == stream.key] if item is not None and item.block else []
        return found[0] if len(found) == 1 else None

    # --- networks of commands and models -----------------------------------------------------------------------------

    def network_of_command(self, command: Command) -> NetworkText | None:
        """The description of the network that a command works on, perhaps of a model that another one writes."""
        if command.kind.network in ("build", "either", "edit"):
            found = self._text(self.document.project, command)
            if found is not None or command.kind.network != "either":
                return found
        try:
            path = command.model_path
        except BsError:
            return None
        return self.network_of_model(path.text) if path is not None else None

    def network_of_model(self, path: str) -> NetworkText | None:
        """The description out of which a model file is made, in this or another config."""
        if path not in self._of_model:
            found = writer_of(self.document, path)
            self._of_model[path] = found and self._text(*found)
        return self._of_model[path]

    def _text(self, project: Project | None, command: Command) -> NetworkText | None:
        try:
            members = project.members(command) if project is not None else None
        except BsError:
            return None
        if members is None:
            return None
        text = self._others.setdefault(id(members), NetworkText(members))
        return next((n for n in self.document.networks if n.members is members or same_text(n, text)), text)


def names_of(project: Project) -> Names:
    """The names of a config that is no open document."""
    return Names(_document_of(project))


def bindings_at(document: Document, place: Place) -> Bindings:
    """The names as a place sees them: its member may be one that was completed so that it parses."""
    bindings = document.once(Names).bindings(place.network)
    member = place.chain[0][0]
    return bindings if bindings.has(member) or not isinstance(member, tree.Member) else bindings.replacing(member)


def writer_of(document: Document, path: str) -> tuple[Project, Command] | None:
    """The command that writes a model, and the config that it is of. There may be `$x$` in the path."""
    project = document.project
    if project is None or not path:
        return None
    try:
        text = ExpandedText.standing_for(path, document.source.span(0, 0))
        return project.writer(project.config.expand(text).text)
    except BsError:
        return None


def bare(value: Value) -> Span | None:
    """Where a value stands without its quotes; None where something else is written there (`$x$`)."""
    span = value.span
    if span.text.startswith('"') and len(span.text) > 1:
        span = span.source.span(span.start + 1, span.end - 1)
    return span if span.text == value.text and span.start < span.end else None


def _array(item: RawItem) -> list[Value]:
    try:
        return Value(item.name, item.text, item.key).array()
    except BsError:  # too long
        return []


def _streams_of(command: Command, unread: list[Unread]) -> list[Value]:
    """The streams of a command's readers. What cannot be read is put into `unread`."""
    found: list[Value] = []
    for key in command.reader_keys:
        reader = _block(command.section, key, unread)
        if reader is None:
            continue
        blocks = [reader]
        try:
            blocks += reader.sections_of("deserializers")
        except BsError as error:
            unread += _as_written(reader, "deserializers", error)
        for block in blocks:
            try:
                found += block.own_section("input") or []
            except BsError as error:
                unread += _as_written(block, "input", error)
    return found


def _block(section: Section, key: str, unread: list[Unread]) -> Section | None:
    try:
        return section.section(key)
    except BsError as error:
        unread += _as_written(section, key, error)
        return None


def _as_written(section: Section, key: str, error: BsError) -> list[Unread]:
    """The value of a key that cannot be looked up."""
    holder = section.holder(key)
    return [Unread(v.raw, error) for v in holder or () if v.key.lower() == key.lower()]


def _commands_of(project: Project) -> tuple[list[Command], list[Unread]]:
    """The commands of a config that can be read, and what cannot."""
    config = project.config
    unread: list[Unread] = []
    try:
        listed = command_names(config)
    except BsError:
        listed = []
    names = {name.text.lower(): name for name in listed}
    for value in config:
        if value.key.lower() not in names and value.raw.text[:1] in ("[", "{"):
            try:
                section = config.own_section(value.key)
                runs = section is not None and section.own("action") is not None
            except BsError as error:
                unread.append(Unread(value.raw, error))
                continue
            if runs:
                name = ExpandedText.standing_for(value.key, value.key_span)
                names[value.key.lower()] = Value(value.key, name, value.key_span)
    found: list[Command] = []
    for name in names.values():
        try:
            found += commands_of(config, name)
        except BsError as error:
            unread += _as_written(config, name.text or "train", error)
    return found, unread


def _is_foreign(command: Command) -> bool:
    """Whether a command has no network, or one that is described in another language than BrainScript."""
    if command.kind.network == "none" or command.runs_script:
        return True
    try:
        value = command.builder() if command.kind.network in ("build", "either", "edit") else None
    except BsError:
        return False
    return value is not None and value.key.lower() not in BRAINSCRIPT


def _document_of(project: Project) -> Document:
    """Another config of the folder."""
    path = project.config_paths[0]
    source = project.files.source(path)
    for value in project.config:  # the texts of a config that was read earlier are other objects
        known = value.key_span.source
        if known.text == source.text and os.path.abspath(known.path) == os.path.abspath(source.path):
            source = known
            break
    return Document(source, project, _commands_of(project)[0])


@cache
def _node_keys() -> tuple[str, ...]:
    """All keys whose values are names of nodes."""
    found = {k.name: None for block in schema.blocks() for k in schema.keys(block).values() if "node" in k.type}
    return tuple(found)


def is_node_key(key: str) -> bool:
    """Whether the values of a setting are names of nodes."""
    return key.lower() in {name.lower() for name in _node_keys()}


def _words_of(bindings: Bindings) -> Iterator[tuple[Expr, str, Span]]:
    """All names that are written in a network description, and where."""
    for expr, _ in bindings.parts:
        for word, start in _words(expr):
            at = expr.home.offset + start
            yield expr, word, expr.home.text.span(at, at + len(word))


def _words(expr: Expr) -> list[tuple[str, int]]:
    """The names that an expression itself has, not its parts, and where in its member they begin."""
    match expr:
        case tree.Name() | tree.Access():
            return [(expr.id, expr.id_start)]
        case tree.Member() | tree.Parameter():
            return [(expr.name, expr.start)]
        case tree.Call():
            return [(a.name, a.start) for a in expr.arguments if a.name]
        case _:
            return []
