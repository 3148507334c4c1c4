"""Checks a config: every rule, findings sorted and without repetition."""

from __future__ import annotations

from collections.abc import Sequence

from bsls.check.registry import all_rules
from bsls.check.rule import Context
from bsls.config.assemble import COMMAND_LINE
from bsls.finding import BsError, Finding, Related
from bsls.project.files import Files
from bsls.project.project import Project


def check_config(arguments: Sequence[str], files: Files | None = None) -> tuple[list[Finding], Files]:
    """The findings for `configFile=F key=value ...`, and the files that were read."""
    files = files or Files()
    try:
        project = Project(arguments, files)
    except BsError as error:
        if error.finding.rule == "usage":
            raise
        return [error.finding], files
    context = Context(project)
    findings: list[Finding] = []
    for rule in all_rules().values():
        if rule.check is None:
            continue
        try:
            findings += rule.check(context)
        except BsError as error:
            findings.append(error.finding)
    return _sorted([*findings, *context.findings]), files


def _sorted(findings: list[Finding]) -> list[Finding]:
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        span = finding.span
        key = (finding.rule, finding.message if span is None else (span.source.path, span.start))
        kept.setdefault(key, finding)

    def place(finding: Finding) -> tuple[bool, str, int]:
        span = finding.span
        return (
            span is not None and span.source.path == COMMAND_LINE,
            span.source.path if span else "",
            span.start if span else 0,
        )

    return _variables_once(sorted(kept.values(), key=place))


def _variables_once(findings: list[Finding]) -> list[Finding]:
    """One finding for a `$x$` without value; where else it stands is related."""
    found: list[Finding] = []
    first: dict[str, Finding] = {}
    for finding in findings:
        before = first.get(finding.message) if finding.rule == "undefined-variable" else None
        if before is None:
            first[finding.message] = finding
            found.append(finding)
        elif finding.span is not None:
            before.related.append(Related("it is used here as well", finding.span))
    return found
