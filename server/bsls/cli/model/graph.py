"""`bsls model graph`: a drawing of the network of a model."""

from __future__ import annotations

import click


@click.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["dot", "svg", "log"]), default="svg", show_default=True)
def command(file: tuple[str, ...], form: str) -> None:
    """Draw the networks of models, on standard output: as SVG, for Graphviz (dot), or as the lines of CNTK's log."""
    from bsls.cli.render.dot import as_dot
    from bsls.cli.render.svg import as_svg
    from bsls.modelfile import model
    from bsls.network.printing import evaluation_log
    from bsls.network.validation import validate

    networks = [(path, model.read(path)) for path in file]
    validations = [validate(network) for _, network in networks]
    if form == "log":
        for line in evaluation_log([(n, v) for (_, n), v in zip(networks, validations, strict=True)]):
            if line.startswith("Validating -->"):
                click.echo(line)
    else:
        click.echo(as_dot(networks) if form == "dot" else as_svg(networks), nl=False)
