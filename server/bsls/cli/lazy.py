"""A group of commands, each in a module of its own that is imported when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Subcommands by name with a line about each; `copy-weights` is `command` in the module `copy_weights` of `package`."""

    def __init__(
        self, *args: Any, package: str = "", summaries: Mapping[str, str] | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.package = package
        self.summaries = summaries or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.summaries:
            from difflib import get_close_matches

            meant = get_close_matches(cmd_name, self.summaries, 1, 0.5)
            raise click.UsageError(
                f"there is no command '{cmd_name}'" + (f"; did you mean '{meant[0]}'?" if meant else ""), ctx
            )
        return import_module(f"{self.package}.{cmd_name.replace('-', '_')}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))
