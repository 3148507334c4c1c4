"""An action that this version does not run."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unsupported-action",
    "BS024",
    "An action that this version does not run.",
    """The config is right, but `bsls run` stops with a message before anything is trained. Other commands run.""",
)
