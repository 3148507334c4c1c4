"""What is taken over from the text before an edit is what would have been found anew."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members
from bsls.workspace.analysis import Analysis

EXAMPLES = Path(__file__).parents[2] / "examples" / "digits"
TEXT = (EXAMPLES / "autoencoder.cntk").read_text()
PIECES = [
    *"{}[]()=.:;,+*\n #",
    "//",
    "x = ",
    "y",
    "L3.y",
    "featNet",
    "Layer {",
    "if ",
    " = 0",
    "\n        ",
    *TEXT.split(),
]


def edited(text: str, numbers: random.Random) -> str:
    """The text with one edit, most of them small ones that leave it whole."""
    start = numbers.randrange(len(text) + 1)
    end = min(len(text), start + numbers.choice((0, 0, 1, 3)))
    return text[:start] + numbers.choice(PIECES) + text[end:]


def parts(members: Members) -> list[tuple[object, ...]]:
    """Every expression with its place, and every finding."""
    found: list[tuple[object, ...]] = [("problem", str(f)) for f in members.problems]
    for name in members.names:
        found += [("finding", str(f)) for f in members.findings(name)]
        stack: list[tree.Expr] = [members.member(name)]
        while stack:
            expr = stack.pop()
            found.append((type(expr).__name__, expr.span.start, expr.span.end, getattr(expr, "id", "")))
            stack += tree.children(expr)
    return found


@pytest.mark.parametrize("seed", range(8))
def test_members(seed: int) -> None:
    numbers = random.Random(seed)
    text = "Layer {v, f} = { y = f (v) }\nx = Input {3}\nz = Layer {x, Tanh}.y\n\nce = SquareError (x, z)   # end\n"
    previous: Members | None = None
    for _ in range(60):
        text = edited(text, numbers)
        source = ExpandedText.of(Source("net", text))
        previous = Members(source, 0, len(text), previous)
        assert parts(previous) == parts(Members(source, 0, len(text)))


@pytest.mark.parametrize("seed", range(4))
def test_findings(seed: int) -> None:
    numbers = random.Random(seed)
    path = str(EXAMPLES / "autoencoder.cntk")
    text, analysis = TEXT, None
    for _ in range(25):
        text = TEXT if numbers.random() < 0.1 else edited(text, numbers)
        source = Source(path, text)
        analysis = Analysis(source, {path: source}, analysis)
        fresh = Analysis(source, {path: source})
        for one in (analysis, fresh):
            one.evaluate()
            one.finish()
        assert [str(f) for f in analysis.quick] == [str(f) for f in fresh.quick]
        assert [str(f) for f in analysis.findings or ()] == [str(f) for f in fresh.findings or ()]


def test_unchanged_members_are_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from bsls.syntax import brainscript

    path = str(EXAMPLES / "autoencoder.cntk")
    source = Source(path, TEXT)
    first = Analysis(source, {path: source})
    _ = first.quick
    parsed: list[str] = []
    parse = brainscript.parse_member

    def watched(text: ExpandedText, start: int, end: int, library: bool = False) -> tree.Member:
        parsed.append(text.text[start:end])
        return parse(text, start, end, library)

    monkeypatch.setattr(brainscript, "parse_member", watched)
    source = Source(
        path, "# above\n" + TEXT.replace("mse = SquareError (pixels, L6.y)", "mse = SquareError (L6.y, pixels)")
    )
    assert Analysis(source, {path: source}, first).quick == []
    assert parsed == ["mse = SquareError (L6.y, pixels)"]
