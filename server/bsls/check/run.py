"""Checks a config: every rule, findings sorted and without repetition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bsls.check.registry import all_rules
from bsls.check.rule import Context, Rule
from bsls.config.assemble import COMMAND_LINE, joined_text
from bsls.evaluate.brainscript import members_of
from bsls.finding import BsError, Finding, Related
from bsls.project.files import Files
from bsls.project.ndl import parts
from bsls.project.project import Project
from bsls.resolve.scopes import certain_problems
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.brackets import check_depth
from bsls.syntax.brainscript import Members
from bsls.syntax.mel import parse as parse_mel
from bsls.syntax.ndl import parse_script
from bsls.syntax.raw import language_of


def check_config(arguments: Sequence[str], files: Files | None = None) -> tuple[list[Finding], Files]:
    """The findings for `configFile=F key=value ...`, and the files that were read.

    A single file F that ends in `.bs`, `.ndl` or `.mel` is no config, and is checked for its syntax.
    """
    files = files or Files()
    try:
        if len(arguments) == 1 and is_brainscript(arguments[0]):
            return check_brainscript(files.source(arguments[0].partition("=")[2])), files
        if len(arguments) == 1 and is_script(arguments[0]):
            return check_script(files.source(arguments[0].partition("=")[2])), files
        context = Context(Project(arguments, files, tolerant=True))
    except BsError as error:
        if error.finding.rule == "usage":
            raise
        return [error.finding], files
    return all_findings(context), files


def is_brainscript(path: str) -> bool:
    """Whether a file holds BrainScript without a config around it."""
    return language_of(path) == "brainscript"


def check_brainscript(source: Source, members: Members | None = None) -> list[Finding]:
    """What is wrong with the syntax of a file of BrainScript definitions, or of one description in brackets."""
    text = ExpandedText.of(source)
    check_depth(text)
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
    return _sorted(list(_known([*found, *context.findings], context)))


def _known(findings: Sequence[Finding], context: Context) -> Iterator[Finding]:
    """Each `$x$` without value that a command uses, and what is said of values that do not hold one."""
    unresolved = list((context.config.unresolved or {}).values())
    spans = [f.span for f in unresolved if f.span is not None]
    for finding in findings:
        span = finding.span
        if span is None or not any(_within(s, span) for s in spans) or finding.rule.endswith("-variable"):
            yield finding
    used = [block.text.span() for command in context.commands for block in command.blocks()]
    blocks = [v.raw.span() for v in context.config if v.raw.text[:1] in ("[", "{")]
    for finding in unresolved:
        span = finding.span
        if span is not None and (any(_within(span, b) for b in used) or not any(_within(span, b) for b in blocks)):
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
