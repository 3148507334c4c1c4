"""The largest minibatch size that trains as well as the smallest one (`autoAdjustMinibatch`), found by short trials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bsls.config.sgd import SGDSettings
from bstorch.training.rate_control import Trial, search_samples

GROWTH = np.sqrt(np.float32(2))
"""From one trial to the next."""


class MinibatchSearch:
    """Chooses the minibatch size of the epochs behind those of the schedule."""

    def __init__(self, settings: SGDSettings, say: Callable[[str], None], previous: int) -> None:
        self._settings = settings
        self._control = settings.rate_control
        self._say = say
        self.previous = previous
        """The size chosen last; 0 where none counts."""

    def size(self, epoch: int, rate: float, rate_change: float, trial: Trial) -> int:
        """The size for `epoch` (from 0), trained at `rate` per sample. `rate_change` is the factor by which a search has
        changed the rate."""
        settings = self._settings
        if not self._control.adjust_minibatch or epoch < len(settings.minibatch_size):
            return settings.minibatch_size[epoch]
        found = self._found(epoch, rate, rate_change, trial)
        if settings.trace_level < 1 and found != self.previous:
            self._say(f"Minibatch size adapted to {found}.")
        self.previous = found
        return found

    def _found(self, epoch: int, rate: float, rate_change: float, trial: Trial) -> int:
        smallest = self._settings.minibatch_size[epoch]
        if self._settings.rates is not None:
            rate_change *= self._settings.learning_rate(epoch) / self._settings.learning_rate(0)
        change = math.sqrt(rate_change)
        if change < 1:  # smaller steps allow larger minibatches
            smallest = int(smallest / change)
        if epoch < 2 and self.previous:
            self._say(f" Before Epoch[2], previous minibatchSize {self.previous} is considered invalid -> resetting.")
            self.previous = 0
        frequency, number = self._control.minibatch_tuning_frequency, epoch + 1
        if self.previous and number > frequency and number % frequency:
            self._say(
                f" AdaptiveMinibatchSearch: Search for a better minibatchSize in epoch {number} skipped, keeping minibatchSize of {self.previous}"
            )
            return self.previous
        largest = self._control.minibatch_tuning_max
        if self.previous:
            smallest, largest = max(smallest, self.previous // 2), min(largest, self.previous * 2)
        if smallest > largest:  # by a much lower rate
            return largest
        return self._search(epoch, rate, smallest, largest, trial)

    def _search(self, epoch: int, rate: float, smallest: int, largest: int, trial: Trial) -> int:
        head = f" AdaptiveMinibatchSearch Epoch[{epoch + 1}]: "
        bounds = f"{_rounded(smallest)}..{_rounded(largest)}"
        self._say(f"{head}Evaluating minibatchSizes {bounds}")
        samples = search_samples(self._settings, epoch)
        good, of_good, base = 0, 0.0, 0.0
        exact = np.float32(smallest)
        while exact <= largest:
            size = _rounded(exact)
            self._tell(f"{head}Evaluating trial minibatchSize={size} (search range: {bounds})...")
            prefix = f"  {'' if good else 'Base'}AdaptiveMinibatchSearch:"
            found = trial(epoch, rate, size, samples, prefix).average
            exact *= GROWTH
            if not good:
                base = found
                self._tell(f"{head}Computed baseCriterion {base:.8f} for minibatchSize={size}")
            elif found > base * (1.0 + self._control.minibatch_error_margin / 100.0):
                break
            elif exact <= largest:
                self._tell(f"{head}Keep searching... epochCriterion = {found:.8f} vs. baseCriterion = {base:.8f}")
            good, of_good = size, found
        self._tell(
            f"{head}Search successful. New minibatchSize is {good}. epochCriterion = {of_good:.8f} vs baseCriterion = {base:.8f}"
        )
        return good

    def _tell(self, line: str) -> None:
        if self._settings.trace_level > 0:
            self._say(line)


def _rounded(size: float | np.float32) -> int:
    """To a multiple of 64, which is not 0."""
    return max(64 * int((size + 32) / 64), 64)
