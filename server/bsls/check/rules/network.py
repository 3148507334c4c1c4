"""Everything that the evaluation of a network finds."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Evaluates the network of every command; what is found is kept in the context under the rules' own names."""
    _ = context.networks
    yield from ()


RULE = Rule(
    "network", "BS100", "Evaluates the networks of all commands.",
    """Each command's network description is evaluated as a run would do it, but without stopping at the first problem. What
is found has names of its own, such as unknown-identifier or shape.""",
    check,
)  # fmt: skip
