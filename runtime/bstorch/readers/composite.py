"""The composite reader (`deserializers = ([ ... ] : [ ... ])`): streams of several files, joined by sequence key.

The first deserializer says which sequences there are, in which order and in which chunks; one whose key another
deserializer does not have is left out. With `truncated`, minibatches are pieces of long rows of sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from bsls.config.composite import read_composite
from bsls.config.section import Section
from bsls.config.streams import Stream
from bsls.finding import BsError
from bsls.source import Span
from bstorch.program.layout import Indices, MinibatchLayout
from bstorch.readers.base import LayOut, Minibatch, Values, WholeSequences
from bstorch.readers.text_format import CHUNK_BYTES, TextFormatReader, default_window, text_settings
from bstorch.readers.timeline import Shuffling, Timeline
from bstorch.readers.truncation import pieces


class CompositeReader:
    """Joins the streams of `parts`; `truncation` is the number of steps of a minibatch's rows, None for whole sequences."""

    def __init__(
        self,
        parts: list[TextFormatReader],
        streams: list[Stream],
        input_span: Span,
        shuffling: Shuffling | None = None,
        truncation: int | None = None,
    ) -> None:
        self._parts = parts
        self._streams = streams
        self._input_span = input_span
        self._shuffling = shuffling
        self._truncation = truncation
        self._layouts = WholeSequences()

    @property
    def streams(self) -> list[Stream]:
        return self._streams

    @property
    def input_span(self) -> Span | None:
        return self._input_span

    def open(self) -> None:
        """See `Reader.open`."""
        _ = self._timeline

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Minibatch]:
        """See `Reader.minibatches`; with truncation, `minibatch_size` is for all parallel rows together."""
        delivered = 0
        if self._truncation is None:
            for sequences in self._timeline.minibatches(epoch, epoch_size, minibatch_size):
                samples = int(self._timeline.samples[sequences].sum())
                yield self._minibatch(sequences, self._layouts.of_minibatch(), samples, delivered)
                delivered += len(sequences)
            return
        rows = max(1, minibatch_size // self._truncation)
        single = (int(s[0]) for s in self._timeline.minibatches(epoch, epoch_size, 1))
        for sequences, layout in pieces(single, self._timeline.samples, rows, self._truncation):
            yield self._minibatch(sequences, self._as_laid_out(sequences, layout), layout.frames, delivered)
            delivered += int((layout.begin >= 0).sum())

    def _minibatch(self, sequences: Indices, lay_out: LayOut, samples: int, delivered: int) -> Minibatch:
        values: Values = {}
        layouts: dict[str, MinibatchLayout] = {}
        window = self._timeline.widest_window
        for part, (numbers, together) in zip(self._parts, self._joined, strict=True):
            part.kept_chunks = window * together
            of_part = part.read(numbers[sequences], lay_out)
            values.update(of_part[0])
            layouts.update(of_part[1])
        return Minibatch(values, layouts, samples, self._keys(sequences).tolist(), delivered)

    def _keys(self, sequences: Indices) -> Indices:
        return self._parts[0].index.keys[self._joined[0][0][sequences]]

    def _as_laid_out(self, sequences: Indices, layout: MinibatchLayout) -> LayOut:
        """Takes `layout` for all streams; raises BsError where a stream has other lengths."""

        def lay_out(stream: str, lengths: Indices) -> MinibatchLayout:
            wrong = np.flatnonzero(lengths != layout.length)
            if len(wrong):
                i = int(wrong[0])
                raise BsError(
                    "sequence-lengths",
                    f"stream '{stream}' has {lengths[i]} samples in sequence {self._keys(sequences[i : i + 1])[0]}, where other streams have {layout.length[i]}",
                    self._input_span,
                    help="with truncated = true all streams need as many samples in each sequence",
                )
            return layout

        return lay_out

    # --- joining -----------------------------------------------------------------------------------------------------

    @cached_property
    def _joined(self) -> list[tuple[Indices, int]]:
        """For each part the numbers of the sequences in its file, in the order of the first one; and over how many of its
        chunks those of one chunk of the first part are spread at most."""
        first = self._parts[0].index
        found = [np.arange(first.sequences)]
        there = np.ones(first.sequences, bool)
        for part in self._parts[1:]:
            keys = part.index.keys
            order = np.argsort(keys, kind="stable")
            place = np.minimum(np.searchsorted(keys[order], first.keys), len(keys) - 1)
            found.append(order[place])
            there &= keys[found[-1]] == first.keys
        if not there.any():
            files = " and ".join(f"'{p.settings.file}'" for p in self._parts)
            raise BsError(
                "data-file", f"no sequence has the same key in {files}", self._input_span,
                help="each line begins with the key of its sequence; a file without keys has the line numbers from 0",
            )  # fmt: skip
        numbers = [f[there] for f in found]
        chunk = np.searchsorted(first.chunks, numbers[0], side="right") - 1
        joined: list[tuple[Indices, int]] = []
        for part, places in zip(self._parts, numbers, strict=True):
            pairs = np.unique(
                np.stack([chunk, np.searchsorted(part.index.chunks, places, side="right") - 1]), axis=1
            )  # which chunk of the first part needs which of this one
            joined.append((places, int(np.bincount(pairs[0]).max())))
        return joined

    @cached_property
    def _timeline(self) -> Timeline:
        samples = np.stack([p.index.samples[n] for p, (n, _) in zip(self._parts, self._joined, strict=True)])
        defining = [i for i, p in enumerate(self._parts) if p.settings.main_stream is not None]
        counted = samples[defining[0]] if defining else samples.max(axis=0)
        chunk = np.searchsorted(self._parts[0].index.chunks, self._joined[0][0], side="right") - 1
        begins = np.flatnonzero(np.diff(chunk, prepend=-1))
        return Timeline(counted, np.append(begins, len(chunk)), self._shuffling)


# --- settings --------------------------------------------------------------------------------------------------------


def from_section(
    section: Section,
    randomize: bool | None = None,
    log: Callable[[str], None] | None = None,
    *,
    whole_sequences: bool = False,
) -> CompositeReader:
    """The reader that a block with `deserializers` describes, as `open_reader` has it.

    Raises BsError for settings that are missing, unknown or do not fit together.
    """
    settings = read_composite(section)
    parts = [TextFormatReader(text_settings(block), log) for block in settings.blocks]
    defining = [p.settings.main_stream for p in parts if p.settings.main_stream is not None]
    if len(defining) > 1:
        raise BsError(
            "config-value",
            f"streams '{defining[0].name}' and '{defining[1].name}' both have definesMBSize = true",
            defining[1].span,
            help="let one stream define the minibatch size",
        )
    for part in parts:
        part.settings.frame_mode = settings.frame_mode and not whole_sequences
    shuffling = None
    if settings.randomize if randomize is None else randomize:
        window = settings.window
        if window is None:
            window = default_window(section.get_integer("chunkSizeInBytes", CHUNK_BYTES))
        shuffling = Shuffling(window, settings.window_in_samples, settings.seed)
    truncation = None if whole_sequences else settings.truncation
    return CompositeReader(parts, settings.streams, settings.input_span, shuffling, truncation)
