"""`bsls model diff`: how the networks of two models differ."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--no-weights", is_flag=True, help="Do not read and compare the values of parameters.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(before: str, after: str, no_weights: bool, form: str) -> None:
    """Show how two models differ: nodes that were added, removed, renamed or changed, and values of parameters.

    Either can be the log of a run, which tells neither values nor settings. Exit code 0 where the networks are equal, 1 where they are not.
    """
    import json

    from bsls.cli.model.opened import opened
    from bsls.cli.render.difference import as_json, as_text
    from bsls.network.difference import difference

    old, new = opened(before), opened(after)
    logs = old.is_log or new.is_log
    found = difference(old.network, new.network, settings=not logs, weights=not (logs or no_weights))
    if form == "json":
        click.echo(json.dumps({"before": before, "after": after, **as_json(found)}, indent=1))
    else:
        click.echo(
            as_text(found, "weights, settings and groups" if logs else "weights" if no_weights else ""), nl=False
        )
    sys.exit(1 if found else 0)
