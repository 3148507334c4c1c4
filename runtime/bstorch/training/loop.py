"""Training: read, forward, backward, update, log; after each epoch validate and commit."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from bsls.config.criteria import criterion_nodes, evaluation_nodes
from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.modelfile.checkpoint import Checkpoint, read_checkpoint
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.shape import Shape
from bstorch.context import RunContext
from bstorch.events import EpochEnd, Interval, Training
from bstorch.kernels.base import Environment, has_axis, shape_of
from bstorch.kernels.noise import RANDOM_OPERATIONS
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Reader
from bstorch.threads import suit_threads
from bstorch.training import checkpoints, log
from bstorch.training.checkpoints import ModelFiles
from bstorch.training.criteria import Criterion, EpochSums, SampleCounter, SinceLast, minibatch_columns
from bstorch.training.evaluator import Evaluator, start_accumulators
from bstorch.training.learners import MomentumLearner
from bstorch.training.precompute import missing_statistics, precompute
from bstorch.training.schedule import EpochSettings

NO_UPDATE_BELOW = 0.01
"""Times the least learning rate: below that rates change nothing, and no gradient is computed."""


@dataclass(slots=True)
class State:
    """What a checkpoint keeps beside the learner's state."""

    samples_seen: int = 0
    learning_rate: float = math.nan
    previous_criterion: float = math.inf


