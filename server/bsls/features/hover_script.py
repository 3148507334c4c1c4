"""Hovers in scripts of the model editing language: nodes, models, commands."""

from __future__ import annotations

from bsls.features.describe import code, paragraphs
from bsls.features.document import Document
from bsls.features.model_nodes import mention_at, mention_text
from bsls.features.script import argument_at, models_at
from bsls.schema import mel as schema
from bsls.source import Span


def hover_in_script(document: Document, offset: int) -> tuple[str, Span] | None:
    """What is known of the word at an offset."""
    argument = argument_at(document, offset)
    word = argument.span.text
    if not word:
        return None
    if argument.command is None:
        command = schema.find(word)
        return (code(command.usage), argument.span) if command is not None else None
    for model in models_at(document, offset):
        if word.lower() == model.name.lower():
            return paragraphs(f"model `{model.name}`, {len(model.network)} nodes", model.path), argument.span
    mention = mention_at(document, offset)
    return (mention_text(mention), argument.span) if mention is not None else None
