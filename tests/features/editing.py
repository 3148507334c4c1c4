"""Documents with a cursor, for the tests of features."""

from __future__ import annotations

from pathlib import Path

from bsls.features.document import Document
from bsls.source import Source, Span
from bsls.workspace.analysis import Analysis

CURSOR = "‸"


def opened(text: str, folder: Path | str = "/nowhere", name: str = "c.cntk", *, evaluate: bool = True) -> Document:
    """The document `folder/name` with unsaved `text`, its networks evaluated."""
    source = Source(str(Path(folder, name)), text)
    analysis = Analysis(source, {source.path: source})
    document = analysis.document
    if evaluate:
        analysis.evaluate()
        analysis.finish()
    return document


def at_cursor(text: str, folder: Path | str = "/nowhere", name: str = "c.cntk") -> tuple[Document, int]:
    """The document without the mark `‸`, evaluated, and the offset where it stood."""
    offset = text.index(CURSOR)
    document = opened(text.replace(CURSOR, ""), folder, name)
    return document, offset


def network(text: str) -> str:
    """A config with one command, whose network is `text`."""
    return f'command = T\nT = {{\n    action = "train" ; modelPath = "m.dnn"\n    BrainScriptNetworkBuilder = {{\n{text}\n    }}\n}}\n'


def marked(text: str, spans: list[Span]) -> str:
    """`text` with «» around the spans, which are in its own document."""
    for span in sorted(spans, key=lambda s: -s.start):
        text = f"{text[: span.start]}«{text[span.start : span.end]}»{text[span.end :]}"
    return text
