"""`bsls run`: the reference's own command line."""

from __future__ import annotations

import click

from bsls.cli.arguments import reference_arguments


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="configFile=FILE[+FILE] [key=value]...")
@click.option("--events", metavar="FILE", help="Also write what happens to FILE, a JSON object a line.")
@click.option("--detect-anomaly", is_flag=True, help="End at the first node that is not finite, and name it; slow.")
def command(arguments: tuple[str, ...], events: str | None, detect_anomaly: bool) -> None:
    """Run a config's commands: train, test, write, ...

    The arguments are those of the reference: `command=Train:Test` chooses commands, `key=value` and
    `Section=[key=value]` override the file. The log goes to stderr.
    """
    from bsls.cli.runtime import interruptible, load_runtime
    from bsls.project.project import Project

    project = Project(reference_arguments(arguments), foresee=False)
    with interruptible():
        load_runtime()(events=events, detect_anomaly=detect_anomaly).run(project)
