"""`bsls model verify`: what is wrong with a model file."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("file", nargs=-1, required=True)
def command(file: tuple[str, ...]) -> None:
    """Read models to the last byte: structure, shapes of all nodes, values that are no numbers, bytes behind the end.

    Exit code 1 where something is wrong with one of them; all are read.
    """
    from bsls.cli.render.totals import counted, plain
    from bsls.finding import BsError
    from bsls.modelfile import model
    from bsls.modelfile.verification import problems

    failed = False
    for path in file:
        try:
            network = model.read(path)
            found = problems(network, path)
        except BsError as error:  # the file as such; the next may be right
            found = [error.finding.message]
            network = None
        for problem in found:
            click.echo(f"{path}: {plain(problem)}")
        if not found and network is not None:
            click.echo(f"{path}: nothing wrong with its {counted(len(network), 'node')}")
        failed = failed or bool(found)
    sys.exit(1 if failed else 0)
