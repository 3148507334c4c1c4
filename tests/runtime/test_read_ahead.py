"""Reading one minibatch ahead: order, errors, an early end; and how minibatches move to a device."""

from __future__ import annotations

import gc
import threading
import traceback
from collections.abc import Iterator

import pytest
import torch

from bstorch.program.layout import MinibatchLayout
from bstorch.readers.ahead import ReadAhead, one_ahead
from bstorch.readers.base import Minibatch, SparseBatch


class Source:
    """Numbers up to `end`, where `error` is raised if there is one."""

    def __init__(self, end: int, error: Exception | None = None) -> None:
        self.end, self.error = end, error
        self.taken, self.closed = 0, False
        self.came = threading.Event()
        self.threads: set[str] = set()

    def __iter__(self) -> Iterator[int]:
        try:
            for number in range(self.end):
                self.threads.add(threading.current_thread().name)
                self.taken = number + 1
                if number == 1:
                    self.came.set()
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_order(count: int) -> None:
    source = Source(count)
    assert list(one_ahead(iter(source), lambda n: n * 2)) == [n * 2 for n in range(count)]
    assert source.closed


def test_it_is_one_ahead_in_another_thread() -> None:
    source = Source(10)
    items = one_ahead(iter(source))
    assert next(items) == 0
    assert source.came.wait(10)  # without being asked for
    assert next(items) == 1
    items.close()  # type: ignore[attr-defined]
    assert source.taken <= 3
    assert threading.current_thread().name not in source.threads


def test_an_error_comes_at_its_turn_with_its_traceback() -> None:
    items = one_ahead(iter(Source(2, ValueError("wrong"))))
    assert [next(items), next(items)] == [0, 1]
    with pytest.raises(ValueError, match="wrong") as caught:
        next(items)
    assert "raise self.error" in "".join(traceback.format_exception(caught.value))
    assert list(items) == []


def test_an_error_in_preparing() -> None:
    with pytest.raises(ZeroDivisionError):
        list(one_ahead(iter(Source(3)), lambda n: 1 // (1 - n)))


def test_an_early_end_leaves_no_thread() -> None:
    before = threading.active_count()
    source = Source(100)
    for number in (items := one_ahead(iter(source))):
        if number == 3:
            break
    items.close()  # type: ignore[attr-defined]
    assert source.closed
    assert source.taken <= 5
    assert threading.active_count() == before


def test_a_consumer_that_fails_closes_it() -> None:
    source = Source(100)

    def consume() -> None:
        for number in one_ahead(iter(source)):
            assert number < 3

    with pytest.raises(AssertionError):
        consume()
    gc.collect()
    assert source.closed
    assert source.taken <= 5


def minibatch(number: int) -> Minibatch:
    layout = MinibatchLayout.of_frames(2)
    sparse = SparseBatch(torch.tensor([number, 1]), torch.ones(2), torch.arange(3), 5)
    return Minibatch({"x": torch.full((2, 3), number), "y": sparse}, {"x": layout, "y": layout}, 2, ["a", "b"], number)


def test_a_reader_that_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[torch.Tensor] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor)
        return tensor.clone()

    class Reader:
        streams, input_span = ["x"], None
        opened = False

        def open(self) -> None:
            self.opened = True

        def minibatches(self, *asked: object) -> Iterator[Minibatch]:
            assert asked == (1, None, 4)
            return map(minibatch, range(3))

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    reader = ReadAhead(inner := Reader())  # type: ignore[arg-type]
    reader.open()
    assert inner.opened
    assert reader.streams == ["x"]
    assert reader.input_span is None
    found = list(reader.minibatches(1, None, 4))
    assert [m.first_sequence for m in found] == [0, 1, 2]
    assert len(pinned) == 3 * 4  # x, and three of y
    for number, m in enumerate(found):
        x, y = m.values["x"], m.values["y"]
        assert isinstance(x, torch.Tensor)
        assert isinstance(y, SparseBatch)
        assert x.unique().item() == number
        assert y.dense()[0, number] == 1


def test_moving_keeps_everything_else() -> None:
    before = minibatch(1)
    moved = before.to("meta")
    assert {v.device.type for v in (moved.values["x"], moved.values["y"].values)} == {"meta"}  # type: ignore[union-attr]
    assert moved.layouts is before.layouts
    assert (moved.samples, moved.keys, moved.first_sequence) == (2, ["a", "b"], 1)
    assert before.to("cpu").values["x"] is before.values["x"]
