"""`bsls explain`: one rule at length."""

from __future__ import annotations

import click


@click.command()
@click.argument("rule")
def command(rule: str) -> None:
    """Explain a RULE of `check`, by its name or code."""
    from bsls.check.registry import all_rules, find

    found = find(rule)
    if found is None:
        from difflib import get_close_matches

        meant = get_close_matches(rule.lower(), all_rules(), 1, 0.6)
        raise click.UsageError(
            f"there is no rule '{rule}'" + (f"; did you mean '{meant[0]}'?" if meant else " (see `bsls rules`)")
        )
    click.echo(f"{found.code} {found.name}: {found.summary}\n\n{found.doc.rstrip()}")
