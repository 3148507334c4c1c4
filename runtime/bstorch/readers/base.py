"""What a reader is: streams of samples, delivered as minibatches along one timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch

from bsls.config.streams import Stream, mismatches
from bsls.finding import BsError
from bsls.network.node import Node
from bsls.source import Span
from bstorch.program.layout import Indices, MinibatchLayout


@dataclass(slots=True)
class SparseBatch:
    """Sparse samples: sample i has the values `values[offsets[i]:offsets[i + 1]]` at `indices[...]` of its `dim` places.

    `indices` and `offsets` are int64; no index comes twice in a sample. `one_hot` says, where that is known, that each
    sample is a single 1: class labels are.
    """

    indices: torch.Tensor
    values: torch.Tensor
    offsets: torch.Tensor
    dim: int
    one_hot: bool = False

    @property
    def samples(self) -> int:
        return len(self.offsets) - 1

    def sample_of_value(self) -> torch.Tensor:
        """For each value the sample it belongs to (int64)."""
        counts = self.offsets[1:] - self.offsets[:-1]
        return torch.repeat_interleave(counts, output_size=len(self.values))

    def dense(self) -> torch.Tensor:
        """The samples as a tensor (samples, dim)."""
        full = self.values.new_zeros((self.samples, self.dim))
        full[self.sample_of_value(), self.indices] = self.values
        return full

    def take(self, rows: torch.Tensor) -> SparseBatch:
        """The samples number `rows` (int64), in that order."""
        rows = rows.to(self.offsets.device)
        counts = (self.offsets[1:] - self.offsets[:-1])[rows]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        places = torch.arange(int(offsets[-1]), device=rows.device) + torch.repeat_interleave(
            self.offsets[rows] - offsets[:-1], counts
        )
        return SparseBatch(self.indices[places], self.values[places], offsets, self.dim, self.one_hot)

    def to(self, device: torch.device | str) -> SparseBatch:
        return self._each(lambda t: _moved(t, device))

    def pin_memory(self) -> SparseBatch:
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> SparseBatch:
        return SparseBatch(change(self.indices), change(self.values), change(self.offsets), self.dim, self.one_hot)


Values = dict[str, torch.Tensor | SparseBatch]
"""By stream its frames, in the packed order of its layout."""

LayOut = Callable[[str, Indices], MinibatchLayout]
"""Gives the layout of a stream's sequences: called with the stream's name and their lengths."""


@dataclass(slots=True)
class Minibatch:
    """The samples of some sequences.

    `values` holds, for each stream, a tensor (frames, dim) or a `SparseBatch`, the frames in the packed order of the
    stream's layout. Streams whose sequences have the same lengths share one layout object. `keys` are the keys of the
    sequences in the data, in the order read; `first_sequence` is the number of sequences delivered in this epoch before.
    """

    values: Values
    layouts: dict[str, MinibatchLayout]
    samples: int
    """What the minibatch counts along the timeline of the reader (frames of the longest or the defining stream)."""
    keys: list[str] | list[int] = field(default_factory=list)
    first_sequence: int = 0

    @property
    def layout(self) -> MinibatchLayout:
        """The layout of the first stream: that of the default dynamic axis where all streams share it."""
        return next(iter(self.layouts.values()))

    def to(self, device: torch.device | str) -> Minibatch:
        """The same minibatch with its values on `device`; to a GPU they may still be on their way."""
        values = {n: v.to(device) if isinstance(v, SparseBatch) else _moved(v, device) for n, v in self.values.items()}
        return replace(self, values=values)

    def pinned(self) -> Minibatch:
        """The same minibatch in memory from which a GPU can copy by itself."""
        return replace(self, values={name: v.pin_memory() for name, v in self.values.items()})


class WholeSequences:
    """Lays out whole sequences: streams of a minibatch whose sequences have the same lengths share a layout."""

    def __init__(self) -> None:
        self._frames: dict[int, MinibatchLayout] = {}

    def of_minibatch(self) -> LayOut:
        """For the streams of one minibatch."""
        shared: dict[bytes, MinibatchLayout] = {}

        def lay_out(_: str, lengths: Indices) -> MinibatchLayout:
            n, key = len(lengths), lengths.tobytes()
            if key not in shared:
                shared[key] = MinibatchLayout.packed(lengths) if (lengths != 1).any() else self._of_frames(n)
            return shared[key]

        return lay_out

    def _of_frames(self, n: int) -> MinibatchLayout:
        if n not in self._frames:
            self._frames[n] = MinibatchLayout.of_frames(n)
        return self._frames[n]


def _moved(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """On a GPU, what is done with it there waits for the copy; here nothing does."""
    if torch.device(device).type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)  # as it is, if it is pinned
    return tensor.to(device)


class Reader(Protocol):
    """Delivers streams of sequences in minibatches.

    All epochs lie on one timeline of samples: sweep after sweep over the data, each shuffled in its own way. Epoch e
    (from 0) of a given size covers the samples [e * size, (e + 1) * size): it takes the sequences that begin in there.
    """

    @property
    def streams(self) -> list[Stream]: ...

    @property
    def input_span(self) -> Span | None:
        """Where the streams are configured."""
        ...

    def open(self) -> None:
        """Looks whether the data are there, before anything is written; raises BsError where they are not."""
        ...

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Minibatch]:
        """The minibatches of an epoch, whatever was read before.

        `epoch` counts from 0; `epoch_size` is in samples, None or 0 for one sweep; `minibatch_size` is in samples. A
        minibatch holds at least one sequence, others as long as it does not become larger than `minibatch_size`, and
        never crosses the end of a sweep.

        Raises BsError for data that cannot be read.
        """
        ...


class AroundReader:
    """What readers have in common that change the minibatches of another one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def streams(self) -> list[Stream]:
        return self._reader.streams

    @property
    def input_span(self) -> Span | None:
        return self._reader.input_span

    @property
    def samples(self) -> int | None:
        """Samples of a sweep, where the reader knows."""
        return getattr(self._reader, "samples", None)

    def open(self) -> None:
        self._reader.open()


def check_streams(network_inputs: Sequence[Node], reader: Reader) -> None:
    """Checks that the reader delivers each of the network's inputs, with as many values a sample; raises BsError."""
    for finding in mismatches(network_inputs, reader.streams, reader.input_span):
        raise BsError.of(finding)
