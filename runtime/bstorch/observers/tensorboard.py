"""Figures for TensorBoard (`--tensorboard DIR`, or `tensorBoardLogDir` in the `SGD` block).

As the reference: `minibatch/NAME` over the minibatches since the training began, every `tensorBoardNumMBsToLogResult` of
them the mean since the last value; `summary/NAME` and `summary/test_NAME` over epochs, from training and validation. It
writes all evaluations under the name of the first; here each has its own. Besides, there is the learning rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from bsls.config.assemble import option_span
from bsls.finding import BsError
from bstorch.events import EpochEnd, Observer, Training
from bstorch.pace import Pace
from bstorch.training.criteria import Criterion, SinceLast

if TYPE_CHECKING:
    from torch.utils.tensorboard import FileWriter

_RATE = "learningRatePerSample"
_SECONDS_TO_DISK = 5
"""A value is in the file after so long, so that the page shows a training that goes on."""


class TensorBoard(Observer):
    """Writes to `folder`, else to the one that the training's settings name, if any."""

    def __init__(self, folder: str | None, say: Callable[[str], None]) -> None:
        self._given = folder
        self._say = say
        self._folder = ""
        self._writer: FileWriter | None = None
        self._names: list[str] = []
        self._every = 0
        self._pace = Pace()
        self._rate = 0.0
        self._training: Training | None = None
        self._since_last = SinceLast([])

    def training_begins(self, training: Training, pace: Pace) -> None:
        settings = training.settings
        self._folder = self._given or settings.tensorboard_folder
        if self._given and training.several:
            self._folder = f"{self._given.rstrip('/')}/{training.command}"
        if not self._folder:
            return
        try:
            from torch.utils.tensorboard import FileWriter
        except ImportError:
            self._say(
                "WARNING: tensorBoardLogDir has no effect, as the package 'tensorboard' is missing: pip install 'bsls[tensorboard]'."
            )
            return
        try:
            self._writer = FileWriter(self._folder, flush_secs=_SECONDS_TO_DISK)
        except OSError as error:
            span = option_span("tensorboard", self._given) if self._given else settings.span("tensorBoardLogDir")
            raise BsError(
                "file-write", f"cannot write to the folder '{self._folder}': {error.strerror}", span,
                help="give another folder for TensorBoard",
            ) from error  # fmt: skip
        every = settings.tensorboard_every
        self._training, self._names = training, training.names
        self._every = settings.show_every if every is None else every
        self._pace = pace
        if pace.minibatches:
            self._begin_at(pace.minibatches + 1)

    def _begin_at(self, step: int) -> None:
        """What an interrupted run has written for this step and later ones does not count any more."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]

        assert self._writer is not None
        self._writer.add_event(Event(step=step, session_log=SessionLog(status=SessionLog.START)))

    def epoch_begins(self, epoch: int, rate: float) -> None:
        if self._training is not None:
            self._rate = rate
            self._since_last = SinceLast(self._training.nodes)

    def minibatch(self) -> bool:
        return self._is_due()

    def _is_due(self) -> bool:
        return self._writer is not None and self._every > 0 and self._pace.minibatches % self._every == 0

    def sums(self, found: Sequence[Criterion]) -> None:
        if self._is_due():
            self._write(
                "minibatch/", [*self._averages(self._since_last(found)), (_RATE, self._rate)], self._pace.minibatches
            )

    def epoch_ends(self, end: EpochEnd) -> None:
        if end.validated is None:
            self._write("summary/", [*self._averages(end.trained), (_RATE, end.rate)], end.epoch)
        else:
            self._write("summary/test_", self._averages(end.validated), end.epoch)

    def _averages(self, found: Sequence[Criterion]) -> list[tuple[str, float]]:
        return [(n, v.average) for n, v in zip(self._names, found, strict=True)] if self._writer is not None else []

    def _write(self, group: str, values: Iterable[tuple[str, float]], step: int) -> None:
        """A training is worth more than its curves: where they cannot be written any more, it goes on without."""
        if self._writer is None:
            return
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue] - made there at run time

        scalars = [Summary.Value(tag=group + name, simple_value=value) for name, value in values]
        try:
            self._writer.add_summary(Summary(value=scalars), step)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._writer = None
        self._say(f"WARNING: nothing more is written for TensorBoard to '{self._folder}': {error.strerror}.")

    def training_ends(self) -> None:
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError as error:
                self._give_up(error)
        self._writer = self._training = None

    def close(self) -> None:
        self.training_ends()
