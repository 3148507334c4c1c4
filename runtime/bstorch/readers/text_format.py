"""The CNTK text format reader (`readerType = "CNTKTextFormatReader"`): `1 |x 0.5 -1 |y 3:1`."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bsls.config.section import Section, Value
from bsls.config.streams import Stream, text_streams
from bsls.finding import BsError
from bsls.source import Span
from bstorch.program.layout import MinibatchLayout
from bstorch.readers.base import LayOut, Minibatch, SparseBatch, Values, WholeSequences
from bstorch.readers.text_index import Indices, TextFileError, TextIndex, build_index
from bstorch.readers.text_parser import (
    DenseSamples,
    Issue,
    ParsedLines,
    SparseSamples,
    join_samples,
    parse_lines,
    take_sparse,
)
from bstorch.readers.timeline import Shuffling, Timeline

CHUNK_BYTES = 32 << 20
_WINDOW_BYTES = 4 << 30  # the default shuffle window
_PIECE_BYTES = 4 << 20  # parsed at once where all is kept in memory
_KEPT_CHUNKS = 32  # parsed chunks kept in memory, or as many as the shuffle window wants


@dataclass(slots=True)
class TextSettings:
    """What the reader's block says. `spans` holds the places of keys that errors point at."""

    file: str
    streams: list[Stream]
    main_stream: Stream | None = None
    shuffling: Shuffling | None = None
    skip_sequence_ids: bool = False
    max_errors: int = 0
    chunk_bytes: int = CHUNK_BYTES
    keep_in_memory: bool = False
    frame_mode: bool = False
    trace_level: int = 1
    dtype: type[np.floating] = np.float32
    file_span: Span | None = None
    input_span: Span | None = None
    frame_mode_span: Span | None = None


@dataclass(slots=True)
class _Chunk:
    """A parsed chunk: by stream its samples, and the first sample of each sequence (and their number)."""

    samples: list[DenseSamples | SparseSamples]
    first: list[Indices]


