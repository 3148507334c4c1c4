"""Diagnostics of unsaved text over the real protocol."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from bsls.check.run import check_config
from bsls.project.files import Files
from golden_cases import CASES
from lsp.editor import Editor, Open

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "digits"
pytestmark = pytest.mark.asyncio


def shown(diagnostics: list[types.Diagnostic]) -> list[tuple[Any, ...]]:
    """What is told of each diagnostic, for comparison."""
    return sorted(
        (d.range.start.line, d.range.start.character, d.range.end.line, d.range.end.character, d.severity, d.code, d.message)
        for d in diagnostics
    )  # fmt: skip


def checked(path: Path) -> list[tuple[Any, ...]]:
    """What `bsls check` finds in the same file; columns in code points."""
    found = []
    for f in check_config([f"configFile={path.name}"], Files(str(path.parent)))[0]:
        place = (0, 0, 0, 0)
        if f.span is not None:
            if Path(f.span.source.path).absolute() != path:
                continue
            place = (*f.span.start_position, *f.span.end_position)
        message = f.message + (f"\n{f.help}" if f.help else "")
        found.append((*place, 4 - f.severity, f.rule, message))
    return sorted(found)


@pytest_asyncio.fixture
async def adapt(editor: Editor) -> AsyncIterator[Open]:
    document = editor.open(EXAMPLES / "adapt.cntk")
    yield document
    document.close()


async def test_a_wrong_node_name_is_underlined_and_goes_when_it_is_mended(editor: Editor, adapt: Open) -> None:
    assert await adapt.diagnostics() == []
    adapt.edit(at := adapt.text.index("L3_y"), at + 4, "L3.y")
    (found,) = await adapt.diagnostics()
    assert (found.code, adapt.marked(found.range)) == ("model-node", "L3.y")
    assert "write L3_y" in found.message
    adapt.edit(at, at + 4, "L3_y")
    assert await adapt.diagnostics() == []


async def test_all_findings_are_those_of_check(editor: Editor, tmp_path: Path) -> None:
    paths = [*EXAMPLES.glob("*.cntk"), *(ROOT / "examples" / "adapt").glob("*.cntk")]
    shutil.copytree(CASES, tmp_path / "cases", dirs_exist_ok=True)
    paths += sorted(p for p in (tmp_path / "cases").rglob("*.cntk"))
    assert len(paths) > 30
    for path in paths:
        document = editor.open(path)
        assert shown(await document.diagnostics()) == checked(path), path
        document.close()


async def test_columns_count_utf16_units(editor: Editor, tmp_path: Path) -> None:
    document = editor.open(tmp_path / "c.cntk", 'command = T # 😀\nT = { action = "wrong" } # 😀😀 ü\n')
    (found,) = await document.diagnostics()
    assert document.marked(found.range) == "wrong"
    document.replace("# 😀😀 ü", "# 😀😀 ü\nx = 1")
    document.replace("T = {", "T = { # 😀\n description = '😀😀' ;")
    (found,) = await document.diagnostics()
    assert document.marked(found.range) == "wrong"
    document.close()


@pytest.mark.parametrize("encoding", list(types.PositionEncodingKind))
async def test_every_position_encoding(tmp_path: Path, encoding: types.PositionEncodingKind) -> None:
    editor = await Editor.started(tmp_path, [encoding])
    document = editor.open(tmp_path / "c.cntk", 'command = T\nT = { description = "äß😀" ; action = "wrong" }\n')
    (found,) = await document.diagnostics()
    before = 'T = { description = "äß😀" ; action = "'
    width = {"utf-8": len(before.encode()), "utf-16": len(before) + 1, "utf-32": len(before)}[encoding.value]
    assert found.range.start == types.Position(1, width)
    await editor.stop()
    editor.assert_quiet()


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["crlf", "cr", "lf"])
async def test_line_ends(editor: Editor, tmp_path: Path, end: str) -> None:
    text = (EXAMPLES / "autoencoder.cntk").read_text().replace("\n", end)
    document = editor.open(tmp_path / "c.cntk", text)
    assert [d.code for d in await document.diagnostics()] == ["missing-file"]
    at = document.text.index("mse = Sq")
    document.edit(at, at, f"extra = pixels + unheard{end}        ")
    found = next(d for d in await document.diagnostics() if d.code == "unknown-identifier")
    line = text[:at].replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert found.range == types.Range(types.Position(line, 25), types.Position(line, 32))
    document.close()


async def test_unsaved_text_of_another_document_counts(editor: Editor, adapt: Open) -> None:
    encoder = editor.open(EXAMPLES / "autoencoder.cntk")
    assert await adapt.diagnostics() == []
    encoder.replace("L3 = Layer {L2.y,", "Code = Layer {L2.y,")
    encoder.replace("L4 = Layer {L3.y,", "L4 = Layer {Code.y,")
    encoder.replace("(L3.y : L6.y)", "(Code.y : L6.y)")
    assert await encoder.diagnostics() == []
    assert [d.code for d in await adapt.diagnostics()] == ["model-node", "model-node"]
    encoder.close()
    assert await adapt.diagnostics() == []


async def test_files_that_change_on_the_disk(editor: Editor, tmp_path: Path) -> None:
    for name in ("adapt.cntk", "autoencoder.cntk", "train.txt", "test.txt"):
        shutil.copy(EXAMPLES / name, tmp_path)
    document = editor.open(tmp_path / "adapt.cntk")
    assert await document.diagnostics() == []
    (tmp_path / "models").mkdir()

    async def until(code: str | None) -> None:
        for _ in range(60):
            if [d.code for d in await document.diagnostics()][:1] == ([code] if code else []):
                return
            await asyncio.sleep(0.1)
        raise AssertionError([d.code for d in await document.diagnostics()])

    (tmp_path / "models" / "autoencoder.dnn").write_bytes(b"no model")
    await until("model-file")
    (tmp_path / "models" / "autoencoder.dnn").unlink()
    await until(None)
    (tmp_path / "autoencoder.cntk").write_text((tmp_path / "autoencoder.cntk").read_text().replace("L3", "Code"))
    await until("model-node")
    document.close()


async def test_other_kinds_of_files(editor: Editor, tmp_path: Path) -> None:
    script = editor.open(tmp_path / "net.bs", "f (x) = x + 1\ng (x) = x +\n")
    assert [d.code for d in await script.diagnostics()] == ["syntax"]
    script.edit(len(script.text) - 1, len(script.text) - 1, " f (x)")
    assert await script.diagnostics() == []
    for name, text in (("a.ndl", "x = InputValue(3)\n"), ("a.mel", "m = LoadModel(a)\n"), ("b.cntk", "\0\1\2")):
        document = editor.open(tmp_path / name, text)
        assert len(await document.diagnostics()) == (name == "b.cntk")
        document.close()
    script.close()


async def test_a_very_long_line_is_a_word_of_warning(editor: Editor, tmp_path: Path) -> None:
    document = editor.open(tmp_path / "c.cntk", "x = " + "1" * 2_000_000)
    (found,) = await document.diagnostics()
    assert "longer than" in found.message
    document.edit(5, 2_000_004, '\ncommand = T ; T = { action = "dumpNodes" ; modelPath = "m" }')
    assert [d.code for d in await document.diagnostics()] == ["missing-model"]
    document.close()


async def test_every_prefix_of_a_config(editor: Editor, tmp_path: Path) -> None:
    text = (EXAMPLES / "adapt.cntk").read_text()
    document = editor.open(tmp_path / "c.cntk", "")
    for end in range(0, len(text), 61):
        document.edit(len(document.text), len(document.text), text[len(document.text) : end])
        await document.diagnostics()
    document.close()


async def test_edits_at_random_with_requests_between(tmp_path: Path) -> None:
    """2,000 edits, as a fast and careless user makes them; the end is that of a fresh server."""
    numbers = random.Random(4)
    editor = await Editor.started(tmp_path)
    path = tmp_path / "c.cntk"
    text = (EXAMPLES / "adapt.cntk").read_text() + (EXAMPLES / "autoencoder.cntk").read_text()
    document = editor.open(path, text)
    pieces = [*"{}[]()\"'#=.:;,+*$\n\r 😀ä", "\r\n", "Layer {", "featNet.", "x = ", "if ", "command = ", "// ", "$d$", *text.split()]  # fmt: skip
    waiting: list[asyncio.Future[Any]] = []
    for _ in range(2000):
        size = len(document.text)
        start = numbers.randrange(size + 1)
        while 0 < start < size and document.text[start - 1 : start + 1] == "\r\n":
            start -= 1
        end = min(size, start + numbers.choice((0, 0, 0, 1, 2, 7, 20 if size > 3000 else 0)))
        while 0 < end < size and document.text[end - 1 : end + 1] == "\r\n":
            end += 1
        document.edit(start, end, numbers.choice(pieces) if numbers.random() < 0.8 else "")
        if numbers.random() < 0.1:
            waiting += requests(document, numbers.randrange(len(document.text) + 1))
        if numbers.random() < 0.01:
            await asyncio.gather(*waiting)
            waiting.clear()
    await asyncio.gather(*waiting)
    last = shown(await document.diagnostics())
    editor.assert_quiet()
    await editor.stop()
    fresh = await Editor.started(tmp_path)
    assert shown(await fresh.open(path, document.text).diagnostics()) == last
    await fresh.stop()


def requests(document: Open, offset: int) -> list[asyncio.Future[Any]]:
    """Everything that a client asks for at a place."""
    at = {"textDocument": {"uri": document.uri}}
    place = document.position(offset)
    there = {**at, "position": {"line": place.line, "character": place.character}}
    whole = {"start": {"line": 0, "character": 0}, "end": there["position"]}
    asked: list[tuple[str, Any]] = [
        ("textDocument/completion", there),
        ("textDocument/hover", there),
        ("textDocument/signatureHelp", there),
        ("textDocument/definition", there),
        ("textDocument/references", {**there, "context": {"includeDeclaration": True}}),
        ("textDocument/documentHighlight", there),
        ("textDocument/prepareRename", there),
        ("textDocument/documentSymbol", at),
        ("textDocument/foldingRange", at),
        ("textDocument/semanticTokens/full", at),
        ("textDocument/codeAction", {**at, "range": whole, "context": {"diagnostics": []}}),
        ("brainscript/commands", {"uri": document.uri}),
    ]
    return [asyncio.ensure_future(document.editor.request(method, p)) for method, p in asked]
