"""What is offered while one types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bsls.source import Span

MAX_DOCUMENTED = 1000
"""Nodes up to which each is offered with a doc; of more, the detail has to do."""

Kind = Literal[
    "function", "variable", "node", "key", "value", "block", "keyword", "parameter", "command", "stream", "module", "file"
]  # fmt: skip


@dataclass(slots=True)
class Completion:
    """`insert` takes the place of `replace`; it is a snippet (`$0`, `${1:name}`) where `snippet` says so.

    `sort` orders the list, `filter` is what typed text is compared with, the label if it is empty.
    """

    label: str
    kind: Kind
    insert: str
    replace: Span
    detail: str = ""
    doc: str = ""
    snippet: bool = False
    sort: str = ""
    filter: str = ""


def snippet_text(text: str) -> str:
    """A text as it is written inside of a snippet."""
    return re.sub(r"([\\$}])", r"\\\1", text)
