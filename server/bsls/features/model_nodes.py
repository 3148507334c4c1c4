"""Which nodes of a model are named at a place: in settings, behind `net.`, in the texts of edit functions, in scripts.

Networks are those of the last finished evaluation: nothing is read or evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bsls.evaluate.values import NetworkValue
from bsls.features.config_place import ConfigPlace, commands_at, place_in_config
from bsls.features.describe import code, node_text, paragraphs
from bsls.features.document import Document, NetworkText
from bsls.features.place import Literal, literal_at, member_of, place_at, top_view, value_of
from bsls.features.script import argument_at, named_nodes
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.project.project import Project
from bsls.resolve.node_texts import BEFORE
from bsls.source import Span
from bsls.syntax import tree

REGEX_KEY = "nodeNameRegex"
_SHOWN = 12
"""Nodes that are listed of those that a pattern means."""


@dataclass(frozen=True, slots=True)
class Mention:
    """The nodes of a network that are named at `span`, in the order of their names; several, or none, for a pattern.

    `path` is that of the model, empty where there is none or it is not known. `text` is what is written of the name.
    """

    span: Span
    network: Network
    nodes: list[Node]
    path: str
    is_pattern: bool = False


def mention_at(document: Document, offset: int) -> Mention | None:
    """What is named at an offset; None where that is no node of a network that is known."""
    if document.kind == "script":
        argument = argument_at(document, offset)
        named = named_nodes(document, argument)
        if named is None or not named.nodes:
            return None
        path, is_pattern = named.model.path or named.model.name, "*" in named.pattern.text or not named.pattern.text
        return Mention(named.pattern, named.model.network, named.nodes, path, is_pattern)
    network = document.network_at(offset)
    at = network.members.text.offset_of(document.source, offset) if network is not None else None
    if network is not None and at is not None and (at > 0 or document.kind == "brainscript"):
        literal = literal_at(network, document.source, offset)
        return _in_text(network, literal) if literal is not None else _accessed(document, network, offset)
    place = place_in_config(document, offset) if document.kind == "config" else None
    return _in_setting(place) if place is not None else None


def _accessed(document: Document, network: NetworkText, offset: int) -> Mention | None:
    place = place_at(network, document.source, offset)
    if place is None or not isinstance(place.expr, tree.Access):
        return None
    base = value_of(place.expr.object, place.view)
    node = member_of(base, place.expr.id)
    if not isinstance(base, NetworkValue) or not isinstance(node, Node):
        return None
    return Mention(place.expr.id_span, base.loaded, [node], base.path)


def _in_text(network: NetworkText, literal: Literal) -> Mention | None:
    if not names_node(network, literal):
        return None
    source = network.span.source
    span = source.span(literal.start + 1, literal.end - 1)
    for path, loaded in loaded_models(network):
        node = loaded.find(span.text)
        if node is not None and node.name == span.text:
            return Mention(span, loaded, [node], path)
    return None


def names_node(network: NetworkText, literal: Literal) -> bool:
    """Whether a text is one that is compared with names of nodes."""
    text = network.span.source.text
    start = text.rfind("\n", 0, literal.start) + 1
    return literal.kind == "string" and BEFORE.search(text, start, literal.start) is not None


def loaded_models(network: NetworkText) -> Iterator[tuple[str, Network]]:
    """The models that a description loads: path, which may be unknown, and network."""
    seen: set[int] = set()
    view = top_view(network)
    for name, _, level in view.visible():
        value = level.value(name)
        if isinstance(value, NetworkValue) and value.path and id(value.network) not in seen:
            seen.add(id(value.network))
            yield value.path, value.loaded
    for model in network.evaluation.loaded if network.evaluation is not None else ():
        if id(model.network) not in seen:
            seen.add(id(model.network))
            yield "", model.network


def _in_setting(place: ConfigPlace) -> Mention | None:
    if place.item is None or not place.in_value or place.key is None or not place.word.text:
        return None
    is_pattern = place.key.name == REGEX_KEY
    if not is_pattern and "node" not in place.key.type:
        return None
    for path, network in networks_at(place):
        if is_pattern:
            span, nodes = place.path, _fitting(place.path.text, network)
        else:
            span, node = place.word, network.find(place.word.text)
            nodes = [node] if node is not None else []
        if nodes:
            return Mention(span, network, nodes, path, is_pattern)
    return None


def _fitting(pattern: str, network: Network) -> list[Node]:
    try:
        fits = re.compile(pattern).fullmatch
    except re.error:  # the check says it
        return []
    return [node for node in network.by_name() if fits(node.name)]


def networks_at(place: ConfigPlace) -> Iterator[tuple[str, Network]]:
    """The networks of the commands that read the block around a place, each with the path of its model."""
    for command in commands_at(place):
        evaluation = place.document.evaluations.get((command.name, command.action))
        if evaluation is not None and evaluation.network is not None:
            try:
                path = command.model_path
            except BsError:  # a `$x$` without value
                path = None
            yield path.text if path is not None else "", evaluation.network


def mention_text(mention: Mention) -> str:
    """What is named: one node with its place in the network, or a list."""
    of = f" of `{mention.path}`" if mention.path else ""
    if not mention.is_pattern:
        node = mention.nodes[0]
        return paragraphs(f"node `{node.name}`{of}" if of else "", node_text(node, mention.network))
    count = len(mention.nodes)
    more = "" if count <= _SHOWN else f"\n... and {count - _SHOWN} more"
    listed = "\n".join(node.prototype for node in mention.nodes[:_SHOWN])
    return paragraphs(f"{count} node{'' if count == 1 else 's'}{of}", code(listed + more))


def made_at(project: Project | None, path: str, node: Node) -> Span | None:
    """Where a config makes a node of the model `path`, if that is known; works out what a command will write there."""
    if node.origin is not None:
        return node.origin
    planned = project.planned(path) if project is not None and path else None
    made = planned.network.find(node.name) if planned is not None and planned.network is not None else None
    return made.origin if made is not None else None
