"""What can be written at a place."""

from __future__ import annotations

import re

from bsls.features.completion_config import complete_in_config
from bsls.features.completion_item import Completion
from bsls.features.completion_network import complete_in_network, library_items
from bsls.features.document import Document, text_before
from bsls.source import Source

_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)?$")


def complete(document: Document, offset: int) -> list[Completion]:
    """What fits at an offset, all of it, whatever is typed of it already; nothing in comments."""
    before = text_before(document.source, offset)
    if not document.brainscript and (m := _VARIABLE.search(before)) and before.count("$") % 2:
        return _variables(document, offset, len(m.group(1) or ""))
    network = document.network_at(offset)
    at = network.members.text.offset_of(document.source, offset) if network is not None else None
    if network is not None and at is not None and (at > 0 or document.brainscript):
        return complete_in_network(document, network, offset)
    return [] if document.brainscript else complete_in_config(document, offset)


def prepare() -> None:
    """Does what the first completion would have to wait for."""
    library_items()


def _variables(document: Document, offset: int, typed: int) -> list[Completion]:
    """Keys of enclosing blocks that `$x$` can stand for."""
    source: Source = document.source
    replace = source.span(offset - typed, offset)
    closed = source.text[offset : offset + 1] == "$"
    blocks = [document.tree, *(i.block for i in document.tree.path_to(offset) if i.block is not None)]
    items = {i.name: i for block in blocks for i in block.items if i.value.text[:1] not in ("[", "{", "(", "")}
    return [
        Completion(name, "variable", name if closed else f"{name}$", replace, item.value.text)
        for name, item in items.items()
        if re.fullmatch(r"[A-Za-z_]\w*", name) and not item.span.start <= offset <= item.span.end
    ]


__all__ = ["Completion", "complete"]
