"""Two nodes with one name."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "duplicate-name", "BS111", 'Two nodes with one name.',
    r"""    z = 2 * x     # the number becomes a node that is called z, too: write Constant (2) .* x

Names of nodes ignore capitals. Names with a dot or bracket are made different by a leading `_`; plain names are not.""",
)  # fmt: skip
