"""The next minibatch is read while the present one is computed: on a GPU the processor has nothing else to do.

It is put into pinned memory there, out of which the GPU takes it without the processor waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bstorch.readers.base import AroundReader, Minibatch

T = TypeVar("T")


def one_ahead(items: Iterator[T], prepare: Callable[[T], T] = lambda item: item) -> Iterator[T]:
    """The items in their order, each after `prepare`, while another thread is at the one that follows.

    What goes wrong there is raised here, at its turn. Where it is closed early, it waits for what is under way, and closes
    `items`.
    """
    end = object()

    def take() -> T | object:
        item = next(items, end)
        return item if item is end else prepare(item)  # type: ignore[arg-type]

    try:
        with ThreadPoolExecutor(1, "reader") as pool:
            following = pool.submit(take)
            while (item := following.result()) is not end:
                following = pool.submit(take)
                yield item  # type: ignore[misc]
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


class ReadAhead(AroundReader):
    """A reader that is one minibatch ahead, and delivers them in pinned memory."""

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Minibatch]:
        return one_ahead(self._reader.minibatches(epoch, epoch_size, minibatch_size), Minibatch.pinned)
