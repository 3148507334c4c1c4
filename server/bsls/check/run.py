"""Checks a config: every rule, findings sorted and without repetition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bsls.check.registry import all_rules
from bsls.check.rule import Context, Rule
from bsls.config.assemble import COMMAND_LINE, joined_text
from bsls.evaluate.brainscript import members_of
from bsls.finding import BsError, Finding, Related, Severity
from bsls.project.files import Files
from bsls.project.includes import including
from bsls.project.ndl import parts
from bsls.project.project import Project
from bsls.resolve.scopes import certain_problems
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import check_depth
from bsls.syntax.brainscript import Members
from bsls.syntax.mel import parse as parse_mel
from bsls.syntax.ndl import parse_script
from bsls.syntax.raw import language_of

_COMMAND = re.compile(r"^command[ \t]*=", re.MULTILINE | re.IGNORECASE)


def check_config(arguments: Sequence[str], files: Files | None = None) -> tuple[list[Finding], Files]:
    """The findings for `configFile=F key=value ...`, and the files that were read.

    A single file F that ends in `.bs`, `.ndl` or `.mel` is no config, and is checked for its syntax.
    """
    files = files or Files()
    try:
        path = arguments[0].partition("=")[2]
        if len(arguments) == 1 and path.lower().endswith(".bs") and is_brainscript(source := files.source(path)):
            return check_brainscript(source, files, path), files
        if len(arguments) == 1 and is_script(arguments[0]):
            return check_script(files.source(path)), files
        context = Context(Project(arguments, files, tolerant=True))
    except BsError as error:
        if error.finding.rule == "usage":
            raise
        return [error.finding], files
    return all_findings(context), files


def is_brainscript(source: Source) -> bool:
    """Whether a file holds BrainScript without a config around it; a config names the commands to run."""
    return source.path.lower().endswith(".bs") and _COMMAND.search(source.text) is None


def check_brainscript(source: Source, files: Files, path: str, members: Members | None = None) -> list[Finding]:
    """What is wrong with the syntax of a file of BrainScript definitions, or of one description in brackets.

    `members` are those of the text where they are known already.
    """
    text = ExpandedText.of(source)
    check_depth(text)
    whole = including(text, files, [path])
    if whole is not text:
        text, members = whole, None
    members = members or members_of(text) or Members(text, 0, len(text))
    return _sorted([*members.problems, *(f for name in members.names for f in members.findings(name))])


def is_script(path: str) -> bool:
    """Whether a file holds NDL, or commands of the model editing language, without a config around it."""
    return language_of(path) == "ndl"


def check_script(source: Source) -> list[Finding]:
    """What is wrong with the syntax of a file of NDL or of the model editing language."""
    text, problems = joined_text([source])
    if source.path.lower().endswith(".mel"):
        return _sorted([*problems, *(p for part in parts(text, "edit") for p in parse_mel(part).problems)])
    scripts = map(parse_script, parts(text, "load", "run"))
    return _sorted([*problems, *(p for script in scripts for p in script.all_problems())])


def all_findings(context: Context) -> list[Finding]:
    """What all rules find; evaluates the networks."""
    return _found(context, all_rules().values())


def quick_findings(context: Context) -> list[Finding]:
    """The part of `all_findings` that takes no evaluation: syntax, names that are certainly used, and keys."""
    findings: list[Finding] = []
    for members in {id(m): m for m in _members(context)}.values():
        findings += members.problems
        for name in members.names:
            findings += members.findings(name)
        findings += (problem.finding for problem in certain_problems(members))
    return _found(context, (r for r in all_rules().values() if r.quick), findings)


def _members(context: Context) -> Iterator[Members]:
    for command in context.commands:
        if command.kind.network in ("build", "either", "edit"):
            try:
                members = context.project.members(command)
            except BsError:  # evaluation says it
                continue
            if members is not None:
                yield members


def _found(context: Context, rules: Iterable[Rule], findings: Sequence[Finding] = ()) -> list[Finding]:
    found = list(findings)
    for rule in rules:
        if rule.check is None:
            continue
        try:
            found += rule.check(context)
        except BsError as error:
            found.append(error.finding)
    found = list(_known([*found, *context.findings], context))
    errors = [f for f in found if f.severity == Severity.ERROR]
    if errors and all(f.rule != "syntax" for f in errors):  # a bracket too many that does harm
        stray = {id(f) for f in context.config.problems if f.message.startswith("unmatched")}
        found = [replace(f, severity=Severity.ERROR) if id(f) in stray else f for f in found]
    return _sorted(found)


def _known(findings: Sequence[Finding], context: Context) -> Iterator[Finding]:
    """Each `$x$` without value that a command uses, and what is said of values that do not hold one."""
    unresolved = [(source.span(at, at + 1), f) for (source, at), f in (context.config.unresolved or {}).items()]
    spans = [place for place, _ in unresolved]
    for finding in findings:
        span = finding.span
        if span is None or not any(_within(s, span) for s in spans) or finding.rule.endswith("-variable"):
            yield finding
    used = [block.text.span() for command in context.commands for block in command.blocks()]
    blocks = [v.raw.span() for v in context.config if v.raw.text[:1] in ("[", "{")]
    for place, finding in unresolved:
        if any(_within(place, b) for b in used) or not any(_within(place, b) for b in blocks):
            yield finding


def _within(inner: Span, outer: Span) -> bool:
    return inner.source is outer.source and outer.start <= inner.start and inner.end <= outer.end


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
        elif finding.span is not None and all(r.span != finding.span for r in before.related):
            before.related.append(Related("it is used here as well", finding.span))
    return found
