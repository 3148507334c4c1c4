"""A model that is not there and that no command writes."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "missing-model", "BS051", 'A model that is not there and that no command writes.',
    r"""    net = BS.Network.Load ("modle.dnn")     # a model of a similar name stands beside it""",
)  # fmt: skip