class Trainer:
    """Trains the parameters of a network from one epoch to the last.

    `begun` is the number of epochs that the parameters have been trained for already.
    """

    def __init__(
        self,
        network: Network,
        settings: SGDSettings,
        files: ModelFiles,
        reader: Reader,
        validation: Reader | None,
        context: RunContext,
        *,
        begun: int = 0,
    ) -> None:
        self.network = network
        self.settings = settings
        self.files = files
        self.reader = reader
        self.validation = validation
        self.context = context
        self.begun = begun
        self.state = State()
        self.criteria = criterion_nodes(network, settings)
        self.evaluations = evaluation_nodes(network, settings, self.criteria)
        self.shown = [self.criteria[0], *self.evaluations]
        self.parameters = Parameters(network, context.device)
        environment = context.environment(training=True, fast_random=fast_random(settings, context))
        environment.recompute, environment.compile = settings.recompute_activations, settings.compile
        self.program = Program(network, self.shown, self.parameters, environment, self.criteria[0])
        learnable = self.program.learnable
        self.learner = MomentumLearner.of(settings, network, learnable, [self.parameters[n] for n in learnable])
        inputs = [n for n in self.program.order if n.is_input]
        self._counter = SampleCounter(self.shown, inputs, self.program.environment)
        self._features = [n.name for n in network.groups["feature"]]
        self._epochs = EpochSettings(self.program, network, self.criteria[0], settings, context.say)
        self._evaluator: Evaluator | None = None
        self.epoch_samples = settings.epoch_size or log.UNKNOWN_EPOCH_SIZE

    @property
    def names(self) -> list[str]:
        return [n.name for n in self.shown]

    # --- the run -----------------------------------------------------------------------------------------------------

    def run(self, *, from_model: bool) -> None:
        """Trains up to the last epoch. `from_model`: the network comes from a model file of this run."""
        self.context.events.training_begins(self._announced())
        self._introduce()
        checkpoints.remove_leftovers(self.files.path)
        self._precompute()
        if not from_model:  # a model that is there stays as it is: its checkpoint belongs to it
            checkpoints.save_model(self.network, self.parameters, self.files.model(0))
        if self.begun > 0:
            self._restore()
            if not self.settings.keep_checkpoints:  # a run that was killed just then may have left it
                checkpoints.drop_checkpoint(self.files.model(self.begun - 1))
        for epoch in range(self.begun, self.settings.max_epochs):
            if not self._epoch(epoch):
                break
        self.context.events.training_ends()

    def _announced(self) -> Training:
        samples = self.settings.epoch_size or getattr(self.reader, "samples", None)  # not every reader knows
        return Training(
            self.context.command, self.context.trains_several, self.settings, self.shown, self.begun, samples,
            minibatches=checkpoints.minibatches_of(self.files.model(self.begun)) if self.begun else 0,
            validates=self.validation is not None,
        )  # fmt: skip

    def _introduce(self) -> None:
        say_all, trace_level = self.context.say_all, self.settings.trace_level
        say_all(
            log.training_head(
                _named(self.criteria), _named(self.evaluations), len(self.network), self.context.device_name
            )
        )
        learnable = self.program.learnable
        updated = [(n.name, str(Shape(shape_of(n).dims))) for n in learnable]
        elements = sum(shape_of(n).elements for n in learnable)
        say_all(log.parameter_list(updated, elements, len(learnable), len(self.program.with_gradient), trace_level))
        if self.program.environment.fast_random and any(n.op in RANDOM_OPERATIONS for n in self.program.order):
            self.context.say(
                "Random numbers are fast ones, other than those of CNTK (randomNumbers = reference gives the same)."
            )

        if self.program.environment.recompute:
            self.context.say(
                f"Parts of the network that are computed again on the way back (recomputeActivations = true): {self.program.segments}."
            )
        if self.settings.compile:
            self._introduce_compiling()

    def _introduce_compiling(self) -> None:
        regions = self.program.regions
        if self.settings.recompute_activations or self.context.detect_anomaly:
            other = "recomputeActivations = true" if self.settings.recompute_activations else "--detect-anomaly"
            self.context.say(f"WARNING: compile = true has no effect together with {other}.")
        elif regions == 0:
            self.context.say("WARNING: compile = true has no effect: there is nothing to compile in this network.")
        else:
            self.context.say(
                f"Parts of the network that are compiled in the first minibatch (compile = true): {regions}."
            )

    def _precompute(self) -> None:
        """Computes statistics of the data that the network needs."""
        say, settings = self.context.say, self.settings
        nodes = missing_statistics(self.network)
        if not nodes:
            if settings.trace_level > 0:
                say("No PreCompute nodes found, or all already computed. Skipping pre-computation step.")
            return
        say()
        say(f"Precomputing --> {len(nodes)} PreCompute nodes found.")
        say()
        if settings.trace_level > 0:
            for node in nodes:
                say(f"\t{node.name} = {node.op}()")
        epoch_size = None if settings.use_all_data_for_precompute else settings.epoch_size or None
        minibatches = self.reader.minibatches(0, epoch_size, settings.minibatch_size[0])
        precompute(nodes, self.parameters, minibatches, self._environment())
        say()
        say("Precomputing --> Completed.")
        say()

    def _restore(self) -> None:
        """Takes the state of the checkpoint beside the model that training goes on from."""
        model = self.files.model(self.begun)
        path = checkpoints.checkpoint_of(model)
        if not os.path.exists(path):
            self.context.say(
                "Warning: Checkpoint file is missing. Parameter-learning state (such as momentum) will be reset."
            )
            self.state.previous_criterion = 0.0
            return
        stored = read_checkpoint(path)
        if not checkpoints.belongs_together(model):
            self.context.say(
                f"WARNING: '{path}' was written for another model than '{model}' is now; it is not used, so that momentum begins anew."
            )
            self.state.previous_criterion = 0.0
            return
        if not self.learner.restore(stored.gradients):
            raise BsError(
                "checkpoint-mismatch",
                f"'{path}' holds the state of other parameters than the network has",
                help="delete it to go on from the model with the state reset, or put back the checkpoint that belongs to it",
            )
        self.state = State(stored.samples_seen, stored.learning_rate, stored.previous_criterion)
        if stored.counts is not None:
            self.learner.counts = list(stored.counts)

    def _epoch(self, epoch: int) -> bool:
        """One epoch (from 0) with all that follows it; False where the learning rate says that training is over."""
        began = time.perf_counter()
        settings, say = self.settings, self.context.say
        self._epochs.begin(epoch)
        self.learner.begin(epoch)
        suit_threads(self.network, settings.minibatch_size[epoch])
        rate = settings.learning_rate(epoch)
        if rate < settings.min_rate:
            self._end_by_rate(epoch, rate)
            return False
        momentum, size = settings.momentum_per_sample(epoch), settings.minibatch_size[epoch]
        if settings.trace_level > 0:
            say()
            say(log.epoch_start(epoch + 1, rate, momentum, size))
            say()
            say("Starting minibatch loop.")
        self.context.events.epoch_begins(epoch + 1, rate)
        found = self._minibatches(epoch, rate, momentum, size)
        self.state.learning_rate = rate
        self.state.samples_seen += found[0].samples
        end = self._finish_training(epoch, found, time.perf_counter() - began)
        control = found[0].average
        if self.validation is not None:
            validated = self._validate(epoch, size)
            self.context.events.epoch_ends(replace(end, validated=validated))
            if settings.rate_control.use_validation:
                control = validated[0].average
        if math.isnan(control):
            raise self.not_a_number(epoch)
        self.state.previous_criterion = control
        self._commit(epoch, size)
        return True

    def _minibatches(self, epoch: int, rate: float, momentum: float, size: int) -> list[Criterion]:
        """Goes through the minibatches of an epoch and changes the parameters after each."""
        settings = self.settings
        sums = EpochSums(self.shown, self.context.device)
        updating = rate > settings.min_rate * NO_UPDATE_BELOW
        framed = has_axis(self.criteria[0])
        line, events = _LineWriter(self, epoch, size), self.context.events
        start_accumulators(self.program)
        for minibatch in self.reader.minibatches(epoch, settings.epoch_size or None, size):
            gradients: list[Tensor | None] = []
            if updating:
                values, gradients = self.program.gradients(minibatch)
            else:
                values = self.program.forward(minibatch)
            counts = self._counter()
            sums.add(values, counts)
            if updating:
                samples = counts[0] if framed else minibatch_columns(minibatch, self._features)
                self.learner.step(gradients, samples, rate, momentum)
            asked, due = events.minibatch(minibatch.samples), line.due()
            if asked or due:
                so_far = sums.read()
                if asked:
                    events.sums(so_far)
                if due:
                    line.write(so_far)
        return sums.read()

    # --- after the minibatches ---------------------------------------------------------------------------------------

    def _finish_training(self, epoch: int, found: Sequence[Criterion], seconds: float) -> EpochEnd:
        rate, seen = self.state.learning_rate, self.state.samples_seen
        shown = f"{log.criteria(self.names, found)}; totalSamplesSeen = {seen}; learningRatePerSample = {rate:.8g}; epochTime={seconds:.6g}s"
        self.context.say(log.epoch_end(epoch + 1, self.settings.max_epochs, "Training", shown))
        self.context.flush()
        end = EpochEnd(epoch + 1, rate, seconds, seen, found)
        self.context.events.epoch_ends(end)
        return end

    def _environment(self) -> Environment:
        """For what is computed of the network beside its training."""
        environment = self.context.environment()
        environment.traced = self.program.environment.traced
        return environment

    def _validate(self, epoch: int, size: int) -> list[Criterion]:
        assert self.validation is not None
        if self._evaluator is None:
            program = Program(self.network, self.shown, self.parameters, self._environment())
            self._evaluator = Evaluator(program, self.context.say)
        found = self._evaluator.run(self.validation.minibatches(0, None, size))
        self.context.say(
            log.epoch_end(epoch + 1, self.settings.max_epochs, "Validate", log.criteria(self.names, found))
        )
        return found

    def _commit(self, epoch: int, size: int) -> None:
        model = self.files.model(epoch + 1)
        if self.settings.trace_level > 0:
            self.context.say(f"SGD: Saving checkpoint model '{model}'")
        state = Checkpoint(
            self.state.samples_seen, self.state.learning_rate, self.state.previous_criterion, size,
            self.learner.stored(), list(self.learner.counts),
        )  # fmt: skip
        checkpoints.commit(
            self.network, self.parameters, state, self.files, epoch + 1,
            command=self.context.command, commands=self.context.commands,
            minibatches=self.context.events.pace.minibatches,
        )  # fmt: skip
        if not self.settings.keep_checkpoints:
            checkpoints.drop_checkpoint(self.files.model(epoch))
        self.context.flush()
        self.context.events.emit(
            "checkpoint",
            command=self.context.command,
            epoch=epoch + 1,
            model=model,
            checkpoint=checkpoints.checkpoint_of(model),
        )

    def _end_by_rate(self, epoch: int, rate: float) -> None:
        self.context.say(
            f"Learn Rate Per Sample for Epoch[{epoch + 1}] = {rate:.8g} is less than minLearningRatePerSample {self.settings.min_rate:.8g}. Training complete."
        )
        self.context.say(
            f"WARNING: '{self.files.path}' is not written then; the last model is '{self.files.model(epoch)}'."
        )

    def not_a_number(self, epoch: int) -> BsError:
        node = self.criteria[0]
        return BsError(
            "not-a-number",
            f"the training criterion '{node.name}' is not a number (NaN) in epoch {epoch + 1}",
            self.settings.span("learningRatesPerMB" if self.settings.rates_per_minibatch else "learningRatesPerSample"),
            help="lower the learning rate, or limit the gradients with clippingThresholdPerSample",
        )


