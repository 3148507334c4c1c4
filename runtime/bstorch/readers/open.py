"""From a `reader` block to the reader that it asks for."""

from __future__ import annotations

from collections.abc import Callable

from bsls.config.section import Section
from bsls.config.streams import other_reader
from bstorch.readers import composite, text_format
from bstorch.readers.base import Reader


def open_reader(
    section: Section,
    randomize: bool | None = None,
    log: Callable[[str], None] | None = None,
    *,
    whole_sequences: bool = False,
) -> Reader:
    """The reader that a block describes; `randomize` overrides its key of that name, `log` takes warnings.

    With `whole_sequences` it does not cut them, whatever the block says. Raises BsError for settings that do not do.
    """
    assert other_reader(section) is None  # the run was refused otherwise
    if section.own("deserializers") is not None:
        return composite.from_section(section, randomize, log, whole_sequences=whole_sequences)
    return text_format.from_section(section, randomize, log)
