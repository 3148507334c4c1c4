"""`bsls rules`: what `check` looks for."""

from __future__ import annotations

import click


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(form: str) -> None:
    """List what `check` looks for; `bsls explain RULE` says more."""
    from bsls.check.registry import all_rules

    rules = list(all_rules().values())
    if form == "json":
        import json

        click.echo(json.dumps([{"code": r.code, "rule": r.name, "summary": r.summary} for r in rules], indent=1))
        return
    width = max(len(r.name) for r in rules)
    for rule in rules:
        click.echo(f"{rule.code}  {rule.name:{width}}  {rule.summary}")
