"""Whether network and data are those that a model was trained with: what `bsls resume` looks at before it goes on."""

from __future__ import annotations

from collections.abc import Iterator

from bsls.config.commands import Command
from bsls.evaluate.environment import Counters
from bsls.finding import BsError
from bsls.network.difference import Difference, difference
from bsls.network.network import Network
from bstorch.context import RunContext
from bstorch.training import data_note
from bstorch.training.checkpoints import read_note

MOST = 3
"""How many changes of a network are named."""


def check_unchanged(command: Command, network: Network, model: str, context: RunContext) -> None:
    """Raises BsError where the config describes another network than that of the model, or its data have changed.

    What cannot be built without the files of other commands, and data of which nothing is noted, are taken as unchanged.
    """
    built = _built(command, context)
    if built is not None and (found := difference(network, built, settings=False)):
        shown = list(_words(found))
        more = f"; {len(shown) - MOST} more" if len(shown) > MOST else ""
        raise BsError(
            "network-changed",
            f"the config describes another network than that of '{model}': {'; '.join(shown[:MOST])}{more}",
            command.section.span,
            help="put the description back as it was, train anew with another modelPath, or give --force to go on with the network of the model",
        )
    reader = command.section.section("reader")
    noted = (read_note(model) or {}).get("data")
    if reader is None or not isinstance(noted, dict):
        return
    if words := data_note.changed(noted, data_note.note_of(reader)):
        raise BsError(
            "data-changed",
            f"the data have changed since '{model}' was trained: {'; '.join(words)}",
            reader.span,
            help="put them back, or give --force to go on with these",
        )


def _built(command: Command, context: RunContext) -> Network | None:
    """The network that the config describes now; None where it describes none, or needs a model that is not there."""
    if command.builder() is None:
        return None
    try:
        return context.project.build(command, counters=Counters()).network
    except BsError as error:
        if error.finding.rule in ("missing-model", "missing-file"):
            return None
        raise


def _words(found: Difference) -> Iterator[str]:
    """In the view of the config: what it has and the model has not is new."""
    for changed in found.changed:
        what = ", ".join(f"{c.what} {c.after} instead of {c.before}" for c in changed.changes)
        yield f"'{changed.after.name}' has {what}"
    yield from (f"'{node.name}' is new" for node in found.added)
    yield from (f"'{node.name}' is missing" for node in found.removed)
    yield from (f"'{old.name}' is called '{new.name}'" for old, new in found.renamed)
