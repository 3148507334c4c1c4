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
    from bsls.modelfile import model
    from bsls.network.validation import validate

    for path in file:
        network = model.read(path)
        validate(network)
        if form == "json":
            click.echo(json.dumps({"path": path, "version": model.version(path), **as_json(network)}, indent=1))
        else:
            click.echo(as_text(network, path, model.version(path)))


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
    from bsls.modelfile import model
    from bsls.network.difference import difference
    from bsls.network.validation import validate

    old, new = model.read(before), model.read(after)
    validate(old)
    validate(new)
    found = difference(old, new)
    if form == "json":
        click.echo(json.dumps({"before": before, "after": after, **as_json(found)}, indent=1))
    else:
        click.echo(as_text(found), nl=False)
    sys.exit(1 if found else 0)


@command.command()
@click.argument("file")
@click.argument("node")
@click.option("--npy", type=click.Path(dir_okay=False), help="Write the values to a file of numpy as well.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def weights(file: str, node: str, npy: str | None, form: str) -> None:
    """Show what the values of NODE are like: range, mean, deviation, zeros, what is no number, and how they are spread.

    NODE is a name as in the model, or as BrainScript writes it (L4_W for L4.W). An array of numpy has the dimensions
    reversed: [2 x 3] has the shape (3, 2).
    """
    import json

    from bsls.cli.render.weights import as_json, as_text
    from bsls.finding import BsError
    from bsls.modelfile import model
    from bsls.modelfile.atomic import atomic_file
    from bsls.network.naming import find_by_access
    from bsls.resolve.names import similar

    network = model.read(file)
    found = find_by_access(network, node)
    if found is None or found.value is None:
        holders = [n.name for n in network.by_name() if n.value is not None]
        what = (
            f"'{file}' has no node '{node}'"
            if found is None
            else f"'{found.name}' has no values: its operation is {found.op}"
        )
        meant = similar(node, holders) if found is None else None
        help = f"did you mean '{meant}'?" if meant else f"those with values: {', '.join(holders[:8])}"
        raise BsError("model-node", what, None, help=help)
    values = found.value.array()
    if npy is not None:
        import numpy as np

        with atomic_file(npy) as target:
            np.save(target, values)
    click.echo(
        json.dumps(as_json(found, values), indent=1) if form == "json" else as_text(found, values), nl=form == "json"
    )
