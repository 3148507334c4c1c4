"""A key that names a node which the network does not have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.section import Value
from bsls.finding import Edit, Finding, Fix, Severity
from bsls.network.network import Network
from bsls.resolve.names import node_help

_DUMPS = ("dumpNodes", "dumpNode", "dumpnode")
_WITH_PATTERN = {**dict.fromkeys(_DUMPS, "nothing is written"), "SVD": "no parameter becomes smaller"}
"""Actions that take the nodes which nodeNameRegex fits, and what comes of a pattern that fits none."""


def check(context: Context) -> Iterator[Finding]:
    """What `dumpNodes` is to write and `SVD` to decompose; the other actions raise it themselves."""
    for checked in context.networks:
        evaluation, section = checked.evaluation, checked.command.section
        network = evaluation.network if evaluation is not None and evaluation.complete else None
        outcome = _WITH_PATTERN.get(checked.command.action)
        if network is None or outcome is None:
            continue
        name, pattern = section.get("nodeName"), section.get("nodeNameRegex")
        if pattern is not None and pattern.text:
            yield from _of_pattern(pattern, network, outcome)
        elif (
            checked.command.action in _DUMPS
            and name is not None
            and name.text != "__AllNodes__"
            and network.find(name.text) is None
        ):
            yield _of_name(name, network)


def _of_pattern(pattern: Value, network: Network, outcome: str) -> Iterator[Finding]:
    span, meant = pattern.bare.span(), _regex(pattern.text, network)
    help = f"write {meant}" if meant else ""
    fixes = [Fix(f"change to {meant}", (Edit(span, meant),))] if meant else []
    try:
        matches = re.compile(pattern.text, re.IGNORECASE).fullmatch
    except re.error as error:
        yield Finding(
            "config-value", f"{pattern.key} is not a regular expression: {error}", span,
            help=help or "escape brackets and dots with a backslash", fixes=fixes,
        )  # fmt: skip
        return
    if any(re.fullmatch(pattern.text, node.name) for node in network):
        return
    like = next((n.name for n in network.by_name() if matches(n.name)), None)
    facts = f"capitals matter: there is {like}" if like else "it must fit the whole name: `.*` stands for any text"
    yield Finding(
        "unknown-node", f"the network has no node whose name fits '{pattern.text}'; {outcome}", span,
        Severity.WARNING, help=help or facts, fixes=fixes,
    )  # fmt: skip


def _of_name(name: Value, network: Network) -> Finding:
    span, meant = name.bare.span(), _regex(name.text, network)
    help, fixes = node_help(name.text, network, span)
    if meant:
        help = "nodeName is one name; patterns are given in nodeNameRegex"
        edits = (Edit(name.key_span, "nodeNameRegex"), Edit(span, meant))
        fixes = [Fix(f"change to nodeNameRegex = {meant}", edits)]
    return Finding(
        "unknown-node", f"the network has no node '{name.text}'; all nodes are written instead", span, Severity.WARNING,
        help=help, fixes=fixes,
    )  # fmt: skip


def _regex(text: str, network: Network) -> str | None:
    """The regular expression for a text in which `*` was to stand for any other, if there are nodes that fit."""
    pattern = ".*".join(map(re.escape, text.split("*")))
    return pattern if "*" in text and any(re.fullmatch(pattern, node.name) for node in network) else None


RULE = Rule(
    "unknown-node",
    "BS031",
    "A key that names a node which the network does not have.",
    r"""    trainCriterionNodeName = "ce2"     # there is no ce2
    nodeName = "L1.*"                  # one name; a pattern is nodeNameRegex = "L1\..*"
""",
    check,
)
