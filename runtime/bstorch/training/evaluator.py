"""Criteria over a data set: what `test`, `cv` and the validation after an epoch do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from bsls.network.node import Node
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch
from bstorch.training import log
from bstorch.training.criteria import Criterion, SampleCounter, accumulates
from bstorch.training.subminibatches import Subminibatches

PERPLEXITY_OF = frozenset(
    {
        "CrossEntropyWithSoftmax",
        "CrossEntropy",
        "ClassBasedCrossEntropyWithSoftmax",
        "NoiseContrastiveEstimation",
        "NCEBasedCrossEntropyWithSoftmax",
    }
)
"""Criteria that are logarithms of probabilities: their final mean is shown as perplexity, too."""


class Evaluator:
    """Evaluates the roots of a program minibatch by minibatch, with the lines that the reference prints.

    `say` takes each line. Lines on the way come for the first `show_first` minibatches and every `show_every`-th one,
    and only if `trace_level` is above 0; the final one always comes. Minibatches are run in `groups` parts.
    """

    def __init__(
        self,
        program: Program,
        say: Callable[[str], None],
        *,
        trace_level: int = 0,
        show_every: int = 100,
        show_first: int = 0,
        groups: int = 1,
    ) -> None:
        self._program = program
        self._groups = groups
        self._nodes = program.roots
        self._say = say
        self._trace_level = trace_level
        self._show_every = show_every
        self._show_first = show_first
        self._count = SampleCounter(self._nodes, [n for n in program.order if n.is_input], program.environment)
        self.minibatches = 0

    def run(self, minibatches: Iterable[Minibatch]) -> list[Criterion]:
        """The criteria over all minibatches; they are added up in double precision."""
        names = [n.name for n in self._nodes]
        start_accumulators(self._program)
        totals = [Criterion() for _ in self._nodes]
        shown, shown_minibatches, unshown_samples = list(totals), 0, 0
        done = 0
        groups = Subminibatches(self._program, self._groups, self._count)
        for minibatch in minibatches:
            values, _ = groups.run(minibatch, updating=False)
            for i, (node, value, samples) in enumerate(zip(self._nodes, values, groups.samples, strict=True)):
                found = Criterion(float(value.sum()), samples) if samples else Criterion()
                totals[i] = found if accumulates(node) else totals[i] + found
            done += 1
            unshown_samples += minibatch.samples
            if self._trace_level > 0 and self._due(done):
                self._show(shown_minibatches + 1, done, names, totals, shown)
                shown, shown_minibatches, unshown_samples = self._seen(totals), done, 0
        if self._trace_level > 0 and unshown_samples > 0:
            self._show(shown_minibatches + 1, done, names, totals, shown)
        self.minibatches = done
        self._say(log.evaluation_line(1, done, "; ".join(self._final(self._nodes, totals)), final=True))
        return totals

    def _due(self, done: int) -> bool:
        return done <= self._show_first or (self._show_every > 0 and done % self._show_every == 0)

    def _show(self, first: int, last: int, names: list[str], totals: list[Criterion], shown: list[Criterion]) -> None:
        since = [t - s for t, s in zip(totals, shown, strict=True)]
        self._say(log.evaluation_line(first, last, log.criteria(names, since)))

    def _seen(self, totals: list[Criterion]) -> list[Criterion]:
        return [Criterion() if accumulates(n) else t for n, t in zip(self._nodes, totals, strict=True)]

    @staticmethod
    def _final(nodes: Sequence[Node], totals: Sequence[Criterion]) -> Iterable[str]:
        for node, total in zip(nodes, totals, strict=True):
            yield log.criterion(node.name, total)
            if node.op in PERPLEXITY_OF:
                yield f"perplexity = {perplexity(total):.8f}"


def perplexity(total: Criterion) -> float:
    """exp of the mean."""
    try:
        return math.exp(total.average)
    except OverflowError:
        return math.inf


def start_accumulators(program: Program) -> None:
    """Sets means over an epoch back to nothing, and what delays keep of the minibatch before."""
    for function in program.environment.stateful:
        function.reset()
