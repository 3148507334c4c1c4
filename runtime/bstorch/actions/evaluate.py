"""`test` (or `eval`): the criteria of a model over a data set."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.config.commands import Command
from bsls.config.criteria import test_nodes
from bsls.config.sgd import read_parts
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import reader_inputs
from bstorch.actions.common import (
    made_network,
    minibatch_size,
    model_path,
    reader_for,
    required_section,
    say_default_criteria,
    say_unknown,
)
from bstorch.context import RunContext
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Reader
from bstorch.threads import suit_threads
from bstorch.training.criteria import Criterion
from bstorch.training.evaluator import PERPLEXITY_OF, Evaluator, perplexity
from bstorch.training.precompute import check_statistics
from bstorch.training.subminibatches import wanted_groups

MINIBATCH_SIZE = 40960


def run(command: Command, context: RunContext) -> None:
    """Evaluates the nodes that the command names, else all evaluation nodes and criteria."""
    section = command.section
    model_path(command)  # must be given even where a description of the network is
    network = made_network(command, context, command.trace_level)
    nodes, unknown = test_nodes(network, section)
    say_unknown(unknown, context)
    reader_section = required_section(section, "reader")
    randomize = None if reader_section.own("randomize") is not None else False
    reader = reader_for(reader_section, reader_inputs(network, nodes), context, randomize)
    evaluate(command, context, network, nodes, reader)


def evaluate(
    command: Command, context: RunContext, network: Network, nodes: Sequence[Node], reader: Reader, **about: object
) -> list[Criterion]:
    """The criteria `nodes` of a network over what the reader delivers, as lines and as an event, which says `about` too."""
    section = command.section
    say_default_criteria(network, section, context)
    check_statistics(network, nodes)
    program = Program(network, nodes, Parameters(network, context.device), context.environment())
    size = minibatch_size(section, MINIBATCH_SIZE)
    evaluator = Evaluator(
        program,
        context.say,
        trace_level=command.trace_level,
        show_every=section.get_integer("numMBsToShowResult", 100),
        show_first=section.get_integer("firstMBsToShowResult", 0),
        groups=wanted_groups(read_parts(section), size),
    )
    suit_threads(network, size)
    found = evaluator.run(reader.minibatches(0, section.get_integer("epochSize", 0) or None, size))
    context.events.emit(
        "result",
        command=context.command,
        **about,
        minibatches=evaluator.minibatches,
        criteria={n.name: _result(n, c) for n, c in zip(nodes, found, strict=True)},
    )
    return found


def _result(node: Node, found: Criterion) -> dict[str, object]:
    result: dict[str, object] = {"value": found.average, "samples": found.samples}
    if node.op in PERPLEXITY_OF:
        result["perplexity"] = perplexity(found)
    return result
