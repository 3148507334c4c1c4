"""A $variable$ without a value."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "undefined-variable", "BS012", 'A $variable$ without a value.',
    r"""    file = "$DataDir$/train.txt"     # DataDir is defined nowhere

Only values at the top of the config, or in blocks around the one that holds the text, can be used. Values can also be
given on the command line: `bsls check config.cntk --set DataDir=data`.""",
)  # fmt: skip
