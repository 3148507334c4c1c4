"""What is noted of the data that a training reads, so that a run that goes on notices when they have changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress

from bsls.config.section import Section
from bsls.config.streams import deserializer_blocks

ENDS = 1 << 16
"""Bytes at the beginning and the end of a file that are looked at; reading it as a whole could take minutes."""


def note_of(reader: Section) -> dict[str, str]:
    """For each file of a reader its size and what tells its ends from others; those that are not there are left out."""
    found: dict[str, str] = {}
    blocks = [reader] if reader.own("deserializers") is None else deserializer_blocks(reader)
    for block in blocks:
        value = block.get("file")
        if value is not None:
            with suppress(OSError):
                found[value.text] = _print_of(value.text)
    return found


def _print_of(path: str) -> str:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(file.read(ENDS))
        if size > ENDS:
            file.seek(max(size - ENDS, ENDS))
            digest.update(file.read(ENDS))
    return f"{size} {digest.hexdigest()[:32]}"


def changed(before: Mapping[str, object], now: Mapping[str, str]) -> list[str]:
    """In words, what differs between two notes; nothing where one of them is empty."""
    if not before or not now:
        return []
    words = [f"'{path}' is no longer read" for path in before if path not in now]
    for path, print_of in now.items():
        if path not in before:
            words.append(f"'{path}' was not read then")
        elif before[path] != print_of:
            size, then = (str(note).partition(" ")[0] for note in (print_of, before[path]))
            words.append(
                f"'{path}' has {size} bytes, then {then}"
                if size != then
                else f"'{path}' has other content of the same size"
            )
    return words
