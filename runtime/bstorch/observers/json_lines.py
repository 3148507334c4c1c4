"""A run as JSON lines for other programs (`--events FILE`): one object a line, each with `event` and `time`.

`minibatch` and `epoch` carry `command`, `epoch`, `epochs` and `criteria` (`{name: {"value": mean, "samples": n}}`), `epoch`
also `part` (`training` or `validation`); `checkpoint` names the `model` and the `checkpoint` file; `result` is what a
test found; `error` has `rule`, `message`, `path`, `line`, `column`; `done` ends a run that went well.

How fast it goes stands in `minibatch` and in `epoch`: `samplesPerSecond` (of the epoch so far), `secondsLeft` (until the last
epoch of the training is done, null where nobody knows); in `minibatch` also `epochSamples` and `epochSize` (samples of the
reader that are done, and those of a whole epoch) and `secondsLeftInEpoch`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from bsls.config.assemble import option_span
from bsls.finding import BsError
from bstorch.events import EpochEnd, Interval, Observer, Training
from bstorch.pace import Pace
from bstorch.training.criteria import Criterion


class JsonLines(Observer):
    """Writes events to the file `path` as they happen; raises BsError where it cannot be written."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file: TextIO | None = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise self._failed(error) from error
        self._training: Training | None = None
        self._pace = Pace()

    def training_begins(self, training: Training, pace: Pace) -> None:
        self._training, self._pace = training, pace

    def interval(self, interval: Interval) -> None:
        pace = self._pace
        self._write(
            "minibatch", interval.epoch, interval.found, first=interval.first, last=interval.last,
            seconds=interval.seconds, samplesPerSecond=pace.samples_per_second, epochSamples=pace.samples,
            epochSize=pace.epoch_samples, secondsLeftInEpoch=pace.left_in_epoch(), secondsLeft=pace.left(),
        )  # fmt: skip

    def epoch_ends(self, end: EpochEnd) -> None:
        pace = self._pace
        if end.validated is not None:
            self._write("epoch", end.epoch, end.validated, part="validation", secondsLeft=pace.left())
            return
        self._write(
            "epoch", end.epoch, end.trained, part="training", samplesSeen=end.samples_seen,
            learningRatePerSample=end.rate, seconds=end.seconds, samplesPerSecond=pace.samples_per_second,
            secondsLeft=pace.left(),
        )  # fmt: skip

    def _write(self, event: str, epoch: int, found: Sequence[Criterion], **fields: object) -> None:
        assert self._training is not None
        training = self._training
        criteria = {n: {"value": v.average, "samples": v.samples} for n, v in zip(training.names, found, strict=True)}
        whole = {"command": training.command, "epoch": epoch, "epochs": training.epochs, "criteria": criteria, **fields}
        self.event(event, whole)

    def event(self, event: str, fields: dict[str, object]) -> None:
        """Writes one event; numbers that JSON does not have become null."""
        if self._file is None:
            return
        line = json.dumps({"event": event, "time": round(time.time(), 3), **_finite(fields)}, ensure_ascii=False)
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self.close()
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> BsError:
        return BsError(
            "file-write",
            f"cannot write the events to '{self._path}': {error.strerror}",
            option_span("events", self._path),
            help="give --events another file",
        )

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what could not be written was said before
                file.close()


def _finite(fields: dict[str, object]) -> dict[str, object]:
    return {
        k: _finite(v) if isinstance(v, dict) else None if isinstance(v, float) and not math.isfinite(v) else v
        for k, v in fields.items()
    }
