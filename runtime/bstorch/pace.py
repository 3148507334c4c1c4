"""How fast a training is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Samples and seconds of a training of `epochs` epochs, of which `begun` are done.

    `epoch_samples` is the size of an epoch; where it is None, the first epoch shows it, and until then nobody knows how
    long anything will take. `samples` counts those of the present epoch, `minibatches` those since the training began, also in an
    earlier run. All times are in seconds.
    """

    def __init__(
        self,
        epochs: int = 0,
        begun: int = 0,
        epoch_samples: int | None = None,
        minibatches: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.epochs = epochs
        self.epoch = begun + 1
        self.epoch_samples = epoch_samples
        self.samples = 0
        self.minibatches = minibatches
        self._skipped = 0
        self._clock = clock
        self._since = clock()
        self._minibatches_took: float | None = None  # once they are done
        self._others_took = 0.0  # validation and saving, in the epoch before

    def begin_epoch(self, epoch: int) -> None:
        """Epoch `epoch` (from 1) begins."""
        now = self._clock()
        if self._minibatches_took is not None:
            self._others_took = now - self._since - self._minibatches_took
        self.epoch, self.samples, self._since, self._minibatches_took = epoch, 0, now, None
        self._skipped = 0

    def skip(self, minibatches: int, samples: int) -> None:
        """An earlier run has done as much of this epoch."""
        self.minibatches += minibatches
        self._skipped = samples

    def end_minibatches(self) -> None:
        """All minibatches of the epoch are done; what follows is validation and saving."""
        self._minibatches_took = self._clock() - self._since
        self.epoch_samples = self.samples + self._skipped or self.epoch_samples

    @property
    def samples_per_second(self) -> float:
        """In the minibatches of this epoch."""
        seconds = self._clock() - self._since if self._minibatches_took is None else self._minibatches_took
        return self.samples / seconds if seconds > 0 else 0.0

    def left_in_epoch(self) -> float | None:
        """Until the minibatches of this epoch are done; None where that is not known."""
        if self._minibatches_took is not None:
            return 0.0
        speed = self.samples_per_second
        if self.epoch_samples is None or speed == 0:
            return None
        return max(self.epoch_samples - self._skipped - self.samples, 0) / speed

    def left(self) -> float | None:
        """Until the last epoch is done, with what follows each; None where that is not known."""
        here, speed = self.left_in_epoch(), self.samples_per_second
        if here is None or self.epoch_samples is None or speed == 0:
            return None
        others = self._others_took
        if self._minibatches_took is not None:
            others = max(others - (self._clock() - self._since - self._minibatches_took), 0.0)
        later = self.epochs - self.epoch
        return here + others + later * (self.epoch_samples / speed + self._others_took)
