"""Memory that is free again stays with the process: the next minibatch needs as much.

The C library of Linux would give it back to the system and have each page zeroed when it comes again, which costs a
convolutional network a tenth of its time.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE = 1 << 30


def keep_freed_memory() -> None:
    """Asks the C library for it, where that knows of it (glibc)."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, LARGE)
        mallopt(M_MMAP_THRESHOLD, LARGE)
