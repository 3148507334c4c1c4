"""`bsls model`: model files."""

from __future__ import annotations

import sys

import click


@click.group()
def command() -> None:
    """Look into model files."""


@command.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(file: tuple[str, ...], form: str) -> None:
    """Show the nodes of a model: operation, inputs, shape, and the name that reaches each from BrainScript."""
    import json

    from bsls.cli.render.model import as_json, as_text
    from bsls.modelfile import v1
    from bsls.network.validation import validate

    for path in file:
        network = v1.read(path)
        validate(network)
        if form == "json":
            click.echo(json.dumps({"path": path, "version": v1.read_version(path), **as_json(network)}, indent=1))
        else:
            click.echo(as_text(network, path, v1.read_version(path)))


@command.command()
@click.argument("before")
@click.argument("after")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(before: str, after: str, form: str) -> None:
    """Show how the networks of two models differ: nodes that were added, removed, renamed or changed.

    Weights are not compared. Exit code 0 where the networks are equal, 1 where they are not.
    """
    import json

    from bsls.cli.render.difference import as_json, as_text
    from bsls.modelfile import v1
    from bsls.network.difference import difference
    from bsls.network.validation import validate

    old, new = v1.read(before), v1.read(after)
    validate(old)
    validate(new)
    found = difference(old, new)
    if form == "json":
        click.echo(json.dumps({"before": before, "after": after, **as_json(found)}, indent=1))
    else:
        click.echo(as_text(found), nl=False)
    sys.exit(1 if found else 0)
