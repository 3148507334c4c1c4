"""`bsls graph`: the networks of a config's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bsls.cli.arguments import chosen, command_option, reference_arguments, settings_option

if TYPE_CHECKING:
    from bsls.config.commands import Command
    from bsls.network.network import Network


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="FILE | configFile=FILE [key=value]...")
@command_option
@settings_option
@click.option(
    "--format", "form", type=click.Choice(["log", "table", "json", "dot", "svg"]), default="log", show_default=True
)
def command(arguments: tuple[str, ...], only: str | None, settings: tuple[str, ...], form: str) -> None:
    """Show the networks that a config's commands build or load, without running anything.

    `log` prints the lines `Validating --> ...` of the reference, `table` the nodes by record with the numbers of
    parameters, loops and memory, `json` nodes and roots for programs, `dot` text for Graphviz, `svg` a picture. Data
    files are not needed, nor models that a command of the config writes.
    """
    from bsls.finding import BsError
    from bsls.network.printing import evaluation_log
    from bsls.project.project import Project

    project = Project(reference_arguments(arguments, settings))
    steps = chosen(project.commands(), only)
    networks: list[tuple[Command, Network]] = []
    for step in steps:
        if form == "log":
            click.echo(f"# {step.name} command ({step.action} action)")
        if step.kind.network not in ("build", "either", "edit"):
            continue
        evaluation = project.network(step)
        if step.runs_script:
            continue
        if evaluation.network is None:
            path = step.section.require("modelPath")
            raise BsError(
                "missing-model",
                f"nothing is known of the model '{path.text}'",
                path.span,
                help="train it first, or check the path",
            )
        networks.append((step, evaluation.network))
        if form == "log":
            assert evaluation.validation is not None
            models = [(m.network, m.validation) for m in evaluation.loaded]
            for line in evaluation_log([*models, (evaluation.network, evaluation.validation)]):
                if line.startswith("Validating -->"):
                    click.echo(line)
    headed = [(f"{s.name} ({s.action})", network) for s, network in networks]
    if form == "table":
        import shutil
        import sys

        from bsls.cli.render.table import as_table

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(as_table(headed, width), nl=False)
    elif form == "json":
        import json

        from bsls.cli.render.model import as_json

        shown = [{"command": s.name, "action": s.action, **as_json(network)} for s, network in networks]
        first = {key: shown[0][key] for key in ("nodes", "roots")} if shown else {"nodes": [], "roots": {}}
        click.echo(json.dumps({**first, "commands": shown}, indent=1))
    elif form == "dot":
        from bsls.cli.render.dot import as_dot

        click.echo(as_dot(headed), nl=False)
    elif form == "svg":
        from bsls.cli.render.svg import as_svg

        click.echo(as_svg(headed), nl=False)
