"""Arguments as the reference takes them (`configFile=F key=value`), or just paths."""

from __future__ import annotations

from collections.abc import Sequence

import click


def reference_arguments(words: Sequence[str], settings: Sequence[str] = ()) -> list[str]:
    """The words in the reference's form; a plain path becomes `configFile=path`. `settings` (--set) come last."""
    found: list[str] = []
    for word in words:
        key, separator, _ = word.partition("=")
        found.append(word if separator and "/" not in key and "." not in key else f"configFile={word}")
    return [*found, *settings]


def _assignments(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        key, separator, _ = value.partition("=")
        if not separator or not key.strip():
            raise click.BadParameter(f"'{value}' is not of the form KEY=VALUE", context, parameter)
    return values


settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_assignments,
    help="A value for the config, such as a $variable$.",
)
"""`--set KEY=VALUE` of the commands that take configs."""
