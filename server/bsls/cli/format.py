"""`bsls format`: one layout for configs; only white space changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from bsls.cli.arguments import files_below

if TYPE_CHECKING:
    from bsls.finding import Edit
    from bsls.source import Source

ENDINGS = (".cntk", ".bs", ".ndl", ".mel")


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--check", is_flag=True, help="Change nothing; list the files that would change, with exit code 1.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change, with exit code 1.")
@click.option("--stdin-filename", metavar="FILE", help="Format standard input, as a file of this name, to the output.")
def command(paths: tuple[str, ...], check: bool, diff: bool, stdin_filename: str | None) -> None:
    """Lay out configs, .bs, .ndl and .mel files in one way.

    PATH is a file, or a folder in which all such files are formatted. Only white space changes, and never what a text
    means; a file whose brackets do not match is left as it is.
    """
    from bsls.cli.main import error_text
    from bsls.cli.rewriting import rewrite
    from bsls.finding import BsError
    from bsls.project.files import Files

    if stdin_filename is not None:
        if paths:
            raise click.UsageError("--stdin-filename takes the text from standard input; leave out PATH")
        sys.exit(_stdin(stdin_filename, check, diff))
    if not paths:
        raise click.UsageError("give files or folders")
    changed = failed = 0
    for path in _files(paths):
        try:
            source = Files().source(path)
            edits = _edits(source)
            if edits and not (check or diff):
                rewrite(path, edits)
        except BsError as error:
            click.echo(error_text(error), err=True)
            failed += 1
            continue
        if edits:
            changed += 1
            _show(source, edits, check, diff)
    sys.exit(1 if failed or (changed and (check or diff)) else 0)


def _files(paths: Sequence[str]) -> Iterator[str]:
    found: list[str] = []
    for path in paths:
        found += files_below(path, ENDINGS) if os.path.isdir(path) else [path]
    return iter(dict.fromkeys(map(os.path.normpath, found)))


def _edits(source: Source) -> list[Edit]:
    from bsls.syntax.format import format_edits
    from bsls.syntax.raw import language_of

    return format_edits(source, language_of(source.path))


def _show(source: Source, edits: Sequence[Edit], check: bool, diff: bool) -> None:
    if diff:
        from bsls.check.fix import unified_diff

        for line in unified_diff(source, edits):
            click.echo(line)
    else:
        click.echo(f"{source.path}: {'would be formatted' if check else 'formatted'}")


def _stdin(path: str, check: bool, diff: bool) -> int:
    from bsls.cli.rewriting import decoded, with_edits
    from bsls.source import Source

    data = sys.stdin.buffer.read()
    source = Source(path, decoded(data)[1].replace("\r\n", "\n"))
    edits = _edits(source)
    if check or diff:
        if edits:
            _show(source, edits, check, diff)
        return 1 if edits else 0
    sys.stdout.buffer.write(with_edits(data, edits))
    sys.stdout.buffer.flush()
    return 0
