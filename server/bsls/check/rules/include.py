"""An `include` line that cannot be used."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "include", "BS014", 'An `include` line that cannot be used.',
    r"""    include=$Dir$/common.cntk     # the path must be written out""",
)  # fmt: skip
