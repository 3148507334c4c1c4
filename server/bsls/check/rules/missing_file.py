"""Files that a config reads and that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.check.rule import Context, Rule
from bsls.config.commands import Command
from bsls.config.section import Value
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.node import Node
from bsls.project.files import Files
from bsls.source import Span


def check(context: Context) -> Iterator[Finding]:
    """Data files of readers, files with initial values, models; one information where none of a config's data is here."""
    files = context.project.files
    named: list[tuple[str, Span]] = []
    for command in context.commands:
        named += [(v.text, v.span) for v in _reader_files(command)]
        if (labels := _label_map(command)) is not None:
            named.append((labels.text, labels.span))
    for checked in context.networks:
        if checked.evaluation is not None and checked.evaluation.network is not None:
            named += [
                (p, n.origin) for n in checked.evaluation.network if (p := _initial_file(n)) and n.origin is not None
            ]
    absent: list[tuple[str, Span]] = []
    present = 0
    for path, span in named:
        if files.exists(path):
            present += 1
        elif context.project.writer_of_output(path) is None:
            absent.append((path, span))
    undecided = any(
        f.rule in ("unknown-action", "missing-key") for f in context.findings
    )  # what would such a section write?
    for path, span in context.project.unknown_models:
        if span is not None and not undecided:
            yield _finding(
                "missing-model",
                f"the model '{path}' does not exist, and no command of a config here writes it",
                path,
                _written(context, span),
                files,
                Severity.ERROR,
            )
    for path, span in absent:
        if present or files.similar(path):
            yield _finding(
                "missing-file",
                f"the file '{path}' does not exist",
                path,
                _written(context, span),
                files,
                Severity.ERROR,
            )
        else:
            yield Finding(
                "missing-file",
                "the data files of this config are not here",
                span,
                Severity.INFORMATION,
                help="what they hold was not checked",
            )
            break


def _written(context: Context, span: Span) -> Span:
    """Where a path was given, which may be the value of a variable."""
    sections = [s for c in context.commands for s in (c.section, c.section.top)]
    return next((s.written(span) for s in sections if s.text.offset_of(span.source, span.start) is not None), span)


def _reader_files(command: Command) -> Iterator[Value]:
    for key in command.reader_keys:
        try:
            reader = command.section.section(key)
            value = reader.get("file") if reader is not None else None
        except BsError:
            continue
        if value is not None and value.text:
            yield value


def _label_map(command: Command) -> Value | None:
    """The file that names the categories which a `write` command prints."""
    if command.action != "write":
        return None
    try:
        form = command.section.section("format")
        kind = form.get("type") if form is not None else None
        value = form.get("labelMappingFile") if form is not None else None
    except BsError:
        return None
    return value if kind is not None and kind.text == "category" and value is not None and value.text else None


def _initial_file(node: Node) -> str:
    path = node.attributes.get("initFromFilePath")
    return (
        path
        if node.is_parameter
        and node.value is None
        and isinstance(path, str)
        and node.attributes.get("init") == "fromFile"
        else ""
    )


def _finding(rule: str, message: str, path: str, span: Span, files: Files, severity: Severity) -> Finding:
    meant = files.similar(path)
    fixes = []
    if meant and path in span.text:
        start = span.start + span.text.index(path)
        fixes = [Fix(f"change to {meant}", (Edit(Span(span.source, start, start + len(path)), meant),))]
    return Finding(
        rule, message, span, severity, help=f"did you mean '{meant}'?" if meant else "correct the path", fixes=fixes
    )


RULE = Rule(
    "missing-file", "BS050", "A data file, or a file with initial values, that is not there.",
    """Paths count from the folder in which the run starts. A model that a command of this config, or of one beside it,
writes is not missing. Where none of a config's data files is here, as in a fresh checkout, this is said once and is no
error.""",
    check,
)  # fmt: skip
