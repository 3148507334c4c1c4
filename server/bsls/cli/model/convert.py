"""`bsls model convert`: a model file of the other generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bsls.network.node import Node


@click.command()
@click.argument("file")
@click.option("--to", type=click.Choice(["v1", "v2"]), help="The generation to write (default: the other one).")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False), help="The model to write.")
def command(file: str, to: str | None, output: str) -> None:
    """Write a model of config files (v1) as one of CNTK's Python library (v2), or the other way round.

    A model of an older version of v1 becomes one of version 31 with --to v1. A v2 model has no groups of nodes: what its
    function gives are the output nodes of the v1 model, and criteria, evaluation and output nodes of a v1 model become
    what the function gives.
    """
    from bsls.cli.render.totals import counted, plain
    from bsls.finding import BsError, Severity
    from bsls.modelfile import model, v1, v2_writing
    from bsls.network.validation import validate

    network = model.read(file)
    wrong = next((f for f in validate(network).findings if f.severity == Severity.ERROR), None)
    if wrong is not None:
        raise BsError.of(wrong)
    if to is None:
        to = "v2" if model.version(file) is not None else "v1"
    if to == "v1":
        v1.write(network, output)
        left: list[Node] = []
    else:
        left = v2_writing.write(network, output)
        slower = [n for n in network.parameters if n.attributes.get("learningRateMultiplier", 1.0) not in (0.0, 1.0)]
        _say("multipliers of learning rates are lost, of", slower)
        _say("left out, as nothing that is computed uses them:", left)
    click.echo(f"{plain(output)}: CNTK {to} model, {counted(len(network) - len(left), 'node')}")


def _say(what: str, nodes: list[Node]) -> None:
    from bsls.cli.render.totals import plain

    if nodes:
        more = f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
        click.echo(f"{what} {', '.join(plain(n.name) for n in nodes[:_SHOWN])}{more}")


_SHOWN = 8
"""Names of nodes in a message."""
