"""`bsls model graph`: a drawing of the network of a model."""

from __future__ import annotations

import click


@click.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["dot", "svg", "log"]), default="svg", show_default=True)
def command(file: tuple[str, ...], form: str) -> None:
    """Draw the networks of models, or of logs of runs, on standard output: as SVG, for Graphviz (dot), or as the lines of CNTK's log."""
    from bsls.cli.model.opened import opened
    from bsls.cli.render.dot import as_dot
    from bsls.cli.render.svg import as_svg
    from bsls.cli.render.totals import plain
    from bsls.modelfile import model
    from bsls.network.printing import evaluation_log
    from bsls.network.validation import validate

    if form == "log":
        networks = [model.read(path) for path in file]
        for line in evaluation_log([(network, validate(network)) for network in networks]):
            if line.startswith("Validating -->"):
                click.echo(plain(line))
    else:
        networks = [(path, opened(path).network) for path in file]
        click.echo(as_dot(networks) if form == "dot" else as_svg(networks), nl=False)
