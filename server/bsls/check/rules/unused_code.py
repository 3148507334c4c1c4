"""Mistakes in functions and members that no evaluation reaches."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.finding import Finding, Severity
from bsls.resolve.scopes import call_problems, member_problems, references


def check(context: Context) -> Iterator[Finding]:
    """Unknown names and wrong calls that evaluation did not come across; at most warnings, since a run ignores them."""
    for text in context.descriptions:
        said = {(f.rule, f.span) for f in context.findings}
        problems = [r.problem for r in references(text) if r.problem is not None]
        for problem in [*problems, *call_problems(text), *member_problems(text)]:
            finding = problem.finding
            if (finding.rule, finding.span) not in said:
                finding.severity = Severity.WARNING
                yield finding


RULE = Rule(
    "unused-code", "BS130", "Unknown names and wrong calls in code that is never evaluated.",
    """BrainScript evaluates only what is used, so a function that is never called may hold any mistake. These are
warnings: the config runs.

    Layer {dim, v} = { W = ParameterTensr {(dim:0)} ; y = W * v }.y     # never called""",
    check,
)  # fmt: skip
