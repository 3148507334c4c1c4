"""Inputs of the network that the reader does not deliver."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.criteria import output_nodes
from bsls.config.section import Section
from bsls.config.streams import mismatches, other_reader, reader_streams
from bsls.finding import BsError, Finding
from bsls.network.network import Network
from bsls.network.queries import reader_inputs


def check(context: Context) -> Iterator[Finding]:
    """Compares the inputs of each command's network with the streams of its readers."""
    for checked in context.networks:
        evaluation = checked.evaluation
        if evaluation is None or evaluation.network is None or not evaluation.complete:
            continue
        for key in checked.command.reader_keys:
            reader = checked.command.section.section(key)
            if reader is None:
                continue
            try:
                yield from _compare(evaluation.network, reader, checked.command)
            except BsError as error:
                yield error.finding


def _compare(network: Network, reader: Section, command: Command) -> Iterator[Finding]:
    if other_reader(reader) is not None:
        return
    streams = reader_streams(reader)
    if command.action == "write":  # nothing else is computed
        roots = output_nodes(network, command.section)[0]
        needed = [n for n in network.evaluation_order(roots) if n.is_input]
    else:
        needed = reader_inputs(network, [*network.groups["criterion"], *network.groups["evaluation"]])
    yield from mismatches(needed, *streams)


RULE = Rule(
    "input-not-in-reader", "BS040", "A network input without a stream of the reader, or with another number of values.",
    """Inputs get their data from the reader's stream of the same name; `dim` of the stream is the number of values of a
sample and must be that of the input's shape.

    x = Input {3}
    reader = { ... input = { x = { dim = 4 ; format = "dense" } } }    # 3 and 4 do not fit""",
    check,
)  # fmt: skip
