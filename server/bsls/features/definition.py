"""From a use of a name to where it is defined: in this document, another config, or the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bsls.features.document import Document, NetworkText
from bsls.features.model_nodes import made_at, mention_at
from bsls.features.place import place_at, top_view, word_at
from bsls.features.references import Names, Occurrence, Outer, Target, names_of, writer_of
from bsls.features.script import argument_at
from bsls.finding import BsError
from bsls.library.index import definition as library_definition
from bsls.library.index import library
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.outer import blank_comments


@dataclass(frozen=True, slots=True)
class Location:
    """`span` is the name that is defined, `full` all of its definition."""

    span: Span
    full: Span | None = None


def definition(document: Document, offset: int) -> list[Location]:
    """Where the name at an offset is defined; several places where it may mean several things."""
    named = document.once(Names).words_at(offset) if document.kind != "script" else []
    targets = _meant([o for o in named if o.role == "model"]) or [t for o in named for t in o.targets]
    found = [place for target in dict.fromkeys(targets) for place in _places(document, target)]
    others = (_mentioned, _model, _unreadable)
    return found or [place for find in others for place in find(document, offset)]


def _mentioned(document: Document, offset: int) -> Iterator[Location]:
    """The variable that a node of a model is named after, else the expression that made it."""
    mention = mention_at(document, offset)
    if mention is None:
        return
    names = _names_of_models(document)
    parts = names.of_model(mention.path, mention.span) if names is not None and mention.path else []
    here = [o for o in parts if o.targets and o.span.start <= offset <= o.span.end]
    targets = {t for o in here or [o for o in parts if o.targets][-1:] for t in o.targets}
    found = [place for target in targets for place in _places(document, target)]
    project = document.script.project if document.script is not None else document.project
    origins = () if found else (made_at(project, mention.path, node) for node in mention.nodes)
    yield from found or [Location(span) for span in dict.fromkeys(origins) if span is not None]


def _names_of_models(document: Document) -> Names | None:
    """The names of the config from which the models of a document come."""
    if document.kind != "script":
        return document.once(Names)
    project = document.script.project if document.script is not None else None
    return names_of(project) if project is not None else None


def _meant(parts: list[Occurrence]) -> list[Target]:
    """The node of a loaded network: `y` of `L1_y`."""
    with_targets = [o for o in parts if o.targets]
    last = max((o.span.end for o in with_targets), default=0)
    return [t for o in with_targets if o.span.end == last for t in o.targets]


def _places(document: Document, target: Target) -> Iterator[Location]:
    if isinstance(target, tree.Member):
        yield Location(target.name_span, target.span)
    elif isinstance(target, tree.Parameter):
        at = target.home.offset + target.start
        yield Location(target.home.text.span(at, at + len(target.name)), target.span)
    else:
        items = [i for i in document.tree.items if i.name.lower() == target.name]
        for item in items if target.kind == "section" else items[-1:]:  # sections add up, of values the last counts
            yield Location(item.key, item.span)
        if not items:
            yield from _elsewhere(document, target)


def _elsewhere(document: Document, target: Outer) -> Iterator[Location]:
    """Where another file of the config, or the command line, defines a key."""
    try:
        value = document.project.config.own(target.name) if document.project is not None else None
    except BsError:
        return
    if value is not None:
        yield Location(value.key_span)


def _model(document: Document, offset: int) -> Iterator[Location]:
    """The section that writes the model whose path stands at an offset."""
    if document.kind == "script":
        argument = argument_at(document, offset)
        project = document.script.project if document.script is not None else None
        named = argument.span.text if argument.parameter == "file" and project is not None else ""
        writer = project.writer(named) if project is not None and named else None
    else:
        writer = writer_of(document, _path_at(document, offset))
    if writer is not None:
        yield Location(writer[1].section.span)


def _path_at(document: Document, offset: int) -> str:
    network = document.network_at(offset)
    if network is not None:
        place = place_at(network, document.source, offset)
        call = place.enclosing(tree.Call) if place is not None else None
        loads = isinstance(call, tree.Call) and isinstance(call.function, tree.Access) and call.function.id == "Load"
        return place.expr.value if place is not None and loads and isinstance(place.expr, tree.String) else ""
    around = document.tree.path_to(offset)
    item = around[-1] if around else None
    if item is None or not item.name.lower().endswith("modelpath") or offset < item.value.start:
        return ""
    return item.value.text.strip().strip('"')


def _unreadable(document: Document, offset: int) -> Iterator[Location]:
    """What a word means in a member that does not parse, if it is visible everywhere."""
    network = document.network_at(offset)
    word = word_at(document.source, offset)
    if network is None or word is None or not _in_broken(network, document, offset):
        return
    start = document.source.line_starts[word.start_position.line]
    line = blank_comments(document.source.text[start : word.end])
    before = line[: word.start - start].rstrip()
    if not line.endswith(word.text) or "//" in before or before.endswith("."):
        return
    target = top_view(network).level.find(word.text)
    if target is None and word.text in library():
        target = library_definition(word.text)
    if target is not None:
        yield from _places(document, target)


def _in_broken(network: NetworkText, document: Document, offset: int) -> bool:
    place = place_at(network, document.source, offset)
    return place is not None and any(isinstance(e, tree.Broken) for e, _ in place.chain)
