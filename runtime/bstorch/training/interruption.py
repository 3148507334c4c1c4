"""Ctrl-C and SIGTERM during a training: it ends at the next minibatch, with its state saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A training that was asked to end has ended; the message says what is saved."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number
        """As shells have it."""


class StopRequest:
    """Within the block, signals only set `number`; a second one ends the run at once, as without the block."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.number = 0
        """The signal that came; 0 as long as there was none."""
        self._say = say
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._asked) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.number:
            raise KeyboardInterrupt
        self.number = number
        self._say("Asked to stop: the training ends behind this minibatch with its state saved. Once more ends it now.")
