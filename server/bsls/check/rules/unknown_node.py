"""A key that names a node which the network does not have."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-node",
    "BS031",
    "A key that names a node which the network does not have.",
    r"""    trainCriterionNodeName = "ce2"     # there is no ce2
""",
)
