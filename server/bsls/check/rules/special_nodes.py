"""A member that looks like a special group of nodes but is none."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "special-nodes", "BS116", 'A member that looks like a special group of nodes but is none.',
    r"""    evalNodes = (err)     # evaluationNodes

The groups are featureNodes, labelNodes, criterionNodes, evaluationNodes and outputNodes.""",
)  # fmt: skip
