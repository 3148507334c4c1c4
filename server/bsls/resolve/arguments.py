"""Whether the arguments of a call are those that the function takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bsls.finding import BsError, Edit, Fix
from bsls.resolve.names import similar
from bsls.source import Span
from bsls.syntax.tree import Call


def argument_problem(call: Call, positional: Sequence[str], optional: Collection[str]) -> BsError | None:
    """What is wrong with the arguments of `call` for a function with these parameters: too few, too many, unknown."""
    given = [a for a in call.arguments if not a.name]
    wanted = len(positional)
    if len(given) == wanted and all(not a.name or a.name in optional for a in call.arguments):
        return None  # every call comes here; words are found for few
    title = call.function.span.text
    signature = ", ".join([*positional, *(f"{name}=..." for name in optional)])
    if len(given) < wanted:
        return BsError(
            "missing-argument",
            f"{title} needs {wanted} argument{'s' * (wanted != 1)}, {len(given)} given: '{positional[len(given)]}' is missing",
            call.span, help=f"{title} ({', '.join(positional)})",
        )  # fmt: skip
    if len(given) > wanted:
        return BsError(
            "too-many-arguments", f"{title} takes {wanted} argument{'s' * (wanted != 1)}, {len(given)} given",
            given[wanted].span, help=f"{title} ({signature})",
        )  # fmt: skip
    for argument in call.arguments:
        if argument.name and argument.name not in optional:
            span = Span(argument.span.source, argument.span.start, argument.span.start + len(argument.name))
            meant = similar(argument.name, optional)
            fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
            help = f"did you mean '{meant}'?" if meant else "it has: " + (", ".join(optional) or "none")
            return BsError(
                "unknown-parameter",
                f"{title} has no optional parameter '{argument.name}'",
                span,
                help=help,
                fixes=fixes,
            )
    return None
