"""`edit`: makes a model out of others, by a network description or by a script of the model editing language."""

from __future__ import annotations

import os
from collections.abc import Sequence

from bsls.config.commands import Command
from bsls.evaluate.environment import Model
from bsls.modelfile import v1
from bsls.modelfile.atomic import make_folder
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.project.mel import snippet
from bsls.source import Span
from bsls.syntax import ndl
from bstorch.actions.common import made_network, writing
from bstorch.actions.dump_nodes import node_text
from bstorch.context import RunContext
from bstorch.initialisation import initial_values


def run(command: Command, context: RunContext) -> None:
    """Runs the script that `editPath` names, or builds the described network and saves it in `outputModelPath`."""
    if command.runs_script:
        context.project.edit(command, _Disk(context))
        return
    section = command.section
    output = section.require("outputModelPath")
    if section.get_boolean("makeMode", True) and os.path.exists(output.text):
        context.say(f"'{output.text}' exists, skipping. Specify makeMode=false to force executing the action.")
        return
    network = made_network(command, context, command.trace_level)
    write_model(network, output.text, output.span)
    context.say()
    context.say(f"Model with {len(network)} nodes saved as '{output.text}'.")


def write_model(network: Network, path: str, span: Span) -> None:
    """Writes a network whose parameters may be fresh: these get their initial values."""
    fresh = {n.name: initial_values(n) for n in network if n.is_parameter and n.value is None}
    with writing(path, span):
        make_folder(os.path.dirname(path))
        v1.write(network, path, fresh)


class _Disk:
    """Models of a script are files."""

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def load(self, path: str, span: Span) -> Model | None:
        return self.context.project.load_model(path, span)

    def save(self, path: str, network: Network, complete: bool, span: Span) -> None:
        write_model(network, path, span)

    def dump(self, path: str, nodes: Sequence[Node], values: bool, span: Span) -> None:
        with writing(path, span):
            make_folder(os.path.dirname(path))
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(node_text(node, values, True) for node in nodes)

    def snippet(self, path: str, section: str, span: Span) -> ndl.Script:
        return snippet(path, section, span, self.context.project.files)

    def say(self, line: str) -> None:
        self.context.say(line)
