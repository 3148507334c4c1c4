"""The lines of the log about the minibatches of an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bstorch.events import Interval
from bstorch.training import log
from bstorch.training.criteria import Criterion, SinceLast

if TYPE_CHECKING:
    from bstorch.training.loop import Trainer


class MinibatchLines:
    """The lines of one epoch about the minibatches since the last line."""

    def __init__(self, trainer: Trainer, epoch: int, size: int, prefix: str = "") -> None:
        self._trainer = trainer
        self._prefix = prefix
        self._epoch = epoch
        self._size = size
        self._done = self._shown = 0
        self._since_last = SinceLast(trainer.shown)
        self._since = time.perf_counter()
        self._first = trainer.settings.show_first
        self._every = trainer.settings.show_every

    @property
    def done(self) -> int:
        """How many minibatches of the epoch are done."""
        return self._done

    def kept(self) -> dict[str, object]:
        """What the following lines need."""
        last = [[s.total, s.samples] for s in self._since_last.seen]
        return {"shown": self._shown, "last": last, "epoch_samples": self._trainer.epoch_samples}

    def take(self, kept: Mapping[str, Any], done: int) -> None:
        """Goes on from what `kept` gave after `done` minibatches."""
        self._done, self._shown = done, kept["shown"]
        self._since_last.seen = [Criterion(total, samples) for total, samples in kept["last"]]
        self._trainer.epoch_samples = kept["epoch_samples"]

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
                self._prefix
                + log.minibatch_line(
                    self._epoch + 1, epochs, self._shown + 1, self._done, progress, shown, seconds, since[0].samples
                )
            )
            trainer.context.flush()
        if not self._prefix:  # a trial is no part of the training
            first, last = self._shown + 1, self._done
            trainer.context.events.interval(Interval(self._epoch + 1, first, last, since, sums, seconds))
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
