"""Inputs of the network that the reader does not deliver."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.section import Section
from bsls.config.streams import TEXT_READER, mismatches, reader_type, text_streams
from bsls.finding import BsError, Finding
from bsls.network.network import Network


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
                yield from _compare(evaluation.network, reader, checked.command.action)
            except BsError as error:
                yield error.finding


def _compare(network: Network, reader: Section, action: str) -> Iterator[Finding]:
    if reader_type(reader) != TEXT_READER or reader.own("deserializers") is not None:
        return
    streams = text_streams(reader)
    needed = network.inputs
    if action not in ("train", "trainRNN", "adapt"):  # these compute only what is asked for
        roots = (
            network.groups["output"]
            if action == "write"
            else [*network.groups["evaluation"], *network.groups["criterion"]]
        )
        below = {id(n) for n in network.evaluation_order(roots)} if roots else set()
        needed = [n for n in needed if id(n) in below]
    yield from mismatches(needed, *streams)


RULE = Rule(
    "input-not-in-reader", "BS040", "A network input without a stream of the reader, or with another number of values.",
    """Inputs get their data from the reader's stream of the same name; `dim` of the stream is the number of values of a
sample and must be that of the input's shape.

    x = Input {3}
    reader = { ... input = { x = { dim = 4 ; format = "dense" } } }    # 3 and 4 do not fit""",
    check,
)  # fmt: skip
