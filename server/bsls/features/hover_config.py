"""Hovers in the outer config: keys, values, commands, node names, `$x$`."""

from __future__ import annotations

from bsls.config.commands import Command
from bsls.features.config_place import ConfigPlace, commands_at, place_in_config, variable_at
from bsls.features.describe import code, command_text, key_text, node_text, paragraphs, value_meaning
from bsls.features.document import Document
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.schema import config as schema
from bsls.source import Span

STREAM_BLOCKS = ("reader:CNTKTextFormatReader.input", "reader:CNTKBinaryReader.input", "deserializers.input")
"""Blocks whose keys are names of the network's inputs."""


def hover_in_config(document: Document, offset: int) -> tuple[str, Span] | None:
    """What is known of the key or the element of a value at an offset."""
    place = place_in_config(document, offset)
    if place is None or place.item is None or not place.word.text:
        return None
    markdown = _of_value(place) if place.in_value else _of_key(place)
    return (markdown, place.word) if markdown else None


def hover_of_variable(document: Document, offset: int) -> tuple[str, Span] | None:
    """The value of the `$x$` at an offset."""
    found = variable_at(document, offset)
    place = place_in_config(document, offset) if found is not None else None
    if found is None:
        return None
    name, span = found
    text = _variable(document, offset, place, name)
    if text is None:
        return f"`${name}$` has no value in this config", span
    return code(f"{name} = {text}"), span


def _variable(document: Document, offset: int, place: ConfigPlace | None, name: str) -> str | None:
    """What `$name$` stands for, seen from a place (None inside a network description)."""
    network = document.network_at(offset)
    section = place.section() if place is not None else None
    if place is None and network is not None and network.commands:
        section = network.commands[0].section
    if section is None and document.project is not None:
        section = document.project.config
    try:
        value = section.lookup(name) if section is not None else None
    except BsError:  # it is defined by what has no value
        value = None
    if value is not None:
        return value.text
    item = document.tree.find(name)
    return item.value.text.strip('"') if item is not None else None


def _of_key(place: ConfigPlace) -> str:
    assert place.item is not None
    name = place.item.name
    for command in place.document.commands:
        if not place.chain and command.name.lower() == name.lower():
            return command_text(command, network_of(place.document, command))
    if place.kind in STREAM_BLOCKS:
        return _of_node(place, name, "fills the input of the network")
    key = place.key
    return key_text(key) if key is not None else _of_block(place, name)


def _of_block(place: ConfigPlace, name: str) -> str:
    assert place.item is not None
    if place.item.block is None:
        return ""
    inside = place.item.block
    kind = schema.opens(place.kind, name, lambda key: _text(inside.find(key))) if place.kind else None
    block = schema.block(kind) if kind else None
    return block.doc if block is not None else ""


def _text(item: object) -> str | None:
    value = getattr(item, "value", None)
    return value.text.strip('"') if value is not None else None


def _of_value(place: ConfigPlace) -> str:
    assert place.item is not None
    key, word = place.key, place.word.text
    if key is None:
        return ""
    if key.name == "command":
        for command in place.document.commands:
            if command.name == word:
                return command_text(command, network_of(place.document, command))
        return ""
    if "node" in key.type:
        return _of_node(place, word)
    meaning = value_meaning(place.kind, key.name, word)
    return paragraphs(code(f"{key.name} = {word}"), meaning) if meaning else ""


def _of_node(place: ConfigPlace, name: str, note: str = "") -> str:
    for command in commands_at(place):
        network = network_of(place.document, command)
        node = network.find(name) if network is not None else None
        if node is not None:
            return paragraphs(note, node_text(node))
    return ""


def network_of(document: Document, command: Command) -> Network | None:
    """The network of a command in the last finished evaluation."""
    evaluation = document.evaluations.get((command.name, command.action))
    return evaluation.network if evaluation is not None else None
