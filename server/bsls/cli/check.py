"""`bsls check`: mistakes in configs, before anything runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from bsls.cli.arguments import files_below, reference_arguments, settings_option

if TYPE_CHECKING:
    from bsls.finding import Finding

_EXIT = {"error": 3, "warning": 2}


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="PATH... | configFile=FILE [key=value]...")
@settings_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fix", is_flag=True, help="Mend what can be mended safely.")
@click.option("--diff", is_flag=True, help="Show what --fix would change; change nothing.")
@click.option("--select", multiple=True, metavar="RULE", help="Only findings of these rules.")
@click.option("--ignore", multiple=True, metavar="RULE", help="No findings of these rules.")
@click.option(
    "--fail-level",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="What makes the exit code 1.",
)
def command(
    arguments: tuple[str, ...], settings: tuple[str, ...], form: str, fix: bool, diff: bool,
    select: tuple[str, ...], ignore: tuple[str, ...], fail_level: str,
) -> None:  # fmt: skip
    """Find mistakes in configs, before anything runs.

    PATH is a config, or a folder in which all *.cntk files are checked; relative paths inside a config count from its own
    folder then. With configFile=FILE, arguments mean what they mean to `bsls run`. Models that a command of the config
    will write need not exist.
    """
    from bsls.check.fix import mended, show_fixes
    from bsls.check.registry import find
    from bsls.check.run import check_config
    from bsls.cli.rewriting import rewrite

    for name in (*select, *ignore):
        if find(name) is None:
            raise click.UsageError(f"there is no rule '{name}' (see `bsls rules`)")
    targets = _targets(arguments, settings)
    findings: list[Finding] = []
    count = 0
    for attempt in range(10 if fix else 1):
        findings, count = [], 0
        for words, files in targets():
            found, files = check_config(words, files)
            findings += found
            count += max(len(files.read), 1)
        findings = [f for f in _each_once(findings) if _wanted(f.rule, select, ignore)]
        if diff:
            for line in show_fixes(findings):
                click.echo(line)
            sys.exit(1 if any(x.safe for f in findings for x in f.fixes) else 0)
        if not fix or not any(x.safe for f in findings for x in f.fixes) or attempt == 9:
            break
        for source, changes in mended(findings).items():
            rewrite(source.path, changes.edits)
            click.echo(f"{source.path}: {changes.findings} mended", err=form == "json")
    if form == "json":
        from bsls.cli.render.json import as_json

        click.echo(as_json(findings, count))
    else:
        from bsls.cli.render.text import render

        for line in render(findings, count, sys.stdout.isatty() and "NO_COLOR" not in os.environ):
            click.echo(line)
    level = _EXIT[fail_level]
    sys.exit(1 if any(f.severity >= level for f in findings) else 0)


def _each_once(findings: Iterable[Finding]) -> list[Finding]:
    """Leaves out what is said a second time of a file that several configs include."""
    from bsls.check.fix import real_path

    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        place = (real_path(finding.span.source), finding.span.start, finding.span.end) if finding.span else ()
        kept.setdefault((finding.rule, finding.message, *place), finding)
    return list(kept.values())


def _wanted(rule: str, select: tuple[str, ...], ignore: tuple[str, ...]) -> bool:
    from bsls.check.registry import find

    def listed(names: tuple[str, ...]) -> bool:
        return any((r := find(n)) is not None and r.name == rule for n in names)

    return (not select or listed(select)) and not listed(ignore)


def _targets(arguments: tuple[str, ...], settings: tuple[str, ...]):
    """What to check, as often as it is asked for: the arguments of each config and where its files are."""
    from bsls.project.files import Files

    if any(a.lower().startswith("configfile=") for a in arguments):
        return lambda: iter([(reference_arguments(arguments, settings), Files())])
    paths: list[str] = []
    for argument in arguments:
        if os.path.isdir(argument):
            paths += files_below(argument, (".cntk",))
        elif "=" in argument and not os.path.exists(argument):
            raise click.UsageError(
                f"'{argument}' is no file; give values with --set KEY=VALUE, or after configFile=FILE"
            )
        else:
            paths.append(argument)

    def targets():
        for path in dict.fromkeys(map(os.path.normpath, paths)):
            yield [f"configFile={os.path.basename(path)}", *settings], Files(os.path.dirname(path))

    return targets
