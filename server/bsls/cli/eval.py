"""`bsls eval`: the value of an expression in a config's network description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bsls.cli.arguments import chosen, command_option, reference_arguments, settings_option

if TYPE_CHECKING:
    from bsls.evaluate.brainscript import Evaluation
    from bsls.evaluate.environment import Environment


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[FILE | configFile=FILE [key=value]...] EXPRESSION")
@command_option
@settings_option
def command(arguments: tuple[str, ...], only: str | None, settings: tuple[str, ...]) -> None:
    """Show what a BrainScript expression comes to, as `Print` does.

    It sees all that the network description of the config defines, the network itself as `network`, and the library.
    FILE may also be a file of BrainScript definitions, and may be left out.

    \b
        bsls eval train.cntk "hiddenDim * 2"
        bsls eval train.cntk "network.z.inputs"
        bsls eval "Fac (5)"
    """
    from bsls.evaluate.brainscript import evaluate_expression
    from bsls.evaluate.environment import Environment

    *words, expression = arguments
    environment, evaluation = Environment(), None
    if words:
        environment, evaluation = _description(reference_arguments(words, settings), only)
    environment.printed = click.echo
    click.echo(evaluate_expression(expression, environment, evaluation))


def _description(words: list[str], only: str | None) -> tuple[Environment, Evaluation | None]:
    """The network description that an expression is to be looked at in."""
    from bsls.check.run import is_brainscript
    from bsls.evaluate.brainscript import definitions
    from bsls.evaluate.environment import Environment
    from bsls.project.files import Files
    from bsls.project.includes import including
    from bsls.project.project import Project
    from bsls.source import ExpandedText

    path, files = words[0].partition("=")[2], Files()
    if len(words) == 1 and path.lower().endswith(".bs") and is_brainscript(source := files.source(path)):
        return Environment(), definitions(including(ExpandedText.of(source), files, [path]))
    project = Project(words)
    described = [c for c in chosen(project.commands(), only) if c.kind.network in ("build", "either")]
    if not described:
        raise click.UsageError("no command of this config has a network: give one with --command")
    first = next((c for c in described if project.members(c) is not None), described[0])
    return project.environment(first, strict=True), project.network(first)
