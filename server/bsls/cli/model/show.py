"""`bsls model show`: what is in a model file, a checkpoint or a log."""

from __future__ import annotations

import click


@click.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: tuple[str, ...], form: str) -> None:
    """Show the nodes of a model: operation, inputs, shape, and the name that reaches each from BrainScript.

    FILE can also be a training checkpoint, or the log of a run, whose networks are shown without weights.
    """
    import json
    import os

    from bsls.cli.model.opened import opened
    from bsls.cli.render.model import as_json, as_text
    from bsls.cli.render.totals import size_text
    from bsls.modelfile.checkpoint import IsCheckpoint

    for path in file:
        try:
            found = opened(path)
        except IsCheckpoint:
            _show_checkpoint(path, form)
            continue
        size = os.path.getsize(path)
        if form == "json":
            click.echo(
                json.dumps({"path": path, "version": found.version, "size": size, **as_json(found.network)}, indent=1)
            )
        else:
            click.echo(as_text(found.network, path, f"{found.kind}, {size_text(size)}", weights=not found.is_log))


def _show_checkpoint(path: str, form: str) -> None:
    import json

    from bsls.cli.render.checkpoint import as_json, as_text
    from bsls.modelfile import v2
    from bsls.modelfile.checkpoint import read_checkpoint
    from bsls.modelfile.v2_checkpoint import read_trainer_checkpoint

    found = read_trainer_checkpoint(path) if v2.is_v2(path) else read_checkpoint(path)
    if form == "json":
        click.echo(json.dumps({"path": path, **as_json(found)}, indent=1))
    else:
        click.echo(as_text(found, path), nl=False)
