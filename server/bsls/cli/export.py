"""`bsls export`: a model for other tools."""

from __future__ import annotations

import click


@click.command()
@click.argument("model")
@click.option("--to", "form", type=click.Choice(["safetensors"]), required=True, help="The format to write.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="The file to write (default: beside MODEL).")
def command(model: str, form: str, output: str | None) -> None:
    """Write a model file of CNTK, v1 or v2, in a format that other tools read.

    safetensors: the values of all parameters by their names; a parameter [r x c] is a tensor of the shape (c, r).
    """
    from bsls.cli.render.totals import counted, plain
    from bsls.modelfile import model as models
    from bsls.modelfile import safetensors

    output = output or f"{model}.{form}"
    written = safetensors.write(models.read(model), output)
    click.echo(f"{plain(output)}: {counted(written, 'tensor')}")
