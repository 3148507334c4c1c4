"""A kind of network description that this version does not read."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unsupported-builder", "BS022", 'A kind of network description that this version does not read.',
    r"""SimpleNetworkBuilder is an older description. This version reads BrainScriptNetworkBuilder and NDLNetworkBuilder.""",
)  # fmt: skip
