"""`write`: the values of nodes over a data set as text files, one a node."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TextIO

from bsls.config.commands import Command
from bsls.config.criteria import output_nodes
from bsls.finding import BsError
from bsls.modelfile.atomic import make_folder
from bsls.network.node import Node
from bstorch.actions.common import made_network, reader_for, required_section, say_unknown, writing
from bstorch.context import RunContext
from bstorch.kernels.base import shape_of
from bstorch.program.layout import sequences
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.text_output import TextOutput, Warner, read_format
from bstorch.threads import suit_threads
from bstorch.training.criteria import minibatch_columns
from bstorch.training.precompute import check_statistics

MINIBATCH_SIZE = 2048
STANDARD_OUTPUT = "-"


def run(command: Command, context: RunContext) -> None:
    """Writes the nodes of `outputNodeNames`, else the output nodes of the network."""
    section = command.section
    for key in ("writer", "nodeUnitTest"):
        value = section.get(key)
        if value is not None and value.text.lower() not in ("", "false", "0"):
            raise BsError(
                "unsupported-setting",
                f"{key} is not available yet in this version",
                value.span,
                help="write text with outputPath",
            )
    keys = section.get("writeSequenceKey")
    if keys is not None and keys.boolean() and required_section(section, "reader").own("deserializers") is None:
        raise BsError(
            "config-value", "writeSequenceKey needs a reader with deserializers", keys.span,
            help="remove it, or describe the data with deserializers = ([ ... ])",
        )  # fmt: skip
    where = section.require("outputPath")
    path = where.string()
    network = made_network(command, context, command.trace_level)
    nodes, unknown = output_nodes(network, section)
    say_unknown(unknown, context)
    check_statistics(network, nodes)
    inputs = [n for n in network.evaluation_order(nodes) if n.is_input]
    reader = reader_for(required_section(section, "reader"), inputs, context, randomize=False, whole_sequences=True)
    program = Program(network, nodes, Parameters(network, context.device), context.environment())
    form = read_format(section)
    sizes = section.get_array("minibatchSize")
    size = sizes[0].integer() if sizes else MINIBATCH_SIZE
    suit_threads(network, size)
    warner = Warner(context.say)
    with writing(f"{path}.*", where.span), ExitStack() as stack:
        outputs = [(n, TextOutput(n.name, shape_of(n).dims, form, warner), _opened(path, n, stack)) for n in nodes]
        _write_once(outputs, form.prologue)
        samples = 0
        for number, minibatch in enumerate(reader.minibatches(0, section.get_integer("epochSize", 0) or None, size)):
            values = program.forward(minibatch)
            for (node, output, file), value in zip(outputs, values, strict=True):
                axis = shape_of(node).axis
                layout = program.environment.layouts.get(axis) if axis is not None else None
                file.write(output.minibatch(number, sequences(shape_of(node), value, layout), minibatch.keys))
            columns = minibatch_columns(minibatch, [n.name for n in network.groups["feature"]])
            samples += columns
            context.say(f"Minibatch[{number}]: ActualMBSize = {columns}")
            if path == STANDARD_OUTPUT:
                sys.stdout.write("\n")
        _write_once(outputs, form.epilogue)
        if path == STANDARD_OUTPUT:
            sys.stdout.flush()
    context.say(f"Written to {path}*")
    context.say(f"Total Samples Evaluated = {samples}")
    context.events.emit(
        "result", command=context.command, outputs=[_file_name(path, n) for n in nodes], samples=samples
    )


def _file_name(path: str, node: Node) -> str:
    return path if path == STANDARD_OUTPUT else f"{path}.{node.name}"


def _opened(path: str, node: Node, stack: ExitStack) -> TextIO:
    if path == STANDARD_OUTPUT:
        return sys.stdout
    name = _file_name(path, node)
    make_folder(os.path.dirname(name))
    return stack.enter_context(open(name, "w", encoding="utf-8"))


def _write_once(outputs: list[tuple[Node, TextOutput, TextIO]], text: str) -> None:
    if text:
        for _, _, file in outputs:
            file.write(text)
