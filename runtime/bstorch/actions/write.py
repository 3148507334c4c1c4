"""`write`: the values of nodes over a data set as text files, one a node; with `nodeUnitTest` gradients as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TextIO

from torch import Tensor

from bsls.config.actions import writes_keys
from bsls.config.commands import Command
from bsls.config.criteria import output_nodes
from bsls.finding import BsError
from bsls.modelfile.atomic import make_folder
from bsls.network.gradients import gradient_name, leaves_with_gradient
from bsls.network.network import Network
from bsls.network.node import Node
from bstorch.actions.common import made_network, minibatch_size, reader_for, required_section, say_unknown, writing
from bstorch.context import RunContext
from bstorch.kernels.base import shape_of
from bstorch.program.layout import sequences
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch
from bstorch.text_output import TextOutput, Warner, read_format
from bstorch.threads import suit_threads
from bstorch.training.criteria import minibatch_columns
from bstorch.training.precompute import check_statistics

MINIBATCH_SIZE = 2048
STANDARD_OUTPUT = "-"


@dataclass(slots=True)
class _Written:
    """A file of values: of a node, or of the gradient at a leaf of the network."""

    node: Node
    name: str
    output: TextOutput
    file: TextIO
    is_gradient: bool


def run(command: Command, context: RunContext) -> None:
    """Writes the nodes of `outputNodeNames`, else the output nodes of the network."""
    section = command.section
    value = section.get("writer")
    if value is not None and value.text:
        raise BsError(
            "unsupported-setting", "writer is not available yet in this version", value.span,
            help="write text with outputPath",
        )  # fmt: skip
    keyed = writes_keys(section)
    where = section.require("outputPath")
    path = where.string()
    network = made_network(command, context, command.trace_level)
    nodes, unknown = output_nodes(network, section)
    say_unknown(unknown, context)
    check_statistics(network, nodes)
    inputs = [n for n in network.evaluation_order(nodes) if n.is_input]
    reader = reader_for(required_section(section, "reader"), inputs, context, randomize=False, whole_sequences=True)
    leaves: list[Node] = []
    if section.get_boolean("nodeUnitTest", False):
        leaves = leaves_with_gradient(network, nodes[0])
        program = _with_gradients(network, nodes, inputs, context)
    else:
        program = Program(network, nodes, Parameters(network, context.device), context.environment())
    form = read_format(section)
    size = minibatch_size(section, MINIBATCH_SIZE)
    suit_threads(network, size)
    warner = Warner(context.say)
    with writing(f"{path}.*", where.span), ExitStack() as stack:
        outputs: list[_Written] = []
        for node, name in [(n, n.name) for n in nodes] + [(n, gradient_name(n)) for n in leaves]:
            output = TextOutput(name, shape_of(node).dims, form, warner)
            outputs.append(_Written(node, name, output, _opened(path, name, stack), len(outputs) >= len(nodes)))
        _write_once([o for o in outputs if not o.is_gradient], form.prologue)
        samples = 0
        for number, minibatch in enumerate(reader.minibatches(0, section.get_integer("epochSize", 0) or None, size)):
            for written, value in zip(outputs, _values(program, minibatch), strict=True):
                keys = minibatch.keys if keyed and not written.is_gradient else []
                _write(written, value, number, keys, program, context)
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
    files = [_file_name(path, o.name) for o in outputs]
    context.events.emit("result", command=context.command, outputs=files, samples=samples)


def _with_gradients(network: Network, nodes: Sequence[Node], inputs: Sequence[Node], context: RunContext) -> Program:
    """A program that computes as in training."""
    environment = context.environment(training=True)
    return Program(network, nodes, Parameters(network, context.device), environment, nodes[0], inputs)


def _values(program: Program, minibatch: Minibatch) -> list[Tensor | None]:
    """The values of the nodes; gradients, if there are any, of the inputs and then of the parameters."""
    if program.criterion is None:
        return [*program.forward(minibatch)]
    values, gradients = program.gradients(minibatch)
    return [*values, *program.input_gradients, *gradients]


def _write(
    written: _Written,
    value: Tensor | None,
    number: int,
    keys: Sequence[str | int],
    program: Program,
    context: RunContext,
) -> None:
    if value is None:
        context.say(f"Warning: Gradient of node '{written.name}' is empty. Not used in backward pass?")
        return
    shape = shape_of(written.node)
    layout = program.environment.layouts.get(shape.axis) if shape.axis is not None else None
    value = value.to_dense() if value.is_sparse else value
    written.file.write(written.output.minibatch(number, sequences(shape, value, layout), keys))


def _file_name(path: str, name: str) -> str:
    return path if path == STANDARD_OUTPUT else f"{path}.{name}"


def _opened(path: str, node: str, stack: ExitStack) -> TextIO:
    if path == STANDARD_OUTPUT:
        return sys.stdout
    name = _file_name(path, node)
    make_folder(os.path.dirname(name))
    return stack.enter_context(open(name, "w", encoding="utf-8"))


def _write_once(outputs: Sequence[_Written], text: str) -> None:
    if text:
        for written in outputs:
            written.file.write(text)
