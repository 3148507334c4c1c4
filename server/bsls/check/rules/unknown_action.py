"""An action that does not exist."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-action", "BS011", 'An action that does not exist.',
    r"""    action = "Train"     # capitals matter: "train"
""",
)  # fmt: skip
