"""`bsls resume`: goes on with a training."""

from __future__ import annotations

from typing import Any

import click

from bsls.cli.arguments import reference_arguments
from bsls.cli.runtime import interruptible, load_runtime, run_options


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="FILE [key=value]...")
@click.option("--from", "start", metavar="MODEL", help="Go on from this model instead of the last complete one.")
@click.option("--to", metavar="DIR", help="Write all files to this folder and leave the old ones alone.")
@click.option(
    "--max-epochs", type=click.IntRange(min=1), help="Train until this epoch instead of the config's maxEpochs."
)
@click.option("--force", is_flag=True, help="Go on although the network of the config or the data have changed.")
@run_options
def command(
    arguments: tuple[str, ...],
    start: str | None,
    to: str | None,
    max_epochs: int | None,
    force: bool,
    **options: Any,
) -> None:
    """Continue a training that was interrupted, or train on after it has ended.

    FILE is the config; the training is that of its first train command (`command=NAME` chooses another).
    """
    from bsls.project.project import Project

    project = Project(reference_arguments(arguments), foresee=False)
    with interruptible():
        load_runtime()(**options).resume(project, start, to, max_epochs, force=force)
