"""Where the NDL of a command is: in its own config, in a file, in files of macros."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.config.assemble import joined_text
from bsls.config.commands import Command
from bsls.config.section import VARIABLE, Section, Value
from bsls.evaluate.brainscript import Evaluation, with_deep_stack
from bsls.evaluate.environment import Environment
from bsls.evaluate.ndl import evaluate_scripts
from bsls.finding import BsError
from bsls.project.files import Files
from bsls.source import ExpandedText, Source, Span
from bsls.syntax.ndl import Script, parse_script


def network_of_ndl(command: Command, builder: Value, files: Files, environment: Environment) -> Evaluation:
    """The network that an NDLNetworkBuilder block describes."""
    block = command.section.section(builder.key)
    assert block is not None
    macros = list(macro_files(block, files))
    scripts = list(_scripts(block, files))
    offset = block.get_integer("randomSeedOffset", 0)
    return with_deep_stack(lambda: evaluate_scripts(scripts, macros, environment, offset))


def macro_files(block: Section, files: Files) -> Iterator[Script]:
    """What `ndlMacros = a+b` names."""
    value = block.lookup("ndlMacros")
    if value is None or not value.text:
        return
    if value.text[0] in "[{(":
        raise BsError(
            "config-value", "ndlMacros names files with macros, so a block cannot have this name", value.key_span,
            help="give the block another name, also in load = ...",
        )  # fmt: skip
    for path in value.text.split("+"):
        yield from file_scripts(path.strip(), value, block, files)


def file_scripts(
    path: str, value: Value, block: Section, files: Files, sections: Section | None = None
) -> list[Script]:
    """The scripts in a file that `value` names: what its keys `load` and `run` list, or else all of it.

    `block` is where `$x$` is looked up; `sections` may have other values of `load` and `run`.
    """
    return [parse_script(part) for part in parts(script_text(path, value, block, files), "load", "run", given=sections)]


def parts(text: ExpandedText, *keys: str, given: Section | None = None) -> list[ExpandedText]:
    """The sections of a file that its `keys` list, or all of it where it has none of these keys.

    `given` may have other values of them.
    """
    inner = Section("", text)
    inner.unresolved = {}  # what `$x$` there still are stand for themselves
    listed = [(given.lookup(key) if given is not None else None) or inner.own(key) for key in keys]
    if not any(listed):
        return [text]
    names = [name for value in listed if value is not None for name in value.array()]
    return [required(inner, name.text, name.span).raw for name in names]


def script_text(path: str, value: Value, block: Section, files: Files) -> ExpandedText:
    """The text of a script that `value` names, with its `$x$` replaced as seen from `block`."""
    source = script_source(path, value.span, files)
    text, problems = joined_text([source], lambda name: files.source(name, value.span))
    for problem in problems:
        raise BsError.of(problem)
    return _with_values(block.expand(text), block)


def script_source(path: str, span: Span, files: Files) -> Source:
    """A file of NDL or of the model editing language that is named at `span`."""
    try:
        return files.source(path, span)
    except BsError as error:
        meant = files.similar(path) if error.finding.rule == "missing-file" else None
        if meant:
            error.finding.help = f"did you mean '{meant}'?"
        raise


def _with_values(text: ExpandedText, block: Section) -> ExpandedText:
    """Raises where a `$x$` without value is left in a text."""
    unresolved = block.top.unresolved or {}
    for m in VARIABLE.finditer(text.text) if unresolved else ():
        place = text.span(m.start(), m.end())
        finding = unresolved.get((place.source, place.start))
        if finding is not None:
            raise BsError.of(finding)
    return text


def required(section: Section, name: str, span: Span) -> Value:
    """The section of a file called `name`, which is wanted at `span`."""
    value = section.own(name)
    if value is None:
        blocks = ", ".join(v.key for v in section if v.raw.text[:1] in ("[", "{", "("))
        raise BsError(
            "unknown-command", f"there is no section '{name}' in the file", span,
            help=f"its sections are {blocks}" if blocks else "the file has no sections",
        )  # fmt: skip
    return value


def _scripts(block: Section, files: Files) -> Iterator[Script]:
    description = block.lookup("networkDescription")
    if description is not None and description.text:
        if "+" in description.text:
            raise description.error("this can be one file only", "name files with macros in ndlMacros")
        yield from file_scripts(description.text, description, block, files, block)
        return
    if block.lookup("run") is None:
        raise BsError(
            "missing-key", f"{block.name} has neither 'run' nor 'networkDescription'", block.span,
            help="add run = NAME and NAME = [ ... ], or networkDescription = FILE",
        )  # fmt: skip
    for key in ("load", "run"):
        listed = block.lookup(key)
        if listed is None:
            continue
        value = block.lookup(listed.text)
        if value is None:
            raise BsError(
                "unknown-command", f"there is no section '{listed.text}'", listed.span,
                help=f"add {listed.text} = [ ... ], or correct {key}",
            )  # fmt: skip
        yield parse_script(_with_values(value.raw, block))
