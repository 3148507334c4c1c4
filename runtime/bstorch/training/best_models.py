"""The best model of each criterion, by the validation (`saveBestModelPerCriterion`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from bsls.modelfile.checkpoint import BestCriterion
from bstorch.training.criteria import Criterion

NEVER = BestCriterion(sys.float_info.max, -1)


class BestModels:
    """For each criterion the least value so far, and its epoch."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._best = dict.fromkeys(names, NEVER)

    def note(self, epoch: int, found: Sequence[Criterion]) -> str:
        """Takes the validation after `epoch` (from 0); gives the line about the best ones."""
        for name, value in zip(self._names, found, strict=True):
            if value.average < self._best[name].value:
                self._best[name] = BestCriterion(value.average, epoch)
        shown = (f"{n} = {self._best[n].value:f} (Epoch {self._best[n].epoch + 1})" for n in self._names)
        return f"Best epoch per criterion so far: [Validate] {'; '.join(shown)}"

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Each criterion and after how many epochs it was best (0: never seen), by name."""
        return ((name, self._best[name].epoch + 1) for name in sorted(self._best))

    def stored(self) -> list[BestCriterion]:
        """As a checkpoint holds them."""
        return [self._best[name] for name in sorted(self._best)]

    def restore(self, stored: Sequence[BestCriterion]) -> None:
        """Takes those of a checkpoint, if they are as many."""
        if len(stored) == len(self._best):
            self._best = dict(zip(sorted(self._best), stored, strict=True))