class TextFormatReader:
    """Reads a file in CNTK text format.

    The file is indexed when something is first asked of it; a chunk is parsed when it is needed, and kept as long as
    the shuffle window may need it again.

    Errors in the data raise BsError (`data-line`) at the `file` key of the config and name file and line.
    """

    def __init__(self, settings: TextSettings, log: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self._log = log or (lambda line: print(line, file=sys.stderr))
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()
        self._checked: set[int] = set()
        self._errors = 0
        self._layouts = WholeSequences()
        self.kept_chunks = 0
        """How many parsed chunks stay in memory at least."""

    @property
    def streams(self) -> list[Stream]:
        return self.settings.streams

    @property
    def input_span(self) -> Span | None:
        return self.settings.input_span

    @property
    def samples(self) -> int:
        """Samples of a sweep."""
        return self._timeline.total

    def open(self) -> None:
        """See `Reader.open`."""
        _ = self._timeline

    def minibatches(self, epoch: int, epoch_size: int | None, minibatch_size: int) -> Iterator[Minibatch]:
        """See `Reader.minibatches`."""
        delivered, index = 0, self.index
        for sequences in self._timeline.minibatches(epoch, epoch_size, minibatch_size):
            self.kept_chunks = self._timeline.widest_window
            values, layouts = self.read(sequences, self._layouts.of_minibatch())
            samples = int(index.samples[sequences].sum())
            yield Minibatch(values, layouts, samples, index.keys[sequences].tolist(), delivered)
            delivered += len(sequences)

    @cached_property
    def index(self) -> TextIndex:
        """Where the sequences lie; raises BsError where the file cannot be read."""
        s = self.settings
        try:
            return build_index(s.file, s.chunk_bytes, s.skip_sequence_ids, s.main_stream.alias if s.main_stream else "")
        except OSError as e:
            raise BsError(
                "missing-file",
                f"cannot read the data file '{s.file}': {e.strerror}",
                s.file_span,
                help="a path is relative to the folder the run is started in",
            ) from None
        except TextFileError as e:
            raise BsError("data-file", f"the data file '{s.file}' {e}", s.file_span, help=e.help) from None

    @cached_property
    def _timeline(self) -> Timeline:
        return Timeline(self.index.samples, self.index.chunks, self.settings.shuffling)

    # --- minibatches -------------------------------------------------------------------------------------------------

    def read(self, sequences: Indices, lay_out: LayOut) -> tuple[Values, dict[str, MinibatchLayout]]:
        """The values and layouts of all streams for `sequences` (numbers in the file, in any order).

        `lay_out` gives the layout of a stream, of which it gets the name and the lengths of the sequences.
        """
        index = self.index
        if self.settings.keep_in_memory:
            chunk_of, chunks = sequences[:0], {0: self._everything}
        else:
            chunk_of = np.searchsorted(index.chunks, sequences, side="right") - 1
            chunks = {c: self._chunk(c) for c in np.unique(chunk_of).tolist()}
        values: Values = {}
        layouts: dict[str, MinibatchLayout] = {}
        for s, stream in enumerate(self.streams):
            first, lengths = np.empty(len(sequences), np.int64), np.empty(len(sequences), np.int64)
            for c, chunk in chunks.items():
                here = slice(None) if len(chunks) == 1 else chunk_of == c
                local = sequences[here] - index.chunks[c]
                first[here] = chunk.first[s][local]
                lengths[here] = chunk.first[s][local + 1] - first[here]
            layout = lay_out(stream.name, lengths)
            if layout.goes_on:
                first -= np.minimum(layout.begin, 0)
            rows = first if layout.is_frames else first[layout.frame_sequence] + layout.frame_time
            rows_chunk = chunk_of if layout.is_frames or len(chunks) == 1 else chunk_of[layout.frame_sequence]
            values[stream.name] = _gather(
                stream, {c: chunk.samples[s] for c, chunk in chunks.items()}, rows, rows_chunk
            )
            layouts[stream.name] = layout
        return values, layouts

    # --- chunks ------------------------------------------------------------------------------------------------------

    def _chunk(self, number: int) -> _Chunk:
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._chunks[number] = self._load(number)
            while len(self._chunks) > max(_KEPT_CHUNKS, self.kept_chunks):
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(number)
        return chunk

    @cached_property
    def _everything(self) -> _Chunk:
        """All chunks as one, where the data stay in memory: a minibatch is then picked from one array."""
        index = self.index
        joined = [_Joined(int(index.samples.sum())) for _ in self.streams]
        borders = np.flatnonzero(np.diff(np.cumsum(index.size) // _PIECE_BYTES, prepend=0, append=-1))
        for begin, end in pairwise(
            [0, *borders[borders > 0].tolist()]
        ):  # in small pieces, of which little is left over
            chunk = self._parsed(slice(begin, end), check=True)
            for whole, samples, first in zip(joined, chunk.samples, chunk.first, strict=True):
                whole.append(samples, first)
        return _Chunk([j.samples() for j in joined], [j.first() for j in joined])

    def _load(self, number: int) -> _Chunk:
        here = slice(int(self.index.chunks[number]), int(self.index.chunks[number + 1]))
        chunk = self._parsed(here, check=number not in self._checked)
        self._checked.add(number)
        return chunk

    def _parsed(self, here: slice, check: bool) -> _Chunk:
        """The sequences `here`; `check` looks for what is wrong with them."""
        index, s = self.index, self.settings
        begin, size = index.begin[here], index.size[here]
        try:
            with open(s.file, "rb") as file:
                if (begin[:-1] + size[:-1] == begin[1:]).all():
                    file.seek(int(begin[0]))
                    data = file.read(int(size.sum()))
                else:  # lines without the stream that defines the minibatch size are left out
                    parts: list[bytes] = []
                    for at, count in zip(begin.tolist(), size.tolist(), strict=True):
                        file.seek(at)
                        parts.append(file.read(count))
                    data = b"".join(parts)
        except OSError as e:
            raise BsError("missing-file", f"cannot read the data file '{s.file}': {e.strerror}", s.file_span) from None
        if len(data) != size.sum():
            raise BsError("data-file", f"the data file '{s.file}' has become shorter while it was read", s.file_span)
        parsed = parse_lines(data, s.streams, np.dtype(s.dtype))
        first_line = np.searchsorted(parsed.starts, np.cumsum(size) - size)
        sequence_of_line = np.repeat(np.arange(len(size)), np.diff(np.r_[first_line, len(parsed.starts)]))
        counts = [np.bincount(sequence_of_line[samples.line], minlength=len(size)) for samples in parsed.streams]
        if check:
            self._check(
                _Lines(parsed, first_line, sequence_of_line, index.line[here], index.keys[here], index.samples[here]),
                counts,
            )
        return _Chunk(parsed.streams, [np.r_[0, np.cumsum(c)] for c in counts])

    # --- what is wrong with the data ---------------------------------------------------------------------------------

    def _check(self, lines: _Lines, counts: list[Indices]) -> None:
        """Counts the errors of a chunk, in the order of the file, and raises the one that is too much."""
        s = self.settings
        parsed = lines.parsed
        issues = [(int(lines.sequence_of_line[i.line]), 0, i) for i in parsed.issues]
        for stream, count in zip(s.streams, counts, strict=True):
            for q in np.flatnonzero(count == 0).tolist():
                issues.append(
                    (q, 1, Issue(int(lines.first_line[q]), f"{lines.name(q)} has no sample of '{stream.name}'"))
                )
            if s.frame_mode and (count > 1).any():
                q = int(np.argmax(count > 1))
                raise BsError(
                    "frame-mode",
                    f"{s.file}:{lines.number(int(lines.first_line[q]))}: {lines.name(q)} has {count[q]} samples of '{stream.name}', but with frameMode = true each sequence is one sample",
                    s.frame_mode_span or s.file_span,
                    help="remove frameMode, or the sequence ids (skipSequenceIds = true)",
                )
        defining = [
            c for stream, c in zip(s.streams, counts, strict=True) if s.main_stream is None or stream is s.main_stream
        ]
        longest = np.max(defining, axis=0)
        for q in np.flatnonzero(longest != lines.expected).tolist():
            what = "more" if longest[q] > lines.expected[q] else "fewer"
            issues.append(
                (
                    q,
                    2,
                    Issue(
                        int(lines.first_line[q]),
                        f"{lines.name(q)} has {what} samples ({longest[q]}) than lines ({lines.expected[q]})",
                    ),
                )
            )
        issues.sort(key=lambda i: i[:2])
        for at, (q, kind, issue) in enumerate(issues):
            if kind == 1:
                self._fatal(
                    lines, issue, [i for _, k, i in issues[:at] if k == 0 and int(lines.sequence_of_line[i.line]) == q]
                )
            self._errors += 1
            if self._errors > s.max_errors:
                many = f" (error {self._errors}; maxErrors = {s.max_errors})" if s.max_errors else ""
                fatal = any(k == 1 and other == q for other, k, _ in issues)
                help = (
                    "mend the data"
                    if fatal or s.max_errors
                    else "mend the data, or set maxErrors in the reader to skip such lines"
                )
                raise BsError(
                    "data-line", f"{s.file}:{lines.number(issue.line)}: {issue.message}{many}", s.file_span, help=help
                )
            self._warn(
                lines.number(issue.line),
                f"{issue.message}; this is left out (error {self._errors} of {s.max_errors} that maxErrors allows)",
            )
        for stream, (count, line, values) in sorted(parsed.short.items()):
            more = f", and {count - 1} more such samples follow" if count > 1 else ""
            self._warn(
                lines.number(line),
                f"a sample of '{s.streams[stream].name}' has only {values} of {s.streams[stream].dim} values, the rest is taken to be 0{more}",
            )

    def _fatal(self, lines: _Lines, issue: Issue, earlier: list[Issue]) -> None:
        """Raises the error that no setting excuses; if something earlier in the sequence caused it, at that."""
        s = self.settings
        cause = next(
            (i for i in earlier if i.stream is not None and s.streams[i.stream].name in issue.message), None
        ) or next(iter(earlier), None)
        if cause is None:
            message = f"{s.file}:{lines.number(issue.line)}: {issue.message}"
            help = "each sequence needs a sample of each stream"
        else:
            message = f"{s.file}:{lines.number(cause.line)}: {cause.message}" + (
                f"; without it {issue.message}" if s.max_errors else ""
            )
            help = (
                "maxErrors does not help here, as each sequence needs a sample of each stream: mend the data"
                if s.max_errors
                else "mend the data"
            )
        raise BsError("data-line", message, s.file_span, help=help)

    def _warn(self, line: int, message: str) -> None:
        if self.settings.trace_level >= 1:
            self._log(f"WARNING: {self.settings.file}:{line}: {message}")


class _Joined:
    """The samples of a stream, chunk after chunk; `expected` is how many there will be, if known."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._dense: NDArray[Any] | None = None
        self._sparse: list[SparseSamples] = []
        self._first: list[Indices] = [np.zeros(1, np.int64)]
        self._count = 0

    def append(self, samples: DenseSamples | SparseSamples, first: Indices) -> None:
        """Adds a chunk; `first` is the first sample of each of its sequences (and their number)."""
        self._first.append(first[1:] + self._count)
        end = self._count + len(samples)
        if isinstance(samples, SparseSamples):
            self._sparse.append(samples)
        else:
            if self._dense is None:
                self._dense = np.empty((max(self._expected, end), samples.values.shape[1]), samples.values.dtype)
            if end > len(self._dense):
                self._dense = np.resize(self._dense, (max(end, 2 * len(self._dense)), self._dense.shape[1]))
            self._dense[self._count : end] = samples.values
        self._count = end

    def samples(self) -> DenseSamples | SparseSamples:
        if self._dense is None:
            return join_samples(self._sparse) if len(self._sparse) > 1 else self._sparse[0]
        return DenseSamples(self._dense[: self._count], np.zeros(self._count, np.int64))

    def first(self) -> Indices:
        return np.concatenate(self._first)


@dataclass(slots=True)
class _Lines:
    """The lines of a chunk, for messages and checks; sequences are counted from 0 in the chunk."""

    parsed: ParsedLines
    first_line: Indices
    sequence_of_line: Indices
    line_number: Indices  # in the file, of the first line of each sequence
    keys: Indices
    expected: Indices  # samples of each sequence

    def number(self, line: int) -> int:
        """The line's number in the file, from 1."""
        q = int(self.sequence_of_line[line])
        return int(self.line_number[q]) + line - int(self.first_line[q])

    def name(self, q: int) -> str:
        """What to call sequence `q`."""
        return (
            "the line"
            if self.keys[q] == self.line_number[q] - 1 and self.expected[q] == 1
            else f"sequence {self.keys[q]}"
        )


def _gather(
    stream: Stream, chunks: dict[int, DenseSamples | SparseSamples], rows: Indices, chunk_of_row: Indices
) -> torch.Tensor | SparseBatch:
    """The samples number `rows[i]` of chunk `chunk_of_row[i]`."""
    if len(chunks) == 1:
        (samples,) = chunks.values()
        if isinstance(samples, DenseSamples):
            return torch.from_numpy(samples.values).index_select(0, torch.from_numpy(rows))
        return _batch(stream, take_sparse(samples, rows))
    where = [np.flatnonzero(chunk_of_row == c) for c in chunks]
    if not stream.sparse:
        dense = [samples.values[rows[w]] for w, samples in zip(where, chunks.values(), strict=True)]
        values = np.empty((len(rows), stream.dim), dense[0].dtype)
        for w, part in zip(where, dense, strict=True):
            values[w] = part
        return torch.from_numpy(values)
    parts = [
        take_sparse(samples, rows[w])
        for w, samples in zip(where, chunks.values(), strict=True)
        if isinstance(samples, SparseSamples)
    ]
    both = join_samples(parts)
    assert isinstance(both, SparseSamples)
    return _batch(stream, take_sparse(both, np.argsort(np.concatenate(where))))


def _batch(stream: Stream, samples: SparseSamples) -> SparseBatch:
    return SparseBatch(
        torch.from_numpy(samples.indices),
        torch.from_numpy(samples.values),
        torch.from_numpy(samples.offsets),
        stream.dim,
        one_hot=bool((samples.values == 1).all() and (np.diff(samples.offsets) == 1).all()),
    )


# --- settings --------------------------------------------------------------------------------------------------------


def from_section(
    section: Section, randomize: bool | None = None, log: Callable[[str], None] | None = None
) -> TextFormatReader:
    """The reader that a `reader` block describes. `randomize` overrides the key of that name (`write` never shuffles).

    Raises BsError for settings that are missing, unknown or do not fit together.
    """
    chunk_bytes = section.get_integer("chunkSizeInBytes", CHUNK_BYTES)
    settings = text_settings(section)
    settings.shuffling = None if randomize is False else _shuffling(section, chunk_bytes, bool(randomize))
    return TextFormatReader(settings, log)


def text_settings(section: Section) -> TextSettings:
    """What a block says about a file in text format, without shuffling; raises BsError."""
    streams, input_span = text_streams(section)
    file = section.require("file")
    frame_mode = section.get("frameMode")
    settings = TextSettings(
        file=file.string(),
        streams=streams,
        main_stream=_main_stream(section, streams),
        skip_sequence_ids=section.get_boolean("skipSequenceIds", False),
        max_errors=section.get_integer("maxErrors", 0),
        chunk_bytes=section.get_integer("chunkSizeInBytes", CHUNK_BYTES),
        keep_in_memory=section.get_boolean("keepDataInMemory", False),
        frame_mode=frame_mode is not None and frame_mode.boolean(),
        trace_level=section.get_integer("traceLevel", 1),
        dtype=_dtype(section),
        file_span=file.span,
        input_span=input_span,
        frame_mode_span=frame_mode.span if frame_mode else None,
    )
    # What only tunes the reference: our index is not kept on disk, and ids of this reader are always numbers.
    for key in ("cacheIndex", "useNumericSequenceKeys"):
        section.get_boolean(key, False)
    return settings


def _main_stream(section: Section, streams: list[Stream]) -> Stream | None:
    inputs = section.own_section("input")
    assert inputs is not None
    found: Stream | None = None
    for stream in streams:
        block = inputs.own_section(stream.name)
        value = block.get("definesMBSize") if block else None
        if value is not None and value.boolean():
            if found is not None:
                raise BsError(
                    "config-value",
                    f"streams '{found.name}' and '{stream.name}' both have definesMBSize = true",
                    value.span,
                    help="let one stream define the minibatch size",
                )
            found = stream
    return found


def _shuffling(section: Section, chunk_bytes: int, always: bool) -> Shuffling | None:
    value = section.get("randomize")
    if not always and value is not None and (value.text.lower() == "none" or not _boolean(value)):
        return None
    in_samples = section.get_boolean("sampleBasedRandomizationWindow", False)
    window = section.get("randomizationWindow")
    size = None if window is None else window.integer()
    if window is not None and size is not None and size < 0:
        raise window.error("a window cannot be smaller than 0")
    if size == 0:
        return None
    if size is None and not in_samples:
        size = default_window(chunk_bytes)
    return Shuffling(size, in_samples, section.get_integer("randomizationSeed", 0))


def default_window(chunk_bytes: int) -> int:
    """Over how many chunks sequences are shuffled where nothing is said about it."""
    return max(_WINDOW_BYTES // max(chunk_bytes, 1), 1)


def _boolean(value: Value) -> bool:
    try:
        return value.boolean()
    except BsError:
        raise value.error(
            "this reader takes true, false or none",
            "write randomize = true, or set the size of the window with randomizationWindow",
        ) from None


def _dtype(section: Section) -> type[np.floating]:
    value = section.get("precision")
    word = "float" if value is None else value.text.lower()
    if word not in ("float", "double"):
        assert value is not None
        raise value.error("this reader delivers float or double", 'write precision = "float"')
    return np.float64 if word == "double" else np.float32
