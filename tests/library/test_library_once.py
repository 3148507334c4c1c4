"""Definitions of the library are compared by identity, whichever thread asked for them first."""

from __future__ import annotations

import threading
import time

from bsls.library.index import _once


def test_threads_get_the_same_object() -> None:
    made: list[str] = []

    @_once
    def definition(name: str) -> object:
        made.append(name)
        time.sleep(0.05)
        return object()

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(definition("f"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["f"] and len(set(map(id, found))) == 1
