"""A run as JSON lines for other programs (`--events FILE`): one object a line, each with `event` and `time`.

`minibatch` and `epoch` carry `command`, `epoch`, `epochs` and `criteria` (`{name: {"value": mean, "samples": n}}`), `epoch`
also `part` (`training` or `validation`); `checkpoint` names the `model` and the `checkpoint` file; `result` is what a
test found; `error` has `rule`, `message`, `path`, `line`, `column`; `done` ends a run that went well.
"""

from __future__ import annotations

import json
import math
import time
from types import TracebackType
from typing import TextIO

from bsls.finding import BsError


class EventWriter:
    """Writes events as they happen; without a path it writes nothing."""

    def __init__(self, path: str | None = None) -> None:
        self._file: TextIO | None = None
        if path:
            try:
                self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
            except OSError as error:
                raise BsError(
                    "file-write",
                    f"cannot write the events to '{path}': {error.strerror}",
                    help="give --events another file",
                ) from error

    def emit(self, event: str, **fields: object) -> None:
        """Writes one event; numbers that JSON does not have become null."""
        if self._file is None:
            return
        json.dump({"event": event, "time": round(time.time(), 3), **_finite(fields)}, self._file, ensure_ascii=False)
        self._file.write("\n")
        self._file.flush()

    def error(self, error: BsError) -> None:
        """Writes what ended the run."""
        finding = error.finding
        place: dict[str, object] = {}
        if finding.span is not None:
            line, character = finding.span.start_position
            place = {"path": finding.span.source.path, "line": line + 1, "column": character + 1}
        self.emit("error", rule=finding.rule, message=finding.message, help=finding.help, **place)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

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
