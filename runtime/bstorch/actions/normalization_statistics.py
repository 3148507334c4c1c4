"""`bnstat`: computes the statistics of a model's batch normalizations anew, as plain averages over many minibatches."""

from __future__ import annotations

import os

from bsls.config.actions import statistics_minibatches
from bsls.config.commands import Command
from bsls.config.criteria import test_nodes
from bsls.finding import BsError
from bsls.modelfile import v1
from bsls.modelfile.atomic import make_folder
from bsls.network.cloning import freeze
from bsls.network.node import Node
from bstorch.actions.common import (
    made_network,
    minibatch_size,
    model_path,
    reader_for,
    required_section,
    say_default_criteria,
    say_unknown,
    writing,
)
from bstorch.actions.evaluate import MINIBATCH_SIZE
from bstorch.context import RunContext
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.threads import suit_threads
from bstorch.training.precompute import check_statistics

RUN_COUNT = 5
"""Position of the number of samples seen among the inputs, if it is one."""


def run(command: Command, context: RunContext) -> None:
    """Saves the model with its new statistics as `newModelPath` (default: the model's name and `.PBN`).

    One after the other, from the data upwards, each normalization sees `itersPerNode` minibatches and is then frozen.
    """
    section = command.section
    path, named = model_path(command), section.get("newModelPath")
    output = named.text if named is not None and named.text else f"{path.text}.PBN"
    count = statistics_minibatches(section)
    network = made_network(command, context, command.trace_level)
    nodes, unknown = test_nodes(network, section)
    say_unknown(unknown, context)
    say_default_criteria(network, section, context)
    normalizing = [n for n in network.evaluation_order(nodes) if n.op == "BatchNormalization"]
    check_statistics(network, normalizing)
    below = [n for n in network.evaluation_order(normalizing) if n.is_input]
    features = [n for n in network.groups["feature"] if n.is_input]
    reader = reader_for(required_section(section, "reader"), list(dict.fromkeys([*features, *below])), context)
    parameters = Parameters(network, context.device)
    size = minibatch_size(section, MINIBATCH_SIZE)
    suit_threads(network, size)
    for node in normalizing:
        _forget(node, parameters)
    minibatches = reader.minibatches(0, len(normalizing) * size * count, size)
    for node in normalizing:
        context.say(f"Estimating Statistics --> {node.name}")
        program = Program(network, [node], parameters, context.environment(training=True))
        for _ in range(count):
            minibatch = next(minibatches, None)
            if minibatch is None:
                raise BsError(
                    "no-data", f"the data ended before '{node.name}' had seen {count} minibatches", section.span,
                    help="use a smaller itersPerNode",
                )  # fmt: skip
            program.forward(minibatch)
        freeze(node)
    with writing(output, path.span if named is None else named.span):
        make_folder(os.path.dirname(output))
        v1.write(network, output, parameters.arrays())


def _forget(node: Node, parameters: Parameters) -> None:
    """From now on the statistics are the averages over all that is seen."""
    node.attributes.update(normalizationTimeConstant=-1.0, blendTimeConstant=0.0, runCount=0)
    if len(node.inputs) > RUN_COUNT:
        parameters[node.inputs[RUN_COUNT]].zero_()
