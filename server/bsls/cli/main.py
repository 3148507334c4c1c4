"""The command line: one subcommand a file, imported when it is used."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

import click

from bsls import __version__
from bsls.cli.lazy import LazyGroup

_COMMANDS = {
    "check": "Find mistakes in configs, before anything runs.",
    "run": "Run a config's commands: train, test, write, ...",
    "resume": "Continue a training that was interrupted or is to go on.",
    "eval": "Show what a BrainScript expression comes to.",
    "config": "Show a config as it counts, each value with the place that it comes from.",
    "format": "Lay out configs in one way; only white space changes.",
    "graph": "Show the networks that a config builds, without running it.",
    "model": "Look into model files, and edit them.",
    "export": "Write a model in a format of other tools.",
    "rules": "List what `check` looks for.",
    "explain": "Explain a rule of `check`.",
    "lsp": "Serve an editor.",
}
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""


@click.command(
    cls=LazyGroup,
    package="bsls.cli",
    summaries=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Arguments of the form key=value are those of the reference: `bsls run configFile=train.cntk command=train`.",
)
@click.version_option(__version__, prog_name="bsls")
def cli() -> None:
    """BrainScript, the language of CNTK: check configs, run and resume trainings, look into models."""


def main() -> None:
    """Entry point; exit code 2 for wrong usage, 1 for a problem in what was given, 0 else."""
    from bsls.finding import BsError

    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - there is none where it was closed
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name with an umlaut must not end a run on a terminal without any
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main(prog_name="bsls", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(error, 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", INTERRUPTED)
    except BsError as error:
        _fail(error_text(error), 2 if error.finding.rule == "usage" else 1)
    except RecursionError:
        _fail("error: the text is nested too deeply", 1)
    except OSError as error:
        _output_failed(error)
    except Exception as error:
        if os.environ.get("BSLS_TRACEBACK"):
            raise
        _fail(f"error: bsls itself failed: {type(error).__name__}: {error} (set BSLS_TRACEBACK=1 to see where)", 2)


def error_text(error: object) -> str:
    """`error: FILE:LINE:COLUMN: message`, with the line and what to do."""
    from bsls.cli.render.text import excerpt, printable
    from bsls.finding import BsError

    assert isinstance(error, BsError)
    finding = error.finding
    lines: list[str] = []
    if finding.span is not None:
        lines += excerpt(finding.span)
    if finding.help:
        lines.append(f"  help: {printable(finding.help)}")
    where = f"{finding.span}: " if finding.span is not None else ""
    return "\n".join([*lines, f"error: {printable(where + finding.message)}"])


def _fail(reason: str | click.ClickException, code: int) -> None:
    """Says why on the error stream, if anybody still reads it, and ends."""
    try:
        click.echo(reason, err=True) if isinstance(reason, str) else reason.show()
    except OSError as error:
        _discard_output(error)
    sys.exit(code)


def _output_failed(error: OSError) -> None:
    """Ends where a file or stream cannot be written and nobody nearer knew what to say about it."""
    _discard_output(error)
    if isinstance(error, BrokenPipeError):  # the reader has seen enough: `bsls rules | head -1`
        sys.exit(1)
    where = f"'{error.filename}'" if error.filename else "the output"
    _fail(f"error: cannot write {where}: {error.strerror or error}", 2)


def _discard_output(error: OSError) -> None:
    """What is still in buffers must not fail a second time when Python ends."""
    broken = [sys.stdout, sys.stderr] if isinstance(error, BrokenPipeError) else [sys.stdout]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in broken:
        os.dup2(nowhere, stream.fileno())
