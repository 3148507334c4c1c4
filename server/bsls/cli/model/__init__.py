"""`bsls model`: model files; one subcommand a file."""

from __future__ import annotations

import click

from bsls.cli.lazy import LazyGroup

_COMMANDS = {
    "show": "Show the nodes of models: operation, inputs, shape, and how BrainScript reaches each.",
    "nodes": "List the nodes whose names fit a pattern.",
    "weights": "Show what the values of a parameter are like.",
    "diff": "Show how two models differ, in structure and values.",
    "graph": "Draw the network of a model.",
    "verify": "Read models to the end, and look for what is wrong with them.",
    "rename": "Give nodes of a model other names.",
    "copy-weights": "Copy values of parameters from one model to another.",
    "convert": "Write a model as one of the other generation, v1 or v2.",
    "from-safetensors": "Write a model with the values in a safetensors file.",
}


@click.command(cls=LazyGroup, package="bsls.cli.model", summaries=_COMMANDS)
def command() -> None:
    """Look into model files, and edit them."""
