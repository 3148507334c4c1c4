"""The thread on which networks are evaluated."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue

from bsls.evaluate.brainscript import start_with_deep_stack

log = logging.getLogger(__name__)


class Worker:
    """One thread with a deep stack that does one piece of work after the other, in the order given."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        start_with_deep_stack(self._run)

    def submit(self, work: Callable[[], None]) -> None:
        self._queue.put(work)

    def stop(self) -> None:
        """Ends the thread after the work that was submitted before."""
        self._queue.put(None)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            try:
                work()
            except Exception:  # one failure must not end all that comes after it
                log.exception("background work failed")
