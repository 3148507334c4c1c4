"""Completion in the outer config: keys that the block may hold, values, commands, node names, streams of a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bsls.config.commands import ACTIONS, BUILDERS
from bsls.features.completion_item import Completion
from bsls.features.completion_nodes import node_items
from bsls.features.completion_path import model_paths, paths
from bsls.features.config_place import ConfigPlace, place_in_config, unquoted
from bsls.features.describe import default_text, key_detail, key_text, node_detail, node_text, value_meaning
from bsls.features.document import Document
from bsls.features.hover_config import STREAM_BLOCKS
from bsls.features.model_nodes import REGEX_KEY, networks_at
from bsls.network.node import Node
from bsls.schema import config as schema
from bsls.schema.config import Key

_BUILDERS = {name.lower() for name in BUILDERS}
_ASSIGNED = re.compile(r"[ \t]*=")
_MODELS = ("modelPath", "origModelFileName")
"""Keys of models that are loaded, or may be."""


def complete_in_config(document: Document, offset: int) -> list[Completion]:
    """What fits at an offset outside of network descriptions."""
    place = place_in_config(document, offset)
    if place is None:
        return []
    return list(_values(place) if place.in_value else _keys(place))


# --- keys ------------------------------------------------------------------------------------------------------------


def _keys(place: ConfigPlace) -> Iterator[Completion]:
    if place.kind in STREAM_BLOCKS:
        yield from _streams(place)
        return
    taken = {item.name.lower() for item in place.block.items if item is not place.item}
    if taken & _BUILDERS:  # one description of the network is enough
        taken |= _BUILDERS
    kind = place.text("type") or ""
    for key in schema.keys(place.kind).values() if place.kind else ():
        if _is_offered(key, taken) and (not key.only_for or not kind or kind in key.only_for):
            yield _key(key, place, "0" if key.required else "1")
            taken.add(key.name.lower())
    if place.kind != "top":
        return
    for kind in ("train", "test", "write"):  # they may stand here for all commands
        for key in schema.keys(kind).values():
            if _is_offered(key, taken) and (key.name == "modelPath" or key.type == "block") and not key.local:
                yield _key(key, place, "2")
                taken.add(key.name.lower())


def _is_offered(key: Key, taken: set[str]) -> bool:
    names = {key.name.lower(), *(alias.lower() for alias in key.aliases)}
    return not (names & taken or key.deprecated or key.ignored or key.replaced_by)


def _key(key: Key, place: ConfigPlace, sort: str) -> Completion:
    after = place.document.source.text[place.word.end : place.word.end + 100]
    insert, snippet, kind = f"{key.name} = ", False, "key"
    if _ASSIGNED.match(after):
        insert = key.name
    elif key.type == "block":
        insert, snippet, kind = f"{key.name} = {{\n\t$0\n}}", True, "block"
    elif key.type == "array<block>":
        insert, snippet, kind = f"{key.name} = (\n\t{{\n\t\t$0\n\t}}\n)", True, "block"
    return Completion(
        key.name, kind, insert, place.word, key_detail(key), key_text(key), snippet, f"{sort}{key.name.lower()}"
    )


def _streams(place: ConfigPlace) -> Iterator[Completion]:
    """The inputs of the networks that are read into from here."""
    taken = {item.name for item in place.block.items if item is not place.item}
    inner = schema.keys(f"{place.kind}.<name>") or schema.keys(f"{place.kind}.<stream>")
    for node in _nodes(place):
        if not node.is_input or node.name in taken:
            continue
        taken.add(node.name)
        insert, snippet = f"{node.name} = {{\n\t$0\n}}", True
        if "dim" in inner and node.shape is not None:
            form = "sparse" if node.op == "SparseInputValue" else "dense"
            insert, snippet = f'{node.name} = {{ dim = {node.shape.elements} ; format = "{form}" }}', False
        yield Completion(node.name, "stream", insert, place.word, node_detail(node), node_text(node), snippet)


# --- values ----------------------------------------------------------------------------------------------------------


def _values(place: ConfigPlace) -> Iterator[Completion]:
    key = place.key
    if key is None or place.item is None:
        return
    if key.name == "command" and not place.chain:
        yield from _sections(place)
    elif key.name == "action":
        for name, action in ACTIONS.items():
            doc = value_meaning(place.kind, "action", name)
            yield _value(place, name, doc, "0" if action.supported else "1")
    elif "node" in key.type:
        yield from _node_names(place)
    elif key.name == REGEX_KEY:
        yield from _patterns(place)
    else:
        default = default_text(key)
        for value in key.values:
            doc = value_meaning(place.kind, key.name, value)
            yield _value(place, value, doc, "0", detail="default" if value == default else "")
        if "bool" in key.type:
            for value in ("true", "false"):
                yield _value(place, value, "", "0", quote=False, detail="default" if value == default else "")
        if key.type == "path":
            yield from _paths(place, key)


def _paths(place: ConfigPlace, key: Key) -> Iterator[Completion]:
    assert place.item is not None
    at, document = place.path, place.document
    quote = at.start == at.end and not place.in_quotes
    if key.name in _MODELS:
        yield from model_paths(document, at, place.offset, quote=quote, written=place.item.value)
    else:
        yield from paths(document, at, place.offset, quote=quote)


def _value(place: ConfigPlace, value: str, doc: str, sort: str, *, quote: bool = True, detail: str = "") -> Completion:
    assert place.item is not None
    bare = place.in_quotes or ":" in place.item.value.text or not quote
    return Completion(value, "value", value if bare else f'"{value}"', place.word, detail, doc, sort=sort)


def _sections(place: ConfigPlace) -> Iterator[Completion]:
    assert place.item is not None
    before = place.item.value.source.text[place.item.value.start : place.word.start]
    after = place.item.value.source.text[place.word.end : place.item.value.end]
    taken = {word.strip().lower() for word in re.split(r"[:\"()]", f"{before}:{after}")}
    shared = place.block.find("action") is not None
    for item in place.block.items:
        action = item.block.find("action") if item.block is not None else None
        if item.block is None or item.name.lower() in taken or not (shared or action is not None):
            continue
        detail = unquoted(action.value.text) if action is not None else ""
        yield Completion(item.name, "command", item.name, place.word, detail)


def _node_names(place: ConfigPlace) -> Iterator[Completion]:
    seen: set[str] = set()
    for _, network in networks_at(place):
        yield from (item for item in node_items(network, place.word) if item.label not in seen)
        seen.update(node.name for node in network)


def _patterns(place: ConfigPlace) -> Iterator[Completion]:
    """Names of nodes as they are written in a regular expression."""
    for _, network in networks_at(place):
        for item in node_items(network, place.path):
            item.insert = re.escape(item.label)
            yield item
        return


def _nodes(place: ConfigPlace) -> list[Node]:
    """The nodes of the networks of the commands that read this block; of one name, the first."""
    found: dict[str, Node] = {}
    for _, network in networks_at(place):
        for node in network:
            found.setdefault(node.name, node)
    return list(found.values())
