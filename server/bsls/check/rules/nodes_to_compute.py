"""Commands that find nothing to train, test or write in their network."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.criteria import compared_nodes, criterion_nodes, evaluation_nodes, output_nodes, test_nodes
from bsls.config.section import Value
from bsls.config.sgd import read_sgd
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.editing import matching
from bsls.network.network import Network
from bsls.resolve.names import node_help
from bsls.source import Span

_LISTED = ("test", "eval", "write")
_MAX_HELP = 100


def check(context: Context) -> Iterator[Finding]:
    """Criteria of trainings, nodes of tests and writes; names that the network does not have are passed over by a run."""
    for checked in context.networks:
        evaluation = checked.evaluation
        if evaluation is None or evaluation.network is None or not evaluation.complete:
            continue
        network = evaluation.network
        yield from _cut_off(checked.command, network)
        try:
            unknown = _unknown(checked.command, network)
        except BsError as error:
            finding = error.finding
            if finding.rule == "unknown-node" and finding.span is not None:
                span = _bare(finding.span)
                help, finding.fixes = node_help(span.text, network, span)
                finding.help = help or finding.help
            yield finding
            continue
        for value in unknown:
            help, fixes = node_help(value.text, network, value.bare.span())
            yield Finding(
                "unknown-node", f"the network has no node '{value.text}'; it is passed over", value.span, Severity.WARNING,
                help=help, fixes=fixes,
            )  # fmt: skip


def _bare(span: Span) -> Span:
    """A name without the quotes around it."""
    quoted = len(span.text) > 1 and span.text[0] == span.text[-1] == '"'
    return span.source.span(span.start + 1, span.end - 1) if quoted else span


def _cut_off(command: Command, network: Network) -> Iterator[Finding]:
    """`L1.*` in a list of names: there `*` repeats an element, and one without a number ends the list."""
    key = command.kind.outputs if command.action in _LISTED else ""
    value = command.section.get(key) if key else None
    element = value.cut_off if value is not None else None
    if value is None or element is None:
        return
    meant = [n.name for n in matching(network, element.text) if not n.is_parameter]
    names = ":".join(meant)
    yield Finding(
        "unknown-node", f"{key} ends before '{element.text}': in a list `*` repeats what is before it, it is no pattern",
        element.span(), Severity.WARNING, help=f"write {names}" if len(names) < _MAX_HELP and names else "write out all names",
        fixes=[Fix("write out the names", (Edit(element.span(), names),))] if meant else [],
    )  # fmt: skip


def _unknown(command: Command, network: Network) -> list[Value]:
    section = command.section
    if (sgd := command.sgd()) is not None:
        try:
            settings = read_sgd(sgd, command.precision)
        except BsError:  # said elsewhere
            return []
        evaluation_nodes(network, settings, criterion_nodes(network, settings))
        return []
    if command.action == "cv":
        compared_nodes(network, section)
        return []
    if command.action in ("test", "eval", "bnstat"):
        return test_nodes(network, section)[1]
    return output_nodes(network, section)[1] if command.action == "write" else []


RULE = Rule(
    "no-criterion", "BS030", "A command that finds nothing to train, test or write in its network.",
    """A training needs a criterion (`criterionNodes`, a tag, or `trainCriterionNodeName` in SGD), a test evaluation nodes
or a criterion, a write output nodes or `outputNodeNames`. Names of nodes that do not exist are passed over in silence.

    evalNodeNames = err : errs     # the network has only err
    outputNodeNames = z : L1.*     # only z: in a list, `*` repeats an element, it is no pattern""",
    check,
)  # fmt: skip
