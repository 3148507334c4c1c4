"""Names of nodes of a model over the real protocol: in a script of the model editing language, and in a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import Node
from lsp.editor import Editor, Open

pytestmark = pytest.mark.asyncio

CONFIG = """command = Edit:Dump
modelPath = "m.dnn"
Edit = { action = "edit" ; editPath = "e.mel" }
Dump = { action = "dumpNodes" ; nodeName = %s }
"""
SCRIPT = "m = LoadModel (m.dnn)\nSetDefaultModel (m)\nRename (m.x, m.input)\n"


def write_model(path: Path, *names: str) -> None:
    network = Network()
    for name in names:
        node = Node("InputValue", name, attributes={"dims": (3,), "dynamicAxis": ""})
        network.add(node)
        network.tag(node, "feature")
    v1.write(network, path)


async def ask(document: Open, method: str, offset: int) -> Any:
    place = document.position(offset)
    position = {"line": place.line, "character": place.character}
    return await document.editor.request(method, {"textDocument": {"uri": document.uri}, "position": position})


async def test_in_a_script(editor: Editor, tmp_path: Path) -> None:
    write_model(tmp_path / "m.dnn", "x", "L1.y", "h[0]")
    (tmp_path / "c.cntk").write_text(CONFIG % "x")
    document = editor.open(tmp_path / "e.mel", SCRIPT)
    assert await document.diagnostics() == []
    document.edit(len(SCRIPT), len(SCRIPT), "SetProperty (m.L")
    found = await ask(document, "textDocument/completion", len(document.text))
    items = {item.label: item for item in found.items}
    assert set(items) == {"L1.y", "h[0]", "input"}
    assert (items["L1.y"].detail, items["L1.y"].insert_text_format) == ("InputValue [3 x *]", None)
    assert document.apply([items["L1.y"].text_edit]).endswith("SetProperty (m.L1.y")
    document.edit(len(document.text), len(document.text), "1_y, output, true)\n")
    (wrong,) = await document.diagnostics()
    assert (wrong.code, document.marked(wrong.range)) == ("model-node", "m.L1_y")
    params = {"textDocument": {"uri": document.uri}, "context": {"diagnostics": []}, "range": wrong.range}
    (action,) = await editor.request("textDocument/codeAction", {**params, "range": _plain(wrong.range)})
    (change,) = action.edit.document_changes or [None]
    edits = change.edits if change is not None else action.edit.changes[document.uri]
    document.edit(0, len(document.text), document.apply(edits))
    assert document.text.endswith("SetProperty (m.L1.y, output, true)\n")
    assert await document.diagnostics() == []
    said = await ask(document, "textDocument/hover", document.text.index("m.L1.y") + 3)
    assert "node `L1.y` of `m.dnn`" in said.contents.value and "input · feature" in said.contents.value
    document.close()


def _plain(range: types.Range) -> dict[str, dict[str, int]]:
    ends = {"start": range.start, "end": range.end}
    return {name: {"line": p.line, "character": p.character} for name, p in ends.items()}


async def test_in_a_config_whose_model_changes_on_the_disk(editor: Editor, tmp_path: Path) -> None:
    """The names are those of the file as it is; one that is damaged has none."""
    (tmp_path / "e.mel").write_text("m = LoadModel (m.dnn)\n")
    document = editor.open(tmp_path / "c.cntk", CONFIG % "x")
    at = document.text.index("nodeName = ") + len("nodeName = ")

    async def offered() -> list[str]:
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        await document.diagnostics()
        return [item.label for item in (await ask(document, "textDocument/completion", at)).items]

    async def until(names: list[str]) -> None:
        for _ in range(100):
            if await offered() == names:
                return
        assert await offered() == names

    await until([])
    write_model(tmp_path / "m.dnn", "x", "z")
    await until(["x", "z"])
    write_model(tmp_path / "m.dnn", "q", "x")
    await until(["q", "x"])
    document.close()
