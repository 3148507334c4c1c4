"""Training: read, forward, backward, update, log; after each epoch validate and commit."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch

from bsls.config.criteria import criterion_nodes, evaluation_nodes
from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.modelfile.checkpoint import Checkpoint, read_checkpoint
from bsls.network.network import Network
from bstorch.context import RunContext
from bstorch.events import EpochEnd, Training
from bstorch.kernels.base import Environment, has_axis
from bstorch.program.parameters import Parameters
from bstorch.program.program import Program
from bstorch.readers.base import Reader
from bstorch.threads import suit_threads
from bstorch.training import checkpoints, data_note, inside, log
from bstorch.training.best_models import BestModels
from bstorch.training.checkpoints import ModelFiles
from bstorch.training.course import Course, Due, Machine
from bstorch.training.criteria import Criterion, EpochSums, SampleCounter, minibatch_columns
from bstorch.training.evaluator import Evaluator, start_accumulators
from bstorch.training.gradient_check import GradientCheck
from bstorch.training.inside import Inside
from bstorch.training.interruption import Stopped, StopRequest
from bstorch.training.introduction import introduce
from bstorch.training.learners.choice import learner_of
from bstorch.training.lines import MinibatchLines
from bstorch.training.minibatch_search import MinibatchSearch
from bstorch.training.precompute import missing_statistics, precompute
from bstorch.training.rate_control import Progress, RateAdjustment, RateSearch, explicit_rates
from bstorch.training.schedule import EpochSettings
from bstorch.training.subminibatches import Subminibatches, note, wanted_groups

NO_UPDATE_BELOW = 0.01
"""Times the least learning rate: below that rates change nothing, and no gradient is computed."""
NO_RATE = 1e-12
"""A rate per sample of which the reference says that it ends the training; it does not."""


@dataclass(slots=True)
class State(Progress):
    """What a checkpoint keeps beside the learner's state."""

    samples_seen: int = 0

    def take(self, stored: Checkpoint) -> None:
        """Goes on from that of a checkpoint."""
        self.learning_rate, self.previous_criterion = stored.learning_rate, stored.previous_criterion
        self.samples_seen = stored.samples_seen


