"""Text that cannot be read as config or BrainScript."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.section import Section
from bsls.finding import BsError, Finding


def check(context: Context) -> Iterator[Finding]:
    """Problems of the blocks that commands use: brackets, missing names and values."""
    yield from context.config.problems
    seen: set[int] = set()
    for command in context.commands:
        yield from _problems(command.section, seen)


def _problems(section: Section, seen: set[int]) -> Iterator[Finding]:
    if id(section) in seen:
        return
    seen.add(id(section))
    yield from section.problems
    for value in section:
        if value.raw.text[:1] in ("[", "{") and not value.key.lower().endswith("builder"):
            try:
                inner = section.own_section(value.key)
            except BsError as error:
                yield error.finding
                continue
            if inner is not None:
                yield from _problems(inner, seen)


RULE = Rule(
    "syntax", "BS001", "Text that cannot be read.",
    """A bracket that is never closed, a value without a name, an expression that breaks off.

    SGD = {
        maxEpochs =          # no value
        minibatchSize = 32

In the config language comments begin with `#` after a blank; `//` is a comment only inside BrainScript.""",
    check,
)  # fmt: skip
