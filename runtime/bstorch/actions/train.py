"""`train`: trains the network of a command, or goes on where its model files say that an earlier run ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from bsls.config.commands import SGD_KEYS, Command
from bsls.config.criteria import criterion_nodes, evaluation_nodes
from bsls.config.section import Section
from bsls.config.sgd import SGDSettings, read_sgd
from bsls.config.support import ignored_settings
from bsls.evaluate.environment import Counters
from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.queries import reader_inputs
from bstorch.actions.common import loaded_network, made_network, model_path, reader_for, required_section
from bstorch.context import RunContext
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Reader, check_streams
from bstorch.training import checkpoints, inside
from bstorch.training.checkpoints import ModelFiles
from bstorch.training.data_note import note_of
from bstorch.training.loop import Trainer


def run(command: Command, context: RunContext) -> None:
    """Trains until the last epoch; with `makeMode` (the default) after the last epoch that is there already."""

    def virgin(files: ModelFiles) -> Network:
        if command.trace_level > 0:
            context.say("Creating virgin network.")
        if files.finished_epochs() is None:
            context.project.counters.skip(context.skipped)
            context.skipped = Counters()
        return made_network(command, context, command.trace_level)

    train_from(command, context, virgin)


def train_from(command: Command, context: RunContext, begin: Callable[[ModelFiles], Network]) -> None:
    """Trains the network that `begin` gives, or goes on from the command's own last model."""
    section = command.section
    settings = sgd_settings(section, command.precision)
    files = ModelFiles(model_path(command).string(), settings.max_epochs)
    finished = files.finished_epochs() if section.get_boolean("makeMode", True) else None
    if finished is not None and finished == settings.max_epochs:
        context.say(f"Final model exists: {files.path}")
        context.say("No further training is necessary.")
        context.skipped.skip(_counted_before(files, finished, command, context))
        checkpoints.remove_leftovers(files.path)
        if inside.load(files.path, checkpoints.digest(files.path)) is None:  # else of a longer run, for `resume`
            inside.drop(files.path)
        checkpoints.drop_unneeded(files, settings, finished)  # of a run that was killed when all was done but this
        return
    context.say()
    if finished is not None:
        context.skipped.skip(_counted_before(files, finished, command, context))
        context.say(f"Starting from checkpoint. Loading network from '{files.model(finished)}'.")
        network = _own_model(files.model(finished))
    else:
        network = begin(files)
    context.say_all(ignored_settings(settings, command))
    train(network, command, settings, files, context, begun=finished)


def _counted_before(files: ModelFiles, epoch: int, command: Command, context: RunContext) -> Counters:
    """What the command's network counted when this run was begun; nothing where its models come from another run.

    Seeds count for the networks of later commands, which get the initial values then that they would have got if the run
    had not been interrupted.
    """
    note = checkpoints.read_note(files.model(epoch))
    counters = Counters()
    if epoch == 0 or (note is not None and note.get("commands") == context.commands):
        with suppress(BsError):
            context.project.build(command, strict=False, counters=counters)
    return counters


def _own_model(path: str) -> Network:
    try:
        return loaded_network(path)
    except BsError as error:
        if error.finding.rule == "model-file":
            error.finding.help = "delete it: training then goes on from the model of an epoch before, or begins anew"
        raise


def sgd_settings(section: Section, precision: str) -> SGDSettings:
    """The settings of the command's SGD block."""
    return read_sgd(required_section(section, *SGD_KEYS), precision)


def train(
    network: Network,
    command: Command,
    settings: SGDSettings,
    files: ModelFiles,
    context: RunContext,
    *,
    begun: int | None,
) -> None:
    """Trains `network`, of which `begun` epochs are done (None: it is fresh)."""
    section = command.section
    criteria = criterion_nodes(network, settings)
    inputs = reader_inputs(network, [criteria[0], *evaluation_nodes(network, settings, criteria)])
    reader = reader_for(required_section(section, "reader"), inputs, context)
    validation_section = section.section("cvReader")
    validation = reader_for(validation_section, inputs, context) if validation_section is not None else None
    if command.action == "adapt" and settings.adapts_to_original:
        reader = _with_original(reader, network, command, settings, context)
    data = note_of(required_section(section, "reader"))
    trainer = Trainer(network, settings, files, reader, validation, context, begun=begun or 0, data=data)
    trainer.run(from_model=begun is not None)


def _with_original(
    reader: Reader, network: Network, command: Command, settings: SGDSettings, context: RunContext
) -> Reader:
    """The reader with targets that are mixed with what the original model says."""
    from bstorch.training.adaptation import MixedTargets

    path, name = command.section.require("origModelFileName"), command.section.get("refNodeName")
    context.say(f"Load reference Network From the original model file {path.text}.")
    original = loaded_network(path.string())
    context.say(f"Checking refNodeName {path.text}.")
    if name is None or not name.text:
        raise BsError(
            "missing-key", "adaptationRegType = KL needs a refNodeName", settings.span("adaptationRegType"),
            help="add refNodeName = \"NODE\" beside origModelFileName: the original model's posteriors",
        )  # fmt: skip
    node = original.find(name.text)
    if node is None:
        raise name.error(f"'{path.text}' has no such node", "name a node of the original model, such as its softmax")
    if not network.groups["label"]:
        raise BsError(
            "config-value", "adaptationRegType = KL needs targets, but the network has no label nodes",
            settings.span("adaptationRegType"), help="give the model labelNodes",
        )  # fmt: skip
    try:
        check_streams([n for n in original.evaluation_order([node]) if n.is_input], reader)
    except BsError as error:
        error.finding.help = f"{name.text} is computed from this input of '{path.text}'"
        raise
    program = Program(original, [node], Parameters(original, context.device), context.environment())
    return MixedTargets(reader, network.groups["label"][0], program, settings.adaptation_weight, name.span)
