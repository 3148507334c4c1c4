"""Hovers in the outer config: keys, values, commands, node names, `$x$`."""

from __future__ import annotations

from bsls.config.commands import Command
from bsls.features.config_place import ConfigPlace, place_in_config, text_of, variable_at
from bsls.features.describe import code, command_text, key_text, node_text, paragraphs, value_meaning
from bsls.features.document import Document
from bsls.features.model_nodes import mention_at, mention_text, networks_at
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.schema import config as schema
from bsls.source import ExpandedText, Source, Span

STREAM_BLOCKS = ("reader:CNTKTextFormatReader.input", "reader:CNTKBinaryReader.input", "deserializers.input")
"""Blocks whose keys are names of the network's inputs."""


def hover_in_config(document: Document, offset: int) -> tuple[str, Span] | None:
    """What is known of the key or the element of a value at an offset."""
    place = place_in_config(document, offset)
    if place is None or place.item is None or not place.word.text:
        return None
    if (mention := mention_at(document, offset)) is not None:
        return mention_text(mention), mention.span
    markdown = _of_value(place) if place.in_value else _of_key(place)
    return (markdown, place.word) if markdown else None


def hover_of_variable(document: Document, offset: int) -> tuple[str, Span] | None:
    """The value of the `$x$` at an offset."""
    found = variable_at(document, offset)
    if found is None or document.config is None:
        return None
    name, span = found
    try:
        text = document.config.expand(ExpandedText.of(Source("", f"${name}$"))).text
    except BsError as error:
        defined = document.config.holder(name) is not None  # but its value is of no use
        return error.finding.message if defined else f"`${name}$` has no value in this config", span
    return code(f"{name} = {text}"), span


def _of_key(place: ConfigPlace) -> str:
    assert place.item is not None
    name = place.item.name
    for command in place.document.commands:
        if not place.chain and command.name.lower() == name.lower():
            return command_text(command, network_of(place.document, command))
    if place.kind in STREAM_BLOCKS:
        return _of_node(place, name, "fills the input of the network")
    key = place.key
    if key is not None:
        return paragraphs(key_text(key), _of_stream(place))
    return _of_block(place, name) or _of_own_key(place, name)


def _of_block(place: ConfigPlace, name: str) -> str:
    assert place.item is not None
    if place.item.block is None:
        return ""
    inside = place.item.block
    kind = schema.opens(place.kind, name, lambda key: text_of(inside, key)) if place.kind else None
    block = schema.block(kind) if kind else None
    return block.doc if block is not None else ""


def _of_own_key(place: ConfigPlace, name: str) -> str:
    """The value of a key at the top that only serves as `$name$`."""
    config = place.document.config
    if place.chain or config is None:
        return ""
    try:
        value = config.own(name)
    except BsError:  # a `$x$` in it has no value
        return ""
    return code(f"{name} = {value.text}") if value is not None and "\n" not in value.text else ""


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
    meaning = value_meaning(place.kind, key.name, word)
    if not meaning and (_stream(place) or (key.values and key.allows(word))):
        meaning = paragraphs(key.doc, _of_stream(place))
    return paragraphs(code(f"{key.name} = {word}"), meaning) if meaning else ""


def _stream(place: ConfigPlace) -> str:
    """The name of the stream whose settings stand at the place; empty where that is something else."""
    return place.chain[-1].name if len(place.kinds) > 1 and place.kinds[-2] in STREAM_BLOCKS else ""


def _of_stream(place: ConfigPlace) -> str:
    name = _stream(place)
    return _of_node(place, name, f"stream `{name}`, which fills the input of the network") if name else ""


def _of_node(place: ConfigPlace, name: str, note: str = "") -> str:
    for _, network in networks_at(place):
        node = network.find(name)
        if node is not None:
            return paragraphs(note, node_text(node, network))
    return ""


def network_of(document: Document, command: Command) -> Network | None:
    """The network of a command in the last finished evaluation."""
    evaluation = document.evaluations.get((command.name, command.action))
    return evaluation.network if evaluation is not None else None
