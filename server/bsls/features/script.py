"""A place in a script of the model editing language: the call around it, the models that there are, the nodes it names.

Nothing is evaluated here: the models are those of the last finished run of the script.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bsls.evaluate.mel import ScriptModel
from bsls.evaluate.mel_names import parts
from bsls.features.document import Document
from bsls.network.editing import matching
from bsls.network.node import Node
from bsls.schema import mel as schema
from bsls.source import Span
from bsls.syntax.outer import blank_comments

_CALL = re.compile(r"([A-Za-z]\w*)[ \t]*\(([^()\n]*)$")
_ARGUMENT_BEFORE = re.compile(r"[^\s,()=;\"]*$")
_ARGUMENT_AFTER = re.compile(r"[^\s,()=;\"]*")
_NODES = ("node", "from", "to", "root", "input", "old")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument at a place: `span` is what is written, `command` and `index` where in which command."""

    span: Span
    command: schema.Command | None
    index: int

    @property
    def parameter(self) -> str:
        """The parameter of the command, without marks and numbers: `input` for `input2?`; empty beyond the last."""
        if self.command is None:
            return ""
        parameters = [p.rstrip("?0123456789") for p in self.command.parameters]
        if parameters[-1:] == ["..."]:
            parameters[-1:] = [parameters[-2]] * max(self.index + 2 - len(parameters), 1)
        return parameters[self.index] if self.index < len(parameters) else ""

    @property
    def names_nodes(self) -> bool:
        return self.parameter in _NODES


@dataclass(frozen=True, slots=True)
class NamedNodes:
    """What an argument names: nodes of a model; `pattern` is what is written behind the name of the model."""

    model: ScriptModel
    nodes: list[Node]
    pattern: Span


def argument_at(document: Document, offset: int) -> Argument:
    """The argument around an offset, which may be empty, or a word that is none."""
    source = document.source
    line = source.position(offset).line
    start = source.line_starts[line]
    before = blank_comments(source.line(line))[: offset - start]
    typed, rest = _ARGUMENT_BEFORE.search(before), _ARGUMENT_AFTER.match(source.text, offset)
    assert typed is not None and rest is not None
    call = _CALL.search(before)
    command = schema.find(call.group(1)) if call is not None else None
    index = call.group(2).count(",") if call is not None else 0
    return Argument(source.span(start + typed.start(), rest.end()), command, index)


def models_at(document: Document, offset: int) -> list[ScriptModel]:
    """The models that there are before the statement around an offset."""
    return document.script.models(document.source.text, offset) if document.script is not None else []


def named_nodes(document: Document, argument: Argument) -> NamedNodes | None:
    """The nodes that an argument names, perhaps none of a model; None where it names no model's nodes."""
    if not argument.names_nodes or not argument.span.text:
        return None
    models = {m.name.lower(): m for m in models_at(document, argument.span.start)}
    prefix, pattern = parts(argument.span.text, models)
    model = models[prefix] if prefix is not None else next((m for m in models.values() if m.default), None)
    if model is None:
        return None
    end = argument.span.end
    start = max(end - len(pattern), argument.span.start) if argument.span.text.endswith(pattern) else end
    return NamedNodes(model, matching(model.network, pattern), argument.span.source.span(start, end))
