"""`bsls model show`: what is in a model file."""

from __future__ import annotations

import click


@click.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: tuple[str, ...], form: str) -> None:
    """Show the nodes of a model: operation, inputs, shape, and the name that reaches each from BrainScript."""
    import json

    from bsls.cli.render.model import as_json, as_text
    from bsls.modelfile import model
    from bsls.network.validation import validate

    for path in file:
        network = model.read(path)
        validate(network)
        if form == "json":
            click.echo(json.dumps({"path": path, "version": model.version(path), **as_json(network)}, indent=1))
        else:
            click.echo(as_text(network, path, model.version(path)))
