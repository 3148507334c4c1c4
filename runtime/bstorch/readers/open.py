"""From a `reader` block to the reader that it asks for."""

from __future__ import annotations

from collections.abc import Callable

from bsls.config.section import Section
from bsls.finding import BsError
from bstorch.readers import text_format
from bstorch.readers.base import Reader

DEFAULT_READER = "CNTKTextFormatReader"


def open_reader(section: Section, randomize: bool | None = None, log: Callable[[str], None] | None = None) -> Reader:
    """The reader that a block describes; `randomize` overrides its key of that name, `log` takes warnings.

    Raises BsError (`unsupported-reader`) for readers that this version does not have.
    """
    for key in ("readers", "deserializers"):
        value = section.own(key)
        if value is not None:
            raise _unsupported(key, section)
    kind = section.get_string("readerType", DEFAULT_READER)
    if kind.lower() != DEFAULT_READER.lower():
        raise _unsupported("readerType", section)
    return text_format.from_section(section, randomize, log)


def _unsupported(key: str, section: Section) -> BsError:
    value = section.get(key)
    assert value is not None
    what = f"reader {value.text}" if key == "readerType" else f"'{key}'"
    return BsError(
        "unsupported-reader",
        f"{what} is not available yet in this version",
        value.span,
        help=f"use readerType = {DEFAULT_READER}",
    )
