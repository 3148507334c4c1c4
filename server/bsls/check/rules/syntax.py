"""Text that cannot be read as config or BrainScript."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Problems of the blocks that commands use: brackets, missing names and values."""
    yield from context.config.problems
    for block in {id(b): b for c in context.commands for b in c.blocks()}.values():
        yield from block.all_problems()
    for command in context.commands:
        if command.kind.network == "none":  # its description is read, though not evaluated
            yield from context.project.text_problems(command)


RULE = Rule(
    "syntax", "BS001", "Text that cannot be read.",
    """A bracket that is never closed, a value without a name, an expression that breaks off. What CNTK reads in silence
although it cannot be meant (a bracket too many at the end, a block without a name) is a warning.

    SGD = {
        maxEpochs =          # no value
        minibatchSize = 32

In the config language comments begin with `#` after a blank; `//` is a comment only inside BrainScript.""",
    check,
    quick=True,
)  # fmt: skip
