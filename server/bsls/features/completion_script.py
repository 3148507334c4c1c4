"""Completion in scripts of the model editing language: commands, models, names of nodes, properties, files."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.features.completion_item import Completion
from bsls.features.completion_nodes import node_items
from bsls.features.completion_path import paths
from bsls.features.document import Document, text_before
from bsls.features.script import Argument, argument_at, models_at
from bsls.project.project import is_model_name
from bsls.schema import mel as schema
from bsls.source import Span


def complete_in_script(document: Document, offset: int) -> list[Completion]:
    """What fits at an offset of a script."""
    argument = argument_at(document, offset)
    if argument.command is None:
        before = text_before(document.source, offset)
        between = "(" in before and ")" not in before[before.rindex("(") :]
        return [] if between else list(_commands(document, argument.span))
    if argument.names_nodes:
        return list(_nodes(document, argument, offset))
    if argument.parameter in ("model", "toModel"):
        return [Completion(m.name, "module", m.name, argument.span, m.path) for m in models_at(document, offset)]
    return list(_others(document, argument, offset))


def _commands(document: Document, replace: Span) -> Iterator[Completion]:
    called = document.source.text[replace.end : replace.end + 2].lstrip(" ")[:1] == "("
    for command in schema.COMMANDS:
        if command.name.endswith("WithName"):  # as `m = LoadModel (...)`
            continue
        insert = command.name if called else f"{command.name} ($0)"
        yield Completion(command.name, "function", insert, replace, command.usage, snippet=not called)


def _nodes(document: Document, argument: Argument, offset: int) -> Iterator[Completion]:
    """Nodes of the model whose name stands there, for the part behind it; else models and nodes of the default model."""
    replace = argument.span
    models = models_at(document, offset)
    name, dot, _ = replace.text.partition(".")
    named = next((m for m in models if dot and m.name.lower() == name.lower()), None)
    if named is not None and offset > replace.start + len(name):
        yield from node_items(named.network, replace.source.span(replace.start + len(name) + 1, replace.end))
        return
    for model in models:
        count = f"{len(model.network)} nodes"
        yield Completion(f"{model.name}.", "module", f"{model.name}.", replace, count, sort="/" + model.name.lower())
        if model.default:
            yield from node_items(model.network, replace)


def _others(document: Document, argument: Argument, offset: int) -> Iterator[Completion]:
    replace, command = argument.span, argument.command
    assert command is not None
    if argument.parameter == "property":
        known = schema.SUBTREE_PROPERTIES if command.name == "SetPropertyForSubTree" else schema.PROPERTIES
        yield from (Completion(name, "value", name, replace) for name in known)
    elif argument.parameter == "file":
        wanted = is_model_name if "Model" in command.name else None
        files = document.script.files if document.script is not None else None
        yield from paths(document, replace, offset, wanted=wanted, files=files)
    elif not argument.parameter and command.option is not None:
        option = command.option
        for value in option.values or ("",):
            yield Completion(f"{option.name}={value}", "parameter", f"{option.name}={value}", replace)
