"""`bsls check`: mistakes in configs, before anything runs."""

from __future__ import annotations

import os
import sys

import click

from bsls.cli.arguments import reference_arguments

_EXIT = {"error": 3, "warning": 2}


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="PATH... | configFile=FILE [key=value]...")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A value for the config, such as a $variable$."
)
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
    from bsls.finding import Finding

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
        findings = [f for f in findings if _wanted(f.rule, select, ignore)]
        if diff:
            for line in show_fixes(findings):
                click.echo(line)
            sys.exit(1 if any(x.safe for f in findings for x in f.fixes) else 0)
        if not fix or not any(x.safe for f in findings for x in f.fixes) or attempt == 9:
            break
        for source, (text, number) in mended(findings).items():
            _write(source.path, text)
            click.echo(f"{source.path}: {number} mended", err=form == "json")
    if form == "json":
        from bsls.cli.render.json import as_json

        click.echo(as_json(findings, count))
    else:
        from bsls.cli.render.text import render

        for line in render(findings, count, sys.stdout.isatty() and "NO_COLOR" not in os.environ):
            click.echo(line)
    level = _EXIT[fail_level]
    sys.exit(1 if any(f.severity >= level for f in findings) else 0)


def _write(path: str, text: str) -> None:
    """Replaces a text file in one step; line ends and permissions stay."""
    from bsls.modelfile.atomic import atomic_file

    with open(path, "rb") as old:
        windows = b"\r\n" in old.read()
    mode = os.stat(path).st_mode
    with atomic_file(path) as file:
        file.write((text.replace("\n", "\r\n") if windows else text).encode())
    os.chmod(path, mode)


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
            found = sorted(
                os.path.join(d, f) for d, _, names in os.walk(argument) for f in names if f.endswith(".cntk")
            )
            if not found:
                raise click.UsageError(f"there is no *.cntk file in '{argument}'")
            paths += found
        else:
            paths.append(argument)

    def targets():
        for path in paths:
            yield [f"configFile={os.path.basename(path)}", *settings], Files(os.path.dirname(path))

    return targets
