"""What happens in a run, told to all that want to know: programs, the terminal, TensorBoard, a plot.

A training tells `Events`, which tells each `Observer`; none of them knows of the others. Only figures that are on the
host already are passed on: an observer that wants more asks for it (`Observer.minibatch`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.pace import Pace
from bstorch.training.criteria import Criterion


@dataclass(frozen=True, slots=True)
class Training:
    """A training that begins, of the criterion and the evaluations `nodes`; `begun` of its epochs are done already, with
    `minibatches`.

    `epoch_samples` is the size of an epoch as far as it is known, in samples of the reader.
    """

    command: str
    several: bool
    """Whether the run has other commands that train."""
    settings: SGDSettings
    nodes: Sequence[Node]
    begun: int
    epoch_samples: int | None
    minibatches: int
    validates: bool

    @property
    def epochs(self) -> int:
        return self.settings.max_epochs

    @property
    def names(self) -> list[str]:
        return [n.name for n in self.nodes]


@dataclass(frozen=True, slots=True)
class Interval:
    """Minibatches `first` to `last` (from 1) of an epoch (from 1): their criteria, and those of the epoch so far."""

    epoch: int
    first: int
    last: int
    found: Sequence[Criterion]
    so_far: Sequence[Criterion]
    seconds: float


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """What an epoch (from 1) gave, in its training and again in its validation, which is None before."""

    epoch: int
    rate: float
    seconds: float
    """Of the training alone."""
    samples_seen: int
    trained: Sequence[Criterion]
    validated: Sequence[Criterion] | None = None


class Observer:
    """Someone who wants to know how a run goes on; what is not overridden does nothing."""

    def training_begins(self, training: Training, pace: Pace) -> None:
        """Before anything is written; raises BsError where the observer cannot do its work. `pace` goes on counting."""

    def epoch_begins(self, epoch: int, rate: float) -> None:
        """Epoch `epoch` (from 1) begins with the learning rate `rate` per sample."""

    def minibatch(self) -> bool:
        """A minibatch is done; whether the sums of the epoch so far are wanted, which the device is then waited for."""
        return False

    def sums(self, found: Sequence[Criterion]) -> None:
        """The criteria of the epoch so far, where this or another observer wanted them."""

    def interval(self, interval: Interval) -> None:
        """A line of the log is due."""

    def epoch_ends(self, end: EpochEnd) -> None:
        """All minibatches of an epoch are done, or its validation is."""

    def training_ends(self) -> None:
        """All epochs are done."""

    def event(self, event: str, fields: dict[str, object]) -> None:
        """Something else, as programs are told it: `checkpoint`, `result`, `error`, `done`."""

    def close(self) -> None:
        """The run has ended, well or not."""


class Events:
    """Passes on what happens to all observers, in their order."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = observers
        self.pace = Pace()

    def training_begins(self, training: Training) -> None:
        self.pace = Pace(training.epochs, training.begun, training.epoch_samples, training.minibatches)
        for observer in self._observers:
            observer.training_begins(training, self.pace)

    def epoch_begins(self, epoch: int, rate: float) -> None:
        self.pace.begin_epoch(epoch)
        for observer in self._observers:
            observer.epoch_begins(epoch, rate)

    def minibatch(self, samples: int) -> bool:
        """A minibatch of so many samples of the reader is done; whether `sums` is to be called."""
        self.pace.minibatches += 1
        self.pace.samples += samples
        wanted = False
        for observer in self._observers:
            wanted |= observer.minibatch()
        return wanted

    def sums(self, found: Sequence[Criterion]) -> None:
        for observer in self._observers:
            observer.sums(found)

    def interval(self, interval: Interval) -> None:
        for observer in self._observers:
            observer.interval(interval)

    def epoch_ends(self, end: EpochEnd) -> None:
        if end.validated is None:
            self.pace.end_minibatches()
        for observer in self._observers:
            observer.epoch_ends(end)

    def training_ends(self) -> None:
        for observer in self._observers:
            observer.training_ends()

    def emit(self, event: str, **fields: object) -> None:
        """Tells of `checkpoint`, `result`, `error` or `done`, with the fields that programs get."""
        for observer in self._observers:
            observer.event(event, fields)

    def error(self, error: BsError) -> None:
        """Tells what ended the run."""
        finding = error.finding
        place: dict[str, object] = {}
        if finding.span is not None:
            line, character = finding.span.start_position
            place = {"path": finding.span.source.path, "line": line + 1, "column": character + 1}
        self.emit("error", rule=finding.rule, message=finding.message, help=finding.help, **place)

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for observer in self._observers:
            observer.close()
