"""Arguments as the reference takes them (`configFile=F key=value`), or just paths."""

from __future__ import annotations

from collections.abc import Sequence


def reference_arguments(words: Sequence[str], settings: Sequence[str] = ()) -> list[str]:
    """The words in the reference's form; a plain path becomes `configFile=path`. `settings` (--set) come last."""
    found: list[str] = []
    for word in words:
        key, separator, _ = word.partition("=")
        found.append(word if separator and "/" not in key and "." not in key else f"configFile={word}")
    return [*found, *settings]
