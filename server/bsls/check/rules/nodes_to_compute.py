"""Commands that find nothing to train, test or write in their network."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.criteria import criterion_nodes, evaluation_nodes, output_nodes, test_nodes
from bsls.config.section import Value
from bsls.config.sgd import read_sgd
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.network import Network
from bsls.resolve.names import similar_node
from bsls.source import Span


def check(context: Context) -> Iterator[Finding]:
    """Criteria of trainings, nodes of tests and writes; names that the network does not have are passed over by a run."""
    for checked in context.networks:
        evaluation = checked.evaluation
        if evaluation is None or evaluation.network is None or not evaluation.complete:
            continue
        try:
            unknown = _unknown(checked.command, evaluation.network)
        except BsError as error:
            finding = error.finding
            if finding.rule == "unknown-node" and finding.span is not None:
                meant = similar_node(finding.span.text, evaluation.network)
                finding.fixes = node_fixes(finding.span, meant)
            yield finding
            continue
        for value in unknown:
            meant = similar_node(value.text, evaluation.network)
            fixes = node_fixes(value.span, meant)
            yield Finding(
                "unknown-node", f"the network has no node '{value.text}'; it is passed over", value.span, Severity.WARNING,
                help=f"did you mean '{meant}'?" if meant else "", fixes=fixes,
            )  # fmt: skip


def node_fixes(span: Span, meant: str | None) -> list[Fix]:
    """The change to the name that was probably meant."""
    return [Fix(f"change to {meant}", (Edit(span, meant),))] if meant else []


def _unknown(command: Command, network: Network) -> list[Value]:
    section = command.section
    if (sgd := command.sgd()) is not None:
        try:
            settings = read_sgd(sgd, command.precision)
        except BsError:  # said elsewhere
            return []
        evaluation_nodes(network, settings, criterion_nodes(network, settings))
        return []
    if command.action in ("test", "eval"):
        return test_nodes(network, section)[1]
    return output_nodes(network, section)[1] if command.action == "write" else []


RULE = Rule(
    "no-criterion", "BS030", "A command that finds nothing to train, test or write in its network.",
    """A training needs a criterion (`criterionNodes`, a tag, or `trainCriterionNodeName` in SGD), a test evaluation nodes
or a criterion, a write output nodes or `outputNodeNames`. Names of nodes that do not exist are passed over in silence.

    evalNodeNames = err : errs     # the network has only err""",
    check,
)  # fmt: skip
