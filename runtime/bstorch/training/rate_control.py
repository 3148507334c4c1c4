"""The learning rate beside a schedule: adjusted after epochs (`autoAdjustLR = adjustAfterEpoch`) or searched before them
(`searchBeforeEpoch`). Where the schedule has a rate of its own for an epoch, that counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bsls.config.sgd import SGDSettings, float32
from bstorch.training.criteria import Criterion

FIRST_FACTOR = float32(float32(0.125) / float32(0.618))
"""Times 1 / sqrt (minibatch size): the first rate per sample that is tried where there was none before."""
COMPENSATION = float32(0.618)
NARROWING = 0.618
LEAST_SHARE = float32(0.3)
"""Of the least learning rate: a search goes no lower."""


@dataclass(slots=True)
class Progress:
    """What decides on a rate: the rate per sample now and the criterion to compare with (infinite before there is one)."""

    learning_rate: float
    previous_criterion: float = math.inf


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows an epoch: back to the model of `epoch` epochs, or the end of the training."""

    back_to: int | None = None
    ends: bool = False


class RateAdjustment:
    """Decides after each epoch. Every `interval`-th epoch counts, with the mean of the criterion since the last one."""

    def __init__(self, settings: SGDSettings, begun: int, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._control = settings.rate_control
        self._say = say
        self._average = math.inf
        self._not_counted = begun % self._control.interval
        self._reduced = False

    def follow(
        self, epoch: int, criterion: float, progress: Progress, go_back: Callable[[int], None]
    ) -> Decision | None:
        """Follows `epoch` (from 0), whose criterion per sample is `criterion`; None where that is not a number.

        `go_back` takes model and state of the given number of epochs, `progress` included.
        """
        since = epoch % self._control.interval + 1
        counted = since - self._not_counted
        if self._average == math.inf or counted <= 0:
            self._average = criterion
        else:
            self._average = ((counted - 1) * self._average + criterion) / counted
        decides = since == self._control.interval
        adjusts = self._control.method == "adjustAfterEpoch" and epoch >= explicit_rates(self._settings)
        if not (decides and adjusts):
            if math.isnan(self._average):
                return None
            if decides:
                self._accept(progress)
            return Decision()
        back = None
        worse = math.isnan(self._average) or self._average > progress.previous_criterion
        if worse and self._control.load_best_model:
            back = epoch + 1 - self._control.interval
            go_back(back)
        if self._change_rate(progress):
            return Decision(back, ends=True)
        if back is None:
            self._accept(progress)
        return Decision(back)

    def kept(self) -> dict[str, object]:
        """What following epochs need of those before."""
        return {"average": self._average, "not_counted": self._not_counted, "reduced": self._reduced}

    def take(self, kept: Mapping[str, Any]) -> None:
        """Goes on from what `kept` gave."""
        self._average, self._not_counted = float(kept["average"]), int(kept["not_counted"])
        self._reduced = bool(kept["reduced"])

    def _accept(self, progress: Progress) -> None:
        progress.previous_criterion = self._average
        self._not_counted = 0

    def _change_rate(self, progress: Progress) -> bool:
        """Lowers or raises the rate; True where training ends instead."""
        control, before = self._control, progress.previous_criterion
        gain = before - self._average
        known = before != math.inf
        small = math.isnan(self._average) or (known and gain <= control.reduce_if_improve_less_than * before)
        if control.continue_reduce:
            if small and self._reduced:
                return True
            self._reduced |= small
            if self._reduced:
                self._multiply(progress, control.decrease_factor, "reduced")
        elif small:
            self._multiply(progress, control.decrease_factor, "reduced")
        elif known and gain > control.increase_if_improve_more_than * before:
            self._multiply(progress, control.increase_factor, "increased")
        return False

    def _multiply(self, progress: Progress, factor: float, change: str) -> None:
        progress.learning_rate *= factor
        self._say(f"learnRatePerSample {change} to {progress.learning_rate:.8g}")


class Trial(Protocol):
    """Trains for a part of `epoch` from the present model, to which it returns; gives the training criterion."""

    def __call__(self, epoch: int, rate: float, size: int, samples: int, prefix: str) -> Criterion: ...


class RateSearch:
    """Finds the rate for an epoch by short trials."""

    def __init__(self, settings: SGDSettings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._control = settings.rate_control
        self._say = say
        self._rates: dict[int, float] = {}
        """The last rates, by number of the epoch modulo how many of them count."""

    def kept(self) -> list[list[float]]:
        """The rates of the epochs before, with their numbers."""
        return [[number, rate] for number, rate in self._rates.items()]

    def take(self, kept: Iterable[Sequence[float]]) -> None:
        """Goes on from what `kept` gave."""
        self._rates = {int(number): float(rate) for number, rate in kept}

    def note(self, epoch: int, rate: float) -> None:
        """Remembers the rate with which `epoch` (from 0) is trained."""
        self._rates[epoch % self._control.previous_rates] = rate

    def search(self, epoch: int, previous: float, trial: Trial, *, known: bool) -> float:
        """The best rate per sample for `epoch`. `previous` is the criterion of the epoch before (infinite if there is
        none), `known` says whether there was a rate before."""
        size, samples = self._settings.minibatch_size[epoch], search_samples(self._settings, epoch)

        def tried(rate: float, what: str) -> float:
            found = trial(epoch, rate, size, samples, f"  {what}AdaptiveLearnRateSearch:")
            return found.average

        base = tried(0.0, "Base")
        if previous == math.inf:
            previous = base
        share = math.sqrt(samples / self._settings.epoch_size) if self._settings.epoch_size else 0.3
        base = max(share * previous + (1 - share) * base, base)
        largest = max(self._rates.values(), default=0.0)
        rate = FIRST_FACTOR / math.sqrt(size)
        if known and largest > 0:
            rate = largest / COMPENSATION / COMPENSATION
        lowest = self._settings.min_rate * LEAST_SHARE
        while True:
            rate *= NARROWING
            found = tried(rate, "")
            if not (math.isnan(found) or (found > base and rate > lowest)):
                break
        if epoch < self._control.best_search_epochs:
            rate = self._bracketed(0.01 / size, rate, found, tried)
        self._say(
            f" SearchForBestLearnRate Epoch[{epoch + 1}]: Best learningRatePerSample = {rate:.10g}, baseCriterion={base:.10g}"
        )
        self.note(epoch, rate)
        return rate

    @staticmethod
    def _bracketed(left: float, right: float, of_right: float, tried: Callable[[float, str], float]) -> float:
        """The better end of a bracket that is narrowed from the worse end."""
        of_left = tried(left, "DetailBase")
        while right > left * 1.2:
            if of_right > of_left:
                right *= NARROWING
                of_right = tried(right, "DetailRight")
            else:
                left /= NARROWING
                of_left = tried(left, "DetailLeft")
        return left if of_left < of_right else right


def explicit_rates(settings: SGDSettings) -> int:
    """For how many epochs the schedule itself gives a rate."""
    return 0 if settings.rates is None else len(settings.rates)


def search_samples(settings: SGDSettings, epoch: int) -> int:
    """How many samples a trial takes, but for the last minibatch."""
    samples = settings.rate_control.search_samples[epoch]
    return min(samples, settings.epoch_size) if settings.epoch_size else samples
