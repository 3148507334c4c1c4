"""The command line: one subcommand a file, imported when it is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from bsls import __version__

_COMMANDS = {
    "check": "Find mistakes in configs, before anything runs.",
    "run": "Run a config's commands: train, test, write, ...",
    "resume": "Continue a training that was interrupted or is to go on.",
    "graph": "Show the networks that a config builds, without running it.",
    "model": "Look into model files.",
    "rules": "List what `check` looks for.",
    "explain": "Explain a rule of `check`.",
}


class _Commands(click.Group):
    """Subcommands by name, each in the module of that name; a problem ends with one message and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return import_module(f"bsls.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Arguments of the form key=value are those of the reference: `bsls run configFile=train.cntk command=train`.",
)
@click.version_option(__version__, prog_name="bsls")
def cli() -> None:
    """BrainScript, the language of CNTK: check configs, run and resume trainings, look into models."""


def main() -> None:
    """Entry point; exit code 2 for wrong usage, 1 for a problem in what was given, 0 else."""
    from bsls.finding import BsError

    try:
        cli.main(prog_name="bsls", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except BsError as error:
        click.echo(error_text(error), err=True)
        sys.exit(2 if error.finding.rule == "usage" else 1)
    except RecursionError:
        click.echo("error: the text is nested too deeply", err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("BSLS_TRACEBACK"):
            raise
        click.echo(
            f"error: bsls itself failed: {type(error).__name__}: {error} (set BSLS_TRACEBACK=1 to see where)", err=True
        )
        sys.exit(2)


def error_text(error: object) -> str:
    """`error: FILE:LINE:COLUMN: message`, with the line and what to do."""
    from bsls.cli.render.text import excerpt
    from bsls.finding import BsError

    assert isinstance(error, BsError)
    finding = error.finding
    lines: list[str] = []
    if finding.span is not None:
        lines += excerpt(finding.span)
    if finding.help:
        lines.append(f"  help: {finding.help}")
    where = f"{finding.span}: " if finding.span is not None else ""
    return "\n".join([*lines, f"error: {where}{finding.message}"])
