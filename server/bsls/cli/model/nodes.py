"""`bsls model nodes`: the nodes of a model whose names fit a pattern."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("file")
@click.argument("pattern", required=False, default="*")
@click.option("--op", help="Only nodes of this operation.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: str, pattern: str, op: str | None, form: str) -> None:
    """List the nodes whose names fit PATTERN, each as the log of CNTK prints it.

    In PATTERN, * stands for any text and ? for one character; capitals do not matter. Exit code 1 where none fits.
    """
    import json
    from fnmatch import fnmatchcase

    from bsls.cli.model.opened import opened
    from bsls.cli.render.model import as_json
    from bsls.cli.render.totals import plain

    network = opened(file).network
    # a name may hold brackets, which are not meant as sets of characters
    wanted = pattern.lower().replace("[", "[[]")
    found = [
        n for n in network.by_name()
        if fnmatchcase(n.name.lower(), wanted) and (op is None or n.op.lower() == op.lower())
    ]  # fmt: skip
    if form == "json":
        names = {n.name for n in found}
        click.echo(json.dumps([n for n in as_json(network)["nodes"] if n["name"] in names], indent=1))
    else:
        for node in found:
            click.echo(plain(node.prototype))
    sys.exit(0 if found else 1)
