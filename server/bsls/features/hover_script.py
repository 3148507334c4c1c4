"""Hovers in scripts of the model editing language: nodes, models, commands."""

from __future__ import annotations

from bsls.features.describe import code, node_text, paragraphs
from bsls.features.document import Document
from bsls.features.script import Script, argument_at
from bsls.schema import mel as schema
from bsls.source import Span

_SHOWN = 12
"""Nodes that are listed of those that a pattern means."""


def hover_in_script(document: Document, offset: int) -> tuple[str, Span] | None:
    """What is known of the word at an offset."""
    argument = argument_at(document, offset)
    word = argument.span.text
    if not word:
        return None
    if argument.command is None:
        command = schema.find(word)
        return (code(command.usage), argument.span) if command is not None else None
    script = document.once(Script)
    for model in script.models(offset):
        if word.lower() == model.name.lower():
            return paragraphs(f"model `{model.name}`, {len(model.network)} nodes", model.path), argument.span
    found = script.nodes(argument) if argument.names_nodes else None
    if found is None or not found[1]:
        return None
    model, nodes = found
    if "*" not in word:
        return paragraphs(f"node `{nodes[0].name}` of `{model.path or model.name}`", node_text(nodes[0])), argument.span
    more = "" if len(nodes) <= _SHOWN else f"\n... and {len(nodes) - _SHOWN} more"
    listed = "\n".join(node.prototype for node in nodes[:_SHOWN])
    return paragraphs(f"{len(nodes)} nodes of `{model.path or model.name}`", code(listed + more)), argument.span
