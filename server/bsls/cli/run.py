"""`bsls run`: the reference's own command line."""

from __future__ import annotations

from typing import Any

import click

from bsls.cli.arguments import reference_arguments
from bsls.cli.runtime import interruptible, load_runtime, run_options


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="configFile=FILE[+FILE] [key=value]...")
@run_options
def command(arguments: tuple[str, ...], **options: Any) -> None:
    """Run a config's commands: train, test, write, ...

    The arguments are those of the reference: `command=Train:Test` chooses commands, `key=value` and
    `Section=[key=value]` override the file. The log goes to stderr.
    """
    from bsls.project.project import Project

    project = Project(reference_arguments(arguments), foresee=False)
    with interruptible():
        load_runtime()(**options).run(project)
