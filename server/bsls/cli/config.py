"""`bsls config`: a config as it counts, after joining, overrides, includes and variables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bsls.cli.arguments import reference_arguments, settings_option

if TYPE_CHECKING:
    from bsls.config.section import Section, Value

_PLACE_COLUMN = 60


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="FILE | configFile=FILE[+FILE]... [key=value]...")
@settings_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(arguments: tuple[str, ...], settings: tuple[str, ...], form: str) -> None:
    """Show a config as it counts, each value with the place that it comes from.

    Files are joined, blocks merged, values of the command line put in, and each $variable$ replaced by its value; one
    that has none stays as it is. The text is a config again.
    """
    from bsls.finding import BsError
    from bsls.project.project import Project

    config = Project(reference_arguments(arguments, settings), tolerant=True).config
    for finding in config.all_problems():
        if finding.rule == "syntax":
            raise BsError.of(finding)
    if form == "json":
        import json

        click.echo(json.dumps({"values": list(_as_json(config))}, indent=1))
        return
    for line in _lines(config):
        click.echo(line)


def _block(section: Section, value: Value) -> Section | None:
    """The block that a value is; None for another value, or for a text in another language."""
    from bsls.syntax.raw import LANGUAGES

    if value.key.lower() in LANGUAGES or value.raw.text[:1] not in ("[", "{"):
        return None
    inner = section.own_section(value.key)
    return inner if inner is not None and "=" in value.raw.text and not inner.problems else None


def _values(section: Section) -> Iterator[tuple[Value, Section | None]]:
    """The values of a block, expanded, with the blocks that they are."""
    for key in [v.key for v in section]:
        value = section.own(key)
        if value is not None:
            yield value, _block(section, value)


def _lines(section: Section, indent: str = "") -> Iterator[str]:
    for value, block in _values(section):
        if block is not None:
            yield _placed(f"{indent}{value.key} = [", value)
            yield from _lines(block, indent + "    ")
            yield f"{indent}]"
            continue
        first, *rest = value.raw.text.strip().split("\n")
        yield _placed(f"{indent}{value.key} = {first.rstrip()}", value)
        closing = [rest.pop().strip()] if rest and rest[-1].strip()[:1] in ("]", "}", ")") else []
        body = textwrap.dedent("\n".join(rest)).split("\n") if rest else []
        yield from (f"{indent}    {line}".rstrip() for line in body)
        yield from (f"{indent}{line}" for line in closing)


def _placed(text: str, value: Value) -> str:
    """A line with the place of the value in a comment."""
    span = value.key_span
    return f"{text:<{_PLACE_COLUMN}} # {span.source.path}:{span.start_position.line + 1}"


def _as_json(section: Section) -> Iterator[dict[str, object]]:
    from bsls.cli.render.json import place

    for value, block in _values(section):
        content = {"values": list(_as_json(block))} if block is not None else {"value": value.text}
        yield {"key": value.key, **content, **place(value.span)}
