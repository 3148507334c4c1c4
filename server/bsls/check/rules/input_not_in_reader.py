"""Inputs of the network that the reader does not deliver."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.section import Section
from bsls.config.streams import mismatches, other_reader, text_streams
from bsls.finding import BsError, Finding
from bsls.network.network import Network
from bsls.network.queries import reader_inputs


def check(context: Context) -> Iterator[Finding]:
    """Compares the inputs of each command's network with the streams of its readers."""
    for checked in context.networks:
        evaluation = checked.evaluation
        if (
            evaluation is None
            or evaluation.network is None
            or not evaluation.complete
            or not checked.command.kind.reads_data
        ):
            continue
        for key in ("reader", "cvReader"):
            if key == "cvReader" and checked.command.action not in ("train", "trainRNN", "adapt"):
                continue
            reader = checked.command.section.section(key)
            if reader is None:
                continue
            try:
                yield from _compare(evaluation.network, reader, checked.command)
            except BsError as error:
                yield error.finding


def _compare(network: Network, reader: Section, command: Command) -> Iterator[Finding]:
    action, section = command.action, command.section
    if other_reader(reader) is not None:
        return
    streams = text_streams(reader)
    groups = ("output",) if action == "write" else ("criterion", "evaluation")
    roots = [n for group in groups for n in network.groups[group]]
    if action == "write":  # nothing else is computed
        names = section.get_array("outputNodeNames") or []
        roots = [n for v in names if (n := network.find(v.text)) is not None] or roots
        needed = [n for n in network.evaluation_order(roots) if n.is_input]
    else:
        needed = reader_inputs(network, roots)
    yield from mismatches(needed, *streams)


RULE = Rule(
    "input-not-in-reader", "BS040", "A network input without a stream of the reader, or with another number of values.",
    """Inputs get their data from the reader's stream of the same name; `dim` of the stream is the number of values of a
sample and must be that of the input's shape.

    x = Input {3}
    reader = { ... input = { x = { dim = 4 ; format = "dense" } } }    # 3 and 4 do not fit""",
    check,
)  # fmt: skip
