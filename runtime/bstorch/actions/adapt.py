"""`adapt`: trains the network of another model, `origModelFileName`, with momentum and rates of its own."""

from __future__ import annotations

from bsls.config.commands import Command
from bsls.finding import BsError
from bsls.network.network import Network
from bstorch.actions.common import loaded_network
from bstorch.actions.train import train_from
from bstorch.context import RunContext
from bstorch.training.checkpoints import ModelFiles


def run(command: Command, context: RunContext) -> None:
    """Trains until the last epoch; with `makeMode` (the default) after the last epoch that is there already."""

    def original(_: ModelFiles) -> Network:
        path = command.section.require("origModelFileName")
        context.say(f"Load Network From the original model file {path.text}.")
        try:
            return loaded_network(path.string())
        except BsError as error:
            error.finding.span = error.finding.span or path.span
            raise

    train_from(command, context, original)
