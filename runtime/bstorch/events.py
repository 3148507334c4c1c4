"""A run as JSON lines for other programs (`--events FILE`): one object a line, each with `event` and `time`.

`minibatch` and `epoch` carry `command`, `epoch`, `epochs` and `criteria` (`{name: {"value": mean, "samples": n}}`), `epoch`
also `part` (`training` or `validation`); `checkpoint` names the `model` and the `checkpoint` file; `result` is what a
test found; `error` has `rule`, `message`, `path`, `line`, `column`; `done` ends a run that went well.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from bsls.config.assemble import COMMAND_LINE
from bsls.finding import BsError
from bsls.source import Source


class EventWriter:
    """Writes events as they happen; without a path it writes nothing."""

    def __init__(self, path: str | None = None) -> None:
        self._file: TextIO | None = None
        self._path = path or ""
        if path:
            try:
                self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
            except OSError as error:
                raise self._failed(error) from error

    def emit(self, event: str, **fields: object) -> None:
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

    def error(self, error: BsError) -> None:
        """Writes what ended the run."""
        finding = error.finding
        place: dict[str, object] = {}
        if finding.span is not None:
            line, character = finding.span.start_position
            place = {"path": finding.span.source.path, "line": line + 1, "column": character + 1}
        self.emit("error", rule=finding.rule, message=finding.message, help=finding.help, **place)

    def _failed(self, error: OSError) -> BsError:
        argument = Source(COMMAND_LINE, f"--events {self._path}")
        return BsError(
            "file-write",
            f"cannot write the events to '{self._path}': {error.strerror}",
            argument.span(len("--events "), len(argument.text)),
            help="give --events another file",
        )

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # what could not be written was said before
                file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _finite(fields: dict[str, object]) -> dict[str, object]:
    return {
        k: _finite(v) if isinstance(v, dict) else None if isinstance(v, float) and not math.isfinite(v) else v
        for k, v in fields.items()
    }
