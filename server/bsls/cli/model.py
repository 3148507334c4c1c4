"""`bsls model`: model files."""

from __future__ import annotations

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