class Trainer:
    """Trains the parameters of a network from one epoch to the last.

    `begun` is the number of epochs that the parameters have been trained for already, `data` what `data_note` says of the
    files that the reader reads.
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
        data: Mapping[str, str] | None = None,
    ) -> None:
        self.network = network
        self.settings = settings
        self.files = files
        self.reader = reader
        self.validation = validation
        self.context = context
        self.begun = begun
        self.data = dict(data or {})
        self.state = State(0.5 / settings.minibatch_size[begun])
        self.criteria = criterion_nodes(network, settings)
        self.evaluations = evaluation_nodes(network, settings, self.criteria)
        self.shown = [self.criteria[0], *self.evaluations]
        self.parameters = Parameters(network, context.device)
        environment = context.environment(training=True, fast_random=fast_random(settings, context))
        environment.recompute, environment.compile = settings.recompute_activations, settings.compile
        self.program = Program(network, self.shown, self.parameters, environment, self.criteria[0])
        learnable = self.program.learnable
        self.learner = learner_of(settings, network, learnable, [self.parameters[n] for n in learnable])
        inputs = [n for n in self.program.order if n.is_input]
        self._counter = SampleCounter(self.shown, inputs, self.program.environment)
        self._features = [n.name for n in network.groups["feature"]]
        self._epochs = EpochSettings(self.program, network, self.criteria[0], settings, context.say)
        self._check = GradientCheck(self.program, settings, context.say) if settings.gradient_check else None
        self._evaluator: Evaluator | None = None
        self._adjustment = RateAdjustment(settings, begun, context.say)
        self._rate_search = RateSearch(settings, context.say)
        self._sizes = MinibatchSearch(settings, context.say, settings.minibatch_size[begun])
        self._best = BestModels(self.names) if settings.save_best_per_criterion else None
        self._rate_known = False
        self._ended: int | None = None
        """After how many epochs the training has ended early."""
        self._machine = Machine(self.program, self.learner, self._epochs.functions)
        self._stop = StopRequest(self._say_at_once)
        self._base = ""
        """The digest of the model that the epoch began with, once it is needed."""
        self.epoch_samples = settings.epoch_size or log.UNKNOWN_EPOCH_SIZE

    @property
    def names(self) -> list[str]:
        return [n.name for n in self.shown]

    # --- the run -----------------------------------------------------------------------------------------------------

    def run(self, *, from_model: bool) -> None:
        """Trains up to the last epoch. `from_model`: the network comes from a model file of this run."""
        self.context.events.training_begins(self._announced())
        introduce(self)
        checkpoints.remove_leftovers(self.files.path)
        self._precompute()
        with self._stop:
            self._run(from_model)
        if self._best is not None:
            self._copy_best_models(self._best)

    def _run(self, from_model: bool) -> None:
        if not from_model:  # a model that is there stays as it is: its checkpoint belongs to it
            checkpoints.save_model(self.network, self.parameters, self.files.model(0))
        if self.begun > 0:
            self._restore()
            checkpoints.drop_unneeded(
                self.files, self.settings, self.begun
            )  # a run that was killed just then may have left some
        self._check_rate_of_first_epoch()
        epoch: int | None = self.begun
        within = self._found_within(from_model)
        while epoch is not None and epoch < self.settings.max_epochs:
            if self._stop.number:
                done = f"stopped after epoch {epoch} of {self.settings.max_epochs}"
                raise Stopped(f"{done}; the same command goes on from there", self._stop.number)
            epoch = self._epoch(epoch, within)
            within = None
        if self._stop.number:
            raise Stopped("stopped after the last epoch; the same command goes on from there", self._stop.number)
        self.context.events.training_ends()

    def _announced(self) -> Training:
        samples = self.settings.epoch_size or getattr(self.reader, "samples", None)  # not every reader knows
        return Training(
            self.context.command, self.context.trains_several, self.settings, self.shown, self.begun, samples,
            minibatches=checkpoints.minibatches_of(self.files.model(self.begun)) if self.begun else 0,
            validates=self.validation is not None,
        )  # fmt: skip

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
        if not self.learner.restore(stored.gradients, stored.counts):
            raise BsError(
                "checkpoint-mismatch",
                f"'{path}' holds the state of other parameters than the network has",
                help="delete it to go on from the model with the state reset, or put back the checkpoint that belongs to it",
            )
        self.state.take(stored)
        self._rate_known = True
        self._rate_search.note(self.begun, stored.learning_rate)
        self._sizes.previous = stored.minibatch_size or self.settings.minibatch_size[self.begun]
        self._take_control((checkpoints.read_note(model) or {}).get("control"))
        if self._best is not None and stored.criteria is not None:
            self._best.restore(stored.criteria)

    def _check_rate_of_first_epoch(self) -> None:
        adjusts = self.settings.rate_control.method == "adjustAfterEpoch"
        if adjusts and not self._rate_known and explicit_rates(self.settings) <= self.begun:
            raise BsError(
                "missing-key",
                f"there is no learning rate for epoch {self.begun + 1}: neither in a schedule nor in a checkpoint",
                self.settings.span("AutoAdjust"),
                help="give learningRatesPerSample for the epochs before the rate is adjusted",
            )

    def _epoch(self, epoch: int, within: Inside | None = None) -> int | None:
        """One epoch (from 0) with all that follows it, from its beginning or from `within`. Gives the next epoch, or None
        where training is over."""
        began = time.perf_counter()
        settings, say = self.settings, self.context.say
        self._epochs.begin(epoch)
        self.learner.begin(epoch)
        suit_threads(self.network, settings.minibatch_size[epoch])
        self._base = ""
        rate, change = self._rate(epoch) if within is None else (within.rate, 1.0)
        if rate < settings.min_rate:
            self._end_by_rate(epoch, rate)
            return None
        size = self._sizes.size(epoch, rate, change, self._trial) if within is None else within.size
        momentum = settings.momentum_per_sample(epoch)
        if settings.trace_level > 0:
            say()
            say(log.epoch_start(epoch + 1, rate, momentum, size))
        self.context.events.epoch_begins(epoch + 1, rate)
        found = self._minibatches(epoch, rate, size, within=within)
        self.state.samples_seen += found[0].samples
        end = self._finish_training(epoch, found, time.perf_counter() - began)
        control = found
        if self.validation is not None:
            validated = self._validate(epoch, settings.minibatch_size[epoch])
            self.context.events.epoch_ends(replace(end, validated=validated))
            if settings.rate_control.use_validation:
                control = validated
        decisive = control[1] if settings.rate_control.use_evaluation and len(control) > 1 else control[0]
        decision = self._adjustment.follow(epoch, decisive.average, self.state, self._go_back)
        if decision is None:
            raise self.not_a_number(epoch)
        if decision.ends:
            self._commit(ModelFiles(self.files.path, epoch + 1), epoch, size)
            self._ended = epoch + 1
            say("Finished training and saved final model")
            say()
            return None
        if decision.back_to is not None:
            self._undo(epoch, decision.back_to, size)
            return decision.back_to
        if settings.trace_level > 0:
            say(f"SGD: Saving checkpoint model '{self.files.model(epoch + 1)}'")
        self._commit(self.files, epoch, size)
        checkpoints.drop_unneeded(self.files, self.settings, epoch + 1)
        if self.state.learning_rate < NO_RATE:
            say(
                f"learnRate per sample is reduced to {self.state.learning_rate:.8g} which is below 1e-12. stop training."
            )
        return epoch + 1

    def _rate(self, epoch: int) -> tuple[float, float]:
        """The learning rate per sample for an epoch, and the factor by which a search has changed it."""
        change, method = 1.0, self.settings.rate_control.method
        if method == "none" or epoch < explicit_rates(self.settings):
            self.state.learning_rate = self.settings.learning_rate(epoch)
        elif method == "searchBeforeEpoch":
            previous = self.state.previous_criterion
            found = self._rate_search.search(epoch, previous, self._trial, known=self._rate_known)
            change = found / self.state.learning_rate
            self.state.learning_rate = found
        self._rate_known = True
        return self.state.learning_rate, change

    def _trial(self, epoch: int, rate: float, size: int, samples: int, prefix: str) -> Criterion:
        """See `Trial`."""
        kept = [self.parameters[n].clone() for n in self.parameters]
        states, counts = [s.clone() for s in self.learner.states], list(self.learner.counts)
        runs = {n: n.attributes["runCount"] for n in self.network if "runCount" in n.attributes}
        found = self._minibatches(epoch, rate, size, samples, prefix)
        self.context.say(
            f" Finished Mini-Epoch[{epoch + 1}]: {log.criteria(self.names, found)}; learningRatePerSample = {rate:.8g}; minibatchSize = {size}"
        )
        with torch.no_grad():
            for node, value in zip(self.parameters, kept, strict=True):
                self.parameters[node].copy_(value)
            for state, value in zip(self.learner.states, states, strict=True):
                state.copy_(value)
        self.learner.counts[:] = counts
        for node in self.network:
            if "runCount" in node.attributes:
                node.attributes["runCount"] = runs.get(node, 0)
        return found[0]

    def _minibatches(
        self,
        epoch: int,
        rate: float,
        size: int,
        most: int | None = None,
        prefix: str = "",
        within: Inside | None = None,
    ) -> list[Criterion]:
        """Goes through the minibatches of an epoch and changes the parameters after each.

        With `most`, up to the first minibatch that ends behind as many samples; that is a trial, of which nothing is saved.
        `prefix` begins the lines. Those that were done `within` the epoch are left out.
        """
        settings = self.settings
        if settings.trace_level > 0:
            self.context.say()
            self.context.say(f"Starting minibatch loop{note(settings.parts, size)}.")
        momentum = settings.momentum_per_sample(epoch)
        sums = EpochSums(self.shown, self.context.device)
        updating = rate > settings.min_rate * NO_UPDATE_BELOW
        framed = has_axis(self.criteria[0])
        lines = MinibatchLines(self, epoch, size, prefix)
        events = self.context.events
        start_accumulators(self.program)
        due = Due(settings.checkpoint_every)
        minibatches = self.reader.minibatches(epoch, settings.epoch_size or None, size)
        parts = Subminibatches(self.program, wanted_groups(settings.parts, size), self._counter)
        course = Course(epoch, rate, size, sums, lines, parts)
        if within is not None:
            self._take_within(within, course)
            minibatches = islice(minibatches, within.minibatches, None)
        for minibatch in minibatches:
            if self._check is not None:
                self._check(minibatch)
            values, gradients = parts.run(minibatch, updating=updating)
            counts = parts.samples
            sums.add(values, counts)
            if updating:
                samples = counts[0] if framed else minibatch_columns(minibatch, self._features)
                self.learner.step(gradients, samples, rate, momentum)
            asked, shown = most is None and events.minibatch(minibatch.samples), lines.due()
            if asked or shown:
                so_far = sums.read()
                if asked:
                    events.sums(so_far)
                if shown:
                    lines.write(so_far)
            course.position += minibatch.samples
            if most is not None and course.position > most:
                break
            if due() or self._stop.number:
                self._save_within(course, trial=most is not None)
        return sums.read()

    # --- the state within an epoch -----------------------------------------------------------------------------------

    def _save_within(self, course: Course, *, trial: bool) -> None:
        """Saves where the epoch is, and ends the training if it was asked to end."""
        done = course.lines.done
        if not trial:
            self._base = self._base or checkpoints.digest(self.files.model(course.epoch))
            lines, groups = self._machine.state(course)
            lines |= {"control": self._kept_control(), "data": self.data}
            state = Inside(self._base, course.epoch, done, course.size, course.rate, lines, groups)
            inside.save(state, self.files.path)
        if self._stop.number:
            what = "a search before it begins anew" if trial else f"{done} of its minibatches are done and saved"
            where = f"in epoch {course.epoch + 1} of {self.settings.max_epochs}"
            raise Stopped(f"stopped {where}: {what}; the same command goes on from there", self._stop.number)

    def _found_within(self, from_model: bool) -> Inside | None:
        """The state within the epoch that this run begins with; one that belongs to another model is removed."""
        if from_model and os.path.exists(inside.path_of(self.files.path)):
            found = inside.load(self.files.path, checkpoints.digest(self.files.model(self.begun)))
            if found is not None and found.epoch == self.begun and inside.fits(found, self._machine.shapes):
                if not (other := self._changed_since(found)):
                    return found
                self.context.say(f"WARNING: {other}. The epoch begins anew.")
        inside.drop(self.files.path)
        return None

    def _changed_since(self, within: Inside) -> str:
        """Why a state within an epoch does not count; nothing where it does."""
        if data := data_note.changed(within.lines.get("data", {}), self.data):
            return f"the data are others now: {'; '.join(data)}"
        numbers = within.lines.get("numbers")
        if numbers != self._machine.numbers:
            return f"random numbers are drawn in another way now: {self._machine.numbers} instead of {numbers}"
        return ""

    def _take_within(self, within: Inside, course: Course) -> None:
        """Goes on from a state within an epoch."""
        self._machine.take(within, course)
        self.state.learning_rate, self._rate_known = within.rate, True
        self._sizes.previous = within.size
        self._take_control(within.lines["control"])
        self.context.events.pace.skip(within.minibatches, course.position)
        self.context.say(f"Going on after {within.minibatches} minibatches of this epoch.")

    def _say_at_once(self, text: str) -> None:
        self.context.say(text)
        self.context.flush()

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
        if self._best is not None:
            self.context.say(self._best.note(epoch, found))
        return found

    def _checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(
            self.state.samples_seen, self.state.learning_rate, self.state.previous_criterion, size,
            self.learner.stored(), list(self.learner.counts), self._best.stored() if self._best else None,
        )  # fmt: skip

    def _noted(self) -> dict[str, object]:
        """What is noted beside a checkpoint: see `checkpoints.MORE`."""
        control = self._kept_control()
        noted: dict[str, object] = {"minibatches": self.context.events.pace.minibatches, "data": self.data}
        return noted if control is None else noted | {"control": control}

    def _kept_control(self) -> dict[str, object] | None:
        control = self.settings.rate_control
        if control.method == "none" and not control.adjust_minibatch:
            return None
        size = self._sizes.previous
        return {"adjustment": self._adjustment.kept(), "rates": self._rate_search.kept(), "size": size}

    def _take_control(self, kept: Mapping[str, Any] | None) -> None:
        if kept is not None:  # beside a checkpoint of the reference there is nothing
            self._adjustment.take(kept["adjustment"])
            self._rate_search.take(kept["rates"])
            self._sizes.previous = int(kept["size"])

    def _commit(self, files: ModelFiles, epoch: int, size: int) -> None:
        model = files.model(epoch + 1)
        checkpoints.commit(
            self.network, self.parameters, self._checkpoint(size), files, epoch + 1,
            command=self.context.command, commands=self.context.commands, more=self._noted(),
        )  # fmt: skip
        inside.drop(self.files.path)
        self.context.flush()
        self.context.events.emit(
            "checkpoint",
            command=self.context.command,
            epoch=epoch + 1,
            model=model,
            checkpoint=checkpoints.checkpoint_of(model),
        )

    def _go_back(self, epochs: int) -> None:
        """Takes model and state after `epochs` epochs."""
        model = self.files.model(epochs)
        self.context.say(f"Loading (rolling back to) previous model with best training-criterion value: {model}.")
        self.parameters.reload(model)
        if os.path.exists(checkpoints.checkpoint_of(model)):
            stored = read_checkpoint(checkpoints.checkpoint_of(model))
            self.learner.restore(stored.gradients, stored.counts)
            self.state.take(stored)
            self._sizes.previous = stored.minibatch_size or self._sizes.previous
        else:  # the initial model has none
            self.learner.restart()
            self.state.previous_criterion, self.state.samples_seen = math.inf, 0

    def _undo(self, epoch: int, back_to: int, size: int) -> None:
        """After the way back from `epoch` (from 0): its files and those of the epochs between go, the rate is noted."""
        inside.drop(self.files.path)  # of the attempt that does not count
        for done in range(epoch, back_to, -1):
            self.context.say(
                f"SGD: removing model and checkpoint files for epoch {done} after rollback to epoch {back_to}"
            )
            checkpoints.drop_checkpoint(self.files.model(done))
            with suppress(OSError):
                os.unlink(self.files.model(done))
        self.context.say(f"SGD: revoke back to and update checkpoint file for epoch {back_to}")
        checkpoints.rewrite_checkpoint(
            self._checkpoint(size),
            self.files,
            back_to,
            command=self.context.command,
            commands=self.context.commands,
            more=self._noted(),
        )

    def _copy_best_models(self, best: BestModels) -> None:
        for name, epoch in best:
            source, target = self.files.model(epoch), f"{self.files.path}_{name}"
            if epoch == self._ended:
                source = self.files.path
            if not os.path.exists(source):
                self.context.say(f"WARNING: '{target}' is not written, as the model of epoch {epoch} is not there.")
                continue
            checkpoints.copy_file(source, target)
            self.context.say(f"Best epoch for criterion '{name}' is {epoch} and model {source} copied to {target}")

    def _end_by_rate(self, epoch: int, rate: float) -> None:
        self.context.say(
            f"Learn Rate Per Sample for Epoch[{epoch + 1}] = {rate:.8g} is less than minLearningRatePerSample {self.settings.min_rate:.8g}. Training complete."
        )
        if self.settings.rate_control.method != "none":
            self._commit(ModelFiles(self.files.path, epoch), epoch - 1, self._sizes.previous)
            return
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


def fast_random(settings: SGDSettings, context: RunContext) -> bool:
    """Whether random numbers may be others than the reference's: `randomNumbers = fast`, the default on a GPU."""
    value = settings.section.get("randomNumbers")
    if value is None:
        return context.device.type != "cpu"
    if value.text.lower() not in ("reference", "fast"):
        raise value.error("an unknown word", "use reference or fast")
    return value.text.lower() == "fast"
