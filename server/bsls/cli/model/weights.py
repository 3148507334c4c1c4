"""`bsls model weights`: what the values of a parameter are like."""

from __future__ import annotations

import click


@click.command()
@click.argument("file")
@click.argument("node")
@click.option("--npy", type=click.Path(dir_okay=False), help="Write the values to a file of numpy as well.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: str, node: str, npy: str | None, form: str) -> None:
    """Show what the values of NODE are like: range, mean, deviation, zeros, what is no number, and how they are spread.

    NODE is a name as in the model, or as BrainScript writes it (L4_W for L4.W). An array of numpy has the dimensions
    reversed: [2 x 3] has the shape (3, 2).
    """
    import json

    from bsls.cli.model.nodes_named import holder
    from bsls.cli.render.weights import as_json, as_text
    from bsls.modelfile import model
    from bsls.modelfile.atomic import atomic_file

    network = model.read(file)
    found = holder(network, file, node)
    assert found.value is not None
    values = found.value.array()
    if npy is not None:
        import numpy as np

        with atomic_file(npy) as target:
            np.save(target, values)
    click.echo(
        json.dumps(as_json(found, values), indent=1) if form == "json" else as_text(found, values), nl=form == "json"
    )
