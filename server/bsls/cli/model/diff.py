"""`bsls model diff`: how the networks of two models differ."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(before: str, after: str, form: str) -> None:
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
