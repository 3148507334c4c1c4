"""What CNTK 2.7 ships broken: functions of the library, and a setting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bsls.check.rule import Context, Rule
from bsls.config.sgd import read_sgd
from bsls.finding import BsError, Finding, Severity
from bsls.resolve.docs import failure
from bsls.resolve.scopes import defined, parts
from bsls.syntax import tree


def check(context: Context) -> Iterator[Finding]:
    """Uses in the config itself; what the library uses is its own affair."""
    for text in context.descriptions:
        calls: dict[int, tree.Call] = {}
        for expr, level in parts(text):
            if isinstance(expr, tree.Call):
                calls[id(expr.function)] = expr
            elif isinstance(expr, tree.Name | tree.Access):
                target = defined(expr, level)
                if isinstance(target, tree.Member) and target.home.library:
                    reason = failure(target, calls.get(id(expr)))
                    if reason:
                        message = f"CNTK 2.7 cannot run {expr.span.text}: {reason}"
                        yield Finding("reference-fails", message, expr.span, Severity.INFORMATION)
    for command in context.commands:
        sgd = command.sgd()
        with suppress(BsError):  # said elsewhere
            if command.action == "adapt" and sgd is not None and read_sgd(sgd, command.precision).adapts_to_original:
                span = sgd.require("adaptationRegType").span
                message = "CNTK 2.7 cannot run adaptationRegType = KL: it stops in the first minibatch"
                yield Finding("reference-fails", message, span, Severity.INFORMATION)


RULE = Rule(
    "reference-fails", "BS132", "What CNTK 2.7 ships broken; it works here.",
    """Some functions of CNTK's standard library fail whenever they are used, others unless an argument is given whose
default cannot be computed. A config that uses them runs here, but not in CNTK.

    length = BS.Loop.Count (words)""",
    check,
)  # fmt: skip
