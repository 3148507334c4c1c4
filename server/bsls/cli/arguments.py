"""Arguments as the reference takes them (`configFile=F key=value`), or just paths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bsls.config.commands import Command


def reference_arguments(words: Sequence[str], settings: Sequence[str] = ()) -> list[str]:
    """The words in the reference's form; a plain path becomes `configFile=path`. `settings` (--set) come last."""
    found: list[str] = []
    for word in words:
        key, separator, _ = word.partition("=")
        found.append(word if separator and "/" not in key and "." not in key else f"configFile={word}")
    return [*found, *settings]


def chosen(commands: list[Command], only: str | None) -> list[Command]:
    """The commands of a config, or only those called `only` (--command)."""
    if only is None:
        return commands
    found = [c for c in commands if c.name.lower() == only.lower()]
    if not found:
        names = ", ".join(dict.fromkeys(c.name for c in commands))
        raise click.BadParameter(f"the config runs no command '{only}', only {names}", param_hint="'--command'")
    return found


def _assignments(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        key, separator, _ = value.partition("=")
        if not separator or not key.strip():
            raise click.BadParameter(f"'{value}' is not of the form KEY=VALUE", context, parameter)
    return values


command_option = click.option("--command", "only", metavar="NAME", help="Only this command of the config.")
"""`--command NAME` of the commands that show what a config makes."""

settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_assignments,
    help="A value for the config, such as a $variable$.",
)
"""`--set KEY=VALUE` of the commands that take configs."""


def files_below(folder: str, endings: tuple[str, ...]) -> list[str]:
    """The files in a folder and those below it whose names end so, in order; wrong usage where there is none."""
    found = sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names if f.endswith(endings))
    if not found:
        raise click.UsageError(f"there is no {' or '.join('*' + e for e in endings)} file in '{folder}'")
    return found
