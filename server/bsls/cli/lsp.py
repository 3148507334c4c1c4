"""`bsls lsp`: the language server."""

from __future__ import annotations

import click


@click.command()
@click.option("--stdio", is_flag=True, required=True, help="Talk over standard input and output.")
def command(stdio: bool) -> None:
    """Serve an editor, which starts this itself (docs/editors.md has the configuration)."""
    from bsls.lsp.server import start

    start()
