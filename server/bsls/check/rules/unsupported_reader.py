"""A reader that this version does not have."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unsupported-reader",
    "BS025",
    "A reader that this version does not have.",
    """The config is right, but `bsls run` stops with a message before anything is trained. Other commands run.""",
)
