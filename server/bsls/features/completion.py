"""What can be written at a place."""

from __future__ import annotations

import re

from bsls.config.section import VARIABLE, Section
from bsls.features.completion_config import complete_in_config
from bsls.features.completion_item import Completion
from bsls.features.completion_network import complete_in_network, library_items
from bsls.features.completion_script import complete_in_script
from bsls.features.document import Document, text_before
from bsls.finding import BsError
from bsls.source import ExpandedText, Source

_OPEN_VARIABLE = re.compile(VARIABLE.pattern.removesuffix(r"\$") + "?$")
_REST_OF_VARIABLE = re.compile(r"\w*\$")
_NEVER_A_VARIABLE = ("command", "include")


def complete(document: Document, offset: int) -> list[Completion]:
    """What fits at an offset, all of it, whatever is typed of it already; nothing in comments."""
    if document.kind == "script":
        return complete_in_script(document, offset)
    if document.kind == "other":
        return []
    before = text_before(document.source, offset)
    if document.kind == "config" and (m := _OPEN_VARIABLE.search(before)) and before.count("$") % 2:
        return _variables(document, offset, len(m.group(1) or ""))
    network = document.network_at(offset)
    at = network.members.text.offset_of(document.source, offset) if network is not None else None
    if network is not None and at is not None and (at > 0 or document.kind == "brainscript"):
        return complete_in_network(document, network, offset)
    return complete_in_config(document, offset) if document.kind == "config" else []


def prepare() -> None:
    """Does what the first completion would have to wait for."""
    library_items()


def _variables(document: Document, offset: int, typed: int) -> list[Completion]:
    """The keys that `$x$` can stand for: those of the whole config, also if they come from an included file.

    The text of a block counts as if it stood where the block does, so that keys inside of blocks are not seen.
    """
    config = document.config
    if config is None:
        return []
    source: Source = document.source
    rest = _REST_OF_VARIABLE.match(source.text, offset)
    replace = source.span(offset - typed, rest.end() - 1 if rest is not None else offset)
    around = document.tree.path_to(offset)
    own = around[0].name.lower() if around else ""
    found: list[Completion] = []
    values = {value.key.lower(): value.raw.text for value in config}
    for key in [value.key for value in config]:
        text = _stands_for(config, key)
        if text is None or key.lower() in _NEVER_A_VARIABLE or own in _uses(key, values):
            continue
        sort = "1" if text.startswith(("[", "{", "(")) else "0"
        insert = key if rest is not None else f"{key}$"
        found.append(Completion(key, "variable", insert, replace, text, sort=sort + key.lower()))
    return found


def _stands_for(config: Section, key: str) -> str | None:
    """What `$key$` becomes; None where that is an error."""
    text = f"${key}$"
    if VARIABLE.fullmatch(text) is None:
        return None
    try:
        return config.expand(ExpandedText.of(Source("", text))).text
    except BsError:
        return None


def _uses(key: str, values: dict[str, str]) -> set[str]:
    """The keys, in lower case, that the value of a key is made of, itself among them."""
    found, open = set[str](), [key.lower()]
    while open:
        name = open.pop()
        if name not in found:
            found.add(name)
            open += (used.lower() for used in VARIABLE.findall(values.get(name, "")))
    return found


__all__ = ["Completion", "complete"]
