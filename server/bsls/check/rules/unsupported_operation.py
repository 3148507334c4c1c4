"""Operations that this version's engine does not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.criteria import criterion_nodes, evaluation_nodes, output_nodes, test_nodes
from bsls.config.sgd import read_sgd
from bsls.finding import BsError, Finding, Severity
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.execution import obstacle


def check(context: Context) -> Iterator[Finding]:
    """The nodes that a command would compute and cannot; information, since the config is right."""
    for checked in context.networks:
        command, evaluation = checked.command, checked.evaluation
        if evaluation is None or evaluation.network is None:
            continue
        roots: list[Node] = []
        with suppress(BsError):  # said elsewhere
            roots = _computed(command, evaluation.network)
        for node in evaluation.network.evaluation_order(roots) if roots else ():
            reason = obstacle(node.op, [i.op for i in node.inputs])
            if reason:
                span = node.origin or (command.model_path.span if command.model_path else command.action_span)
                yield Finding("unsupported-operation", f"'{node.name}' {reason}", span, Severity.INFORMATION)


def _computed(command: Command, network: Network) -> list[Node]:
    """What the command computes with everything below it."""
    if (sgd := command.sgd()) is not None:
        settings = read_sgd(sgd, command.precision)
        criteria = criterion_nodes(network, settings)
        return criteria + evaluation_nodes(network, settings, criteria)
    if command.action in ("test", "eval"):
        return test_nodes(network, command.section)[0]
    return output_nodes(network, command.section)[0] if command.action == "write" else []


RULE = Rule(
    "unsupported-operation", "BS026", "An operation that this version's engine does not have.",
    """The config is right, and CNTK runs it, but `bsls run` stops with a message where it comes to the command. Networks
with such operations can be checked, shown and edited.

    ce = LatticeSequenceWithSoftmax (labels, z, likelihoods, lattice, ...)""",
    check,
)  # fmt: skip
