"""Configs of real use, damaged in every way: nothing that reads them raises, and no tree loses a letter.

The long version takes some minutes: `make test-all`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_syntax_properties import PIECES
from trees import everything

from bsls.check.run import check_config
from bsls.finding import BsError
from bsls.project.files import Files
from bsls.source import ExpandedText, Source
from bsls.syntax.brainscript import Members
from bsls.syntax.raw import leaves, raw_tree

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = (
    *PIECES, "[\n", "]\n", "}\n", "\t", "\r\n", "\ufeff", "\u201c", "include=a.cntk\n", 'include "a.bs"', "$command$", "$a b$",
    "command", "action", "SGD = [", "BrainScriptNetworkBuilder = {", "NDLNetworkBuilder = [", "SimpleNetworkBuilder = [",
    "-1", "1e400", "99999999999999999999", "0x", "*3", ":", "array[0..3] (i => i)", "x = x", "f (n) = f (n)", "Input (3)",
    "Constant (1)", ".x", "ReLU", '"a"', "'a'", "true", "default",
)  # fmt: skip
INCLUDED = {"a.cntk": "a = [ b = 1 ]\ninclude=a.cntk\nc = $a$\n", "a.bs": 'a = 1 include "a.bs"'}


@cache
def configs() -> list[tuple[Path, str]]:
    return [(p, Files().source(str(p)).text) for p in sorted(GOLDEN.rglob("*.cntk"))]


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Path, str]:
    """A config of the golden cases after a few edits: the folder that it stands in, and its text."""
    path, text = draw(st.sampled_from(configs()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(start + draw(st.sampled_from((0, 0, 1, 1, 2, 5, 20, 200))), len(text))
        kind = draw(st.sampled_from(("put", "put", "cut", "twice", "move", "end")))
        if kind == "put":
            text = text[:start] + draw(st.sampled_from(WORDS) | st.text(max_size=3)) + text[end:]
        elif kind == "cut":
            text = text[:start] + text[end:]
        elif kind == "twice":
            text = text[:end] + text[start:end] + text[end:]
        elif kind == "move":
            rest = text[:start] + text[end:]
            to = draw(st.integers(0, len(rest)))
            text = rest[:to] + text[start:end] + rest[to:]
        else:
            text = text[:start]
    return path.parent, text


def read(text: str) -> None:
    """All trees of a text, and that nothing of it is lost."""
    source = Source("fuzz.cntk", text)
    tree = raw_tree(source)
    assert "".join(piece.text for piece in leaves(tree)) == text
    for item in tree.walk():
        members = Members(item.text, 0, len(item.text))
        for name in members.names:
            for part in everything(members.member(name)):
                assert 0 <= part.start <= part.end <= len(item.text)
    Members(ExpandedText.of(source), 0, len(text))


def check(folder: Path, text: str) -> None:
    """Every rule; findings have places inside their texts."""
    texts = {"fuzz.cntk": text, "fuzz.bs": text, **INCLUDED}
    documents = {str((folder / name).absolute()): Source(name, content) for name, content in texts.items()}
    for name in ("fuzz.cntk", "fuzz.bs"):
        findings, _ = check_config([f"configFile={name}"], Files(str(folder), documents))
        for finding in findings:
            assert finding.span is None or finding.span.end <= len(finding.span.source.text)
            for edit in (e for fix in finding.fixes for e in fix.edits):
                assert edit.span.start <= edit.span.end <= len(edit.span.source.text)


def fuzz(examples: int):
    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return lambda test: settings(max_examples=examples, deadline=None, suppress_health_check=health)(
        given(damaged())(test)
    )


@fuzz(150)
def test_trees(case: tuple[Path, str]) -> None:
    read(case[1])


@fuzz(100)
def test_check(case: tuple[Path, str]) -> None:
    check(*case)


@fuzz(100)
def test_format(case: tuple[Path, str]) -> None:
    formatter = pytest.importorskip("bsls.syntax.format")
    source = Source("fuzz.cntk", case[1])
    try:
        edits = formatter.format_edits(source, "config")
    except BsError:
        return
    assert all(not e.text.strip() and not e.span.text.strip() for e in edits)


@pytest.mark.slow
@fuzz(3000)
def test_trees_of_many(case: tuple[Path, str]) -> None:
    read(case[1])


@pytest.mark.slow
@fuzz(1500)
def test_check_of_many(case: tuple[Path, str]) -> None:
    check(*case)
