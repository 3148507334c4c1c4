"""Completion, hovers and signatures never fail, whatever is typed so far."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsls.features.completion import complete
from bsls.features.document import Document
from bsls.features.hover import hover
from bsls.features.signature_help import signature_help
from bsls.source import Source
from bsls.workspace.analysis import Analysis

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.rglob("*.cntk"))
STEP = 7  # every so many characters
PIECES = ("", "(", "{", "[", ")", "}", "]", "'", '"', ".", ",", ":", ";", "=", " = ", "\n", "$", "$x$", "#", "//", "/*", "[|", "new ", "if ", "x => ", "f (", "1", "é")  # fmt: skip


class Typist:
    """Edits of one file; each sees what was evaluated before the first."""

    def __init__(self, path: Path) -> None:
        self.source = Source(str(path), path.read_text(encoding="utf-8"))
        self.before = Analysis(self.source, {self.source.path: self.source})
        self.before.evaluate()
        self.before.finish()

    def document(self, text: str) -> Document:
        source = Source(self.source.path, text)
        return Analysis(source, {source.path: source}, self.before).document


def try_all(document: Document, offset: int) -> None:
    text = document.source.text
    for item in complete(document, offset):
        assert item.replace.source is document.source
        assert item.replace.start <= offset <= item.replace.end
        assert "\n" not in item.replace.text
    found = hover(document, offset)
    assert found is None or (found.markdown and found.span.start <= offset <= found.span.end <= len(text))
    signature = signature_help(document, offset)
    assert signature is None or all(s <= e <= len(signature.label) for s, e, _ in signature.parameters)


@pytest.mark.parametrize(
    ("file", "step"),
    [("digits/adapt.cntk", STEP), ("digits/autoencoder.cntk", STEP), pytest.param("digits/adapt.cntk", 1, marks=pytest.mark.slow)],
)  # fmt: skip
def test_every_prefix(file: str, step: int) -> None:
    typist = Typist(EXAMPLES / file)
    for end in range(0, len(typist.source.text), step):
        try_all(typist.document(typist.source.text[:end]), end)


def test_every_place() -> None:
    typist = Typist(EXAMPLES / "digits" / "adapt.cntk")
    document = typist.before.document
    for offset in range(0, len(typist.source.text), STEP):
        try_all(document, offset)


TYPISTS: dict[Path, Typist] = {}


@given(st.sampled_from(FILES), st.floats(0, 1), st.integers(0, 30), st.sampled_from(PIECES), st.integers(-3, 3))
@settings(deadline=None, max_examples=150)
def test_edits_anywhere(path: Path, where: float, removed: int, typed: str, beside: int) -> None:
    if path not in TYPISTS:
        TYPISTS[path] = Typist(path)
    typist = TYPISTS[path]
    text = typist.source.text
    at = int(where * len(text))
    text = text[:at] + typed + text[at + removed :]
    document = typist.document(text)
    try_all(document, min(at + len(typed), len(text)))
    try_all(document, max(0, min(at + beside, len(text))))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", '"', "a = ([" * 100, "a = [" * 100, "T = { BrainScriptNetworkBuilder = { z = " + "f (" * 400,
        "T = { BrainScriptNetworkBuilder = { z = " + "a." * 400, "T = { BrainScriptNetworkBuilder = { a = b.x ; b = a.x ; c = a.",
        "T = { BrainScriptNetworkBuilder = { f (x) = f (x).y ; z = f (1).", "T = { BrainScriptNetworkBuilder = { a = a ; z = a (",
    ],
)  # fmt: skip
def test_odd_texts(text: str) -> None:
    source = Source("/nowhere/c.cntk", text)
    document = Analysis(source, {source.path: source}).document
    for offset in {0, len(text) // 2, len(text)}:
        try_all(document, offset)


def test_a_path_that_goes_on_in_the_next_line() -> None:
    typist = Typist(EXAMPLES / "digits" / "adapt.cntk")
    text = typist.source.text.replace('"models/frozen.dnn"', '"models/\nfrozen.dnn"')
    for beside in range(-3, 4):
        try_all(typist.document(text), text.index("models/\n") + 8 + beside)