class _LineWriter:
    """The lines of one epoch about the minibatches since the last line."""

    def __init__(self, trainer: Trainer, epoch: int, size: int) -> None:
        self._trainer = trainer
        self._epoch = epoch
        self._size = size
        self._done = self._shown = 0
        self._since_last = SinceLast(trainer.shown)
        self._since = time.perf_counter()
        self._first = trainer.settings.show_first
        self._every = trainer.settings.show_every

    def due(self) -> bool:
        """Counts a minibatch; whether a line follows it."""
        self._done += 1
        return self._done <= self._first or (self._every > 0 and self._done % self._every == 0)

    def write(self, sums: list[Criterion]) -> None:
        """Shows the minibatches since the last line; raises where the criterion is no number any more."""
        trainer = self._trainer
        seconds = time.perf_counter() - self._since
        since = self._since_last(sums)
        in_range = self._done - self._shown
        progress = self._progress(since[0].samples, in_range)
        if trainer.settings.trace_level > 0:
            epochs, shown = trainer.settings.max_epochs, log.criteria(trainer.names, since)
            trainer.context.say(
                log.minibatch_line(
                    self._epoch + 1, epochs, self._shown + 1, self._done, progress, shown, seconds, since[0].samples
                )
            )
            trainer.context.flush()
        trainer.context.events.interval(Interval(self._epoch + 1, self._shown + 1, self._done, since, sums, seconds))
        if math.isnan(sums[0].total):
            raise trainer.not_a_number(self._epoch)
        self._shown = self._done
        self._since = time.perf_counter()

    def _progress(self, samples: int, in_range: int) -> str:
        """The percentage, where the size of an epoch is given or known from the first one of the run."""
        trainer = self._trainer
        if self._epoch > trainer.begun or trainer.settings.epoch_size:
            return log.progress(self._done, in_range, self._size, trainer.epoch_samples)
        trainer.epoch_samples = self._done * samples // in_range
        return ""


def fast_random(settings: SGDSettings, context: RunContext) -> bool:
    """Whether random numbers may be others than the reference's: `randomNumbers = fast`, the default on a GPU."""
    value = settings.section.get("randomNumbers")
    if value is None:
        return context.device.type != "cpu"
    if value.text.lower() not in ("reference", "fast"):
        raise value.error("an unknown word", "use reference or fast")
    return value.text.lower() == "fast"


def _named(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    return [(n.name, n.op) for n in nodes]
