"""A key that names a node which the network does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.check.rules.nodes_to_compute import node_fixes
from bsls.finding import Finding, Severity
from bsls.resolve.names import similar_node

_DUMPS = ("dumpNodes", "dumpNode", "dumpnode")


def check(context: Context) -> Iterator[Finding]:
    """What `dumpNodes` is to write; the other actions raise it themselves."""
    for checked in context.networks:
        evaluation, command = checked.evaluation, checked.command
        network = evaluation.network if evaluation is not None and evaluation.complete else None
        if network is None or command.action not in _DUMPS:
            continue
        name, pattern = command.section.get("nodeName"), command.section.get("nodeNameRegex")
        if pattern is not None and pattern.text:
            try:
                matches = re.compile(pattern.text).fullmatch
            except re.error as error:
                yield Finding(
                    "config-value", f"nodeNameRegex is not a regular expression: {error}", pattern.span,
                    help="escape brackets and dots with a backslash",
                )  # fmt: skip
                continue
            if not any(matches(node.name) for node in network):
                yield Finding(
                    "unknown-node", f"the network has no node whose name fits '{pattern.text}'; nothing is written",
                    pattern.span, Severity.WARNING, help="it must fit the whole name: `.*` stands for any text",
                )  # fmt: skip
        elif name is not None and name.text != "__AllNodes__" and network.find(name.text) is None:
            meant = similar_node(name.text, network)
            yield Finding(
                "unknown-node", f"the network has no node '{name.text}'; all nodes are written instead", name.bare.span(),
                Severity.WARNING, help=f"did you mean '{meant}'?" if meant else "", fixes=node_fixes(name.bare.span(), meant),
            )  # fmt: skip


RULE = Rule(
    "unknown-node",
    "BS031",
    "A key that names a node which the network does not have.",
    r"""    trainCriterionNodeName = "ce2"     # there is no ce2
""",
    check,
)
