"""A name that is defined nowhere in sight."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "unknown-identifier", "BS101", 'A name that is defined nowhere in sight.',
    r"""    z = Sigmod (x)     # Sigmoid

Names are looked up in the record where they stand, then outwards, then in the library. Capitals matter.""",
)  # fmt: skip
