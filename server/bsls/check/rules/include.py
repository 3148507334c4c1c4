"""An `include` that cannot be used."""

from __future__ import annotations

from bsls.check.rule import Rule

RULE = Rule(
    "include", "BS014", 'An `include` that cannot be used.',
    r"""    include=$Dir$/common.cntk     # the path must be written out
    include="common.cntk"         # without quotes, and nothing else in the line

In a network description, `include "path"` puts the words of a file in its place. It is looked for as it stands, then by
its name alone beside the file around and beside the config. A file must not include itself.""",
)  # fmt: skip
