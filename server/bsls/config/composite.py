"""The block of a composite reader of text (`deserializers = ([ ... ] : [ ... ])`) as typed settings."""

from __future__ import annotations

from dataclasses import dataclass

from bsls.config.section import Section
from bsls.config.streams import Stream, deserializer_blocks, reader_streams
from bsls.finding import BsError
from bsls.source import Span


@dataclass(frozen=True, slots=True)
class CompositeSettings:
    """What the block says. `truncation` is the number of time steps after which sequences are cut, None if they are not.

    The window of the shuffling is in samples if `window_in_samples`, else in chunks; None is the default number of chunks.
    """

    blocks: list[Section]
    streams: list[Stream]
    input_span: Span
    frame_mode: bool
    truncation: int | None
    randomize: bool
    window: int | None
    window_in_samples: bool
    seed: int


def read_composite(section: Section) -> CompositeSettings:
    """The settings of a reader's block with `deserializers`.

    Raises BsError for what is missing (`missing-key`), does not do (`config-value`), or does not fit together
    (`conflicting-keys`).
    """
    streams, span = reader_streams(section)
    truncated = section.get("truncated")
    frame_mode, cut = section.get_boolean("frameMode", False), truncated is not None and truncated.boolean()
    if truncated is not None and cut and frame_mode:
        raise BsError(
            "conflicting-keys", "frameMode and truncated exclude each other", truncated.span,
            help="remove one of them: with frameMode each sequence is one sample",
        )  # fmt: skip
    truncation = _truncation(section) if cut else None
    splice = section.get("rightSplice")
    if splice is not None and splice.integer() > (truncation or 0):
        raise splice.error(
            "this is more than truncationLength" if cut else "only sequences that are cut have a rightSplice",
            "use at most the time steps of a minibatch" if cut else "remove it, or add truncated = true",
        )
    section.get_boolean("checkData", True)  # sequences are always compared, as in the reference
    window, in_samples = _window(section)
    return CompositeSettings(
        blocks=deserializer_blocks(section),
        streams=streams,
        input_span=span,
        frame_mode=frame_mode,
        truncation=truncation,
        randomize=section.get_boolean("randomize", True),
        window=window,
        window_in_samples=in_samples,
        seed=section.get_integer("randomizationSeed", 0),
    )


def _truncation(section: Section) -> int:
    value = section.get("truncationLength")
    if value is None:
        raise BsError(
            "missing-key", "truncated = true needs a truncationLength", section.require("truncated").span,
            help="add truncationLength = N to the reader: the time steps of a minibatch",
        )  # fmt: skip
    if value.integer() < 1:
        raise value.error("sequences are cut after at least 1 step", "give the number of time steps of a minibatch")
    return value.integer()


def _window(section: Section) -> tuple[int | None, bool]:
    """Only what stands in the block itself counts."""
    in_samples, window = section.own("sampleBasedRandomizationWindow"), section.own("randomizationWindow")
    if window is None:
        if in_samples is not None and in_samples.boolean():
            raise BsError(
                "missing-key", "sampleBasedRandomizationWindow = true needs the size of the window", in_samples.span,
                help="add randomizationWindow = N, in samples",
            )  # fmt: skip
        return None, False
    if window.integer() < 0:
        raise window.error("a window cannot be smaller than 0")
    return window.integer(), section.get_boolean("sampleBasedRandomizationWindow", True)
