"""Each request over the real protocol, in unsaved text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from bsls.features.semantic_tokens import MODIFIERS, TYPES
from lsp.editor import Editor, Open

EXAMPLES = Path(__file__).parents[2] / "examples" / "digits"
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(params=["\n", "\r\n"], ids=["lf", "crlf"])
async def adapt(editor: Editor, request: pytest.FixtureRequest) -> AsyncIterator[Open]:
    """An unsaved copy of an example with a comment on top that has characters outside the basic plane."""
    text = "# 😀 unsaved\n" + (EXAMPLES / "adapt.cntk").read_text()
    document = editor.open(EXAMPLES / "adapt.cntk", text.replace("\n", request.param))
    assert await document.diagnostics() == []
    yield document
    document.close()


async def ask(document: Open, method: str, offset: int, **rest: Any) -> Any:
    place = document.position(offset)
    params = {
        "textDocument": {"uri": document.uri},
        "position": {"line": place.line, "character": place.character},
        **rest,
    }
    return await document.editor.request(method, params)


def after(document: Open, text: str) -> int:
    return document.text.index(text) + len(text)


async def test_completion_of_nodes_of_a_model_that_is_not_trained_yet(adapt: Open) -> None:
    assert not (EXAMPLES / "models" / "autoencoder.dnn").exists()
    adapt.edit(at := after(adapt, "featNet.pixels, featNet."), at + 4, "")
    found = await ask(adapt, "textDocument/completion", at)
    items = {item.label: item for item in found.items}
    assert {"L1_y", "L3_y", "L6_y", "L1_W", "pixels"} <= items.keys()
    assert "Tanh" in items["L3_y"].detail and "32" in items["L3_y"].detail
    assert adapt.apply([items["L3_y"].text_edit]).count("featNet.L3_y") == 2


async def test_completion_of_keys_in_a_block(adapt: Open) -> None:
    adapt.replace("    numMBsToShowResult     = 15", "    gradientCl")
    found = await ask(adapt, "textDocument/completion", after(adapt, "    gradientCl"))
    labels = [item.label for item in found.items]
    assert "gradientClippingWithTruncation" in labels and "maxEpochs" not in labels


async def test_hover(adapt: Open) -> None:
    found = await ask(adapt, "textDocument/hover", after(adapt, "featNet.L3"))
    assert "L3.y" in found.contents.value and "[32 x *]" in found.contents.value
    assert adapt.marked(found.range) == "L3_y"


async def test_signature_help(adapt: Open) -> None:
    found = await ask(adapt, "textDocument/signatureHelp", after(adapt, "BS.Network.CloneFunction (featNet.pixels, "))
    signature = found.signatures[0]
    start, end = signature.parameters[found.active_parameter].label
    assert signature.label.startswith("BS.Network.CloneFunction") and signature.label[start:end] == "outputNodes"


async def test_definition_in_the_config_that_makes_the_model(adapt: Open) -> None:
    (found,) = await ask(adapt, "textDocument/definition", after(adapt, "featNet.L3"))
    assert found.uri.endswith("autoencoder.cntk")
    lines = (EXAMPLES / "autoencoder.cntk").read_text().splitlines()
    assert lines[found.range.start.line].strip().startswith(("y = f", "L3 = Layer"))


async def test_definition_in_the_library(adapt: Open) -> None:
    (found,) = await ask(adapt, "textDocument/definition", after(adapt, "CrossEntropyWith"))
    assert found.uri.endswith("library/CNTK2.bs")


async def test_references_and_highlights(adapt: Open) -> None:
    at = after(adapt, "        cod")
    found = await ask(adapt, "textDocument/references", at, context={"includeDeclaration": True})
    assert [adapt.marked(place.range) for place in found] == ["code", "code"]
    marks = await ask(adapt, "textDocument/documentHighlight", at)
    assert [m.range for m in marks] == [place.range for place in found]


async def test_rename(adapt: Open) -> None:
    at = after(adapt, "        cod")
    assert adapt.marked(await ask(adapt, "textDocument/prepareRename", at)) == "code"
    edit = await ask(adapt, "textDocument/rename", at, newName="features_")
    (edits,) = edit.changes.values()
    text = adapt.apply(edits)
    assert "features_ = encode (pixels)" in text and "LinearLayer {10} (features_)" in text
    with pytest.raises(JsonRpcException, match="featNet"):
        await ask(adapt, "textDocument/rename", at, newName="featNet")


async def test_outline(adapt: Open) -> None:
    found = await adapt.editor.request("textDocument/documentSymbol", {"textDocument": {"uri": adapt.uri}})
    symbols = {s.name: s for s in found}
    assert {"command", "Frozen", "Tuned", "TestFrozen", "SGD"} <= symbols.keys()
    network = next(s for s in symbols["Frozen"].children if s.name == "BrainScriptNetworkBuilder")
    assert {"featNet", "encode", "z", "ce"} <= {s.name for s in network.children}


async def test_folding(adapt: Open) -> None:
    found = await adapt.editor.request("textDocument/foldingRange", {"textDocument": {"uri": adapt.uri}})
    lines = adapt.text.split("\n")
    assert "Frozen = {" in [lines[r.start_line].rstrip("\r") for r in found]


async def test_semantic_tokens(adapt: Open) -> None:
    found = await adapt.editor.request("textDocument/semanticTokens/full", {"textDocument": {"uri": adapt.uri}})
    words: list[tuple[str, str, int]] = []
    line = column = 0
    for i in range(0, len(found.data), 5):
        down, right, size, kind, modifiers = found.data[i : i + 5]
        line, column = line + down, right + (0 if down else column)
        start, end = types.Position(line, column), types.Position(line, column + size)
        words.append((adapt.marked(types.Range(start, end)), TYPES[kind], modifiers))
    library = 1 << MODIFIERS.index("defaultLibrary")
    assert any(word == "LinearLayer" and kind == "function" and m & library for word, kind, m in words)
    assert ("$" not in "".join(word for word, _, _ in words)) and len(words) > 100


async def test_quick_fix(adapt: Open) -> None:
    adapt.edit(at := after(adapt, "featNet.pixels, featNet."), at + 4, "L4.y")
    (diagnostic,) = await adapt.diagnostics()
    place = {"line": diagnostic.range.start.line, "character": diagnostic.range.start.character}
    found = await adapt.editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": adapt.uri},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        },
    )
    (action,) = [a for a in found if "L4_y" in a.title]
    assert action.is_preferred and list(action.diagnostics) == [diagnostic]
    assert adapt.apply(action.edit.changes[adapt.uri]).count("featNet.L4_y") == 1


async def test_commands(adapt: Open) -> None:
    found = await adapt.editor.request("brainscript/commands", {"uri": adapt.uri})
    names = [(c["name"], c["action"], c["trains"]) for c in found]
    assert names[:2] == [("Frozen", "train", True), ("TestFrozen", "test", False)]
    assert found[0]["modelPath"] == "models/frozen.dnn"


async def test_a_cancelled_request(adapt: Open) -> None:
    client = adapt.editor.client
    place = adapt.position(after(adapt, "featNet.L3"))
    params = types.HoverParams(types.TextDocumentIdentifier(adapt.uri), place)
    request = asyncio.ensure_future(client.protocol.send_request_async("textDocument/hover", params, "to-cancel"))
    await asyncio.sleep(0)
    client.protocol.notify("$/cancelRequest", types.CancelParams("to-cancel"))
    try:
        answer = await request
        assert answer.contents.value  # it was faster
    except JsonRpcException as error:
        assert error.code == -32800


async def test_progress_of_a_long_evaluation(editor: Editor, tmp_path: Path) -> None:
    text = """
        Stack {n, v} = if n == 0 then v else Stack {n - 1, Tanh (LinearLayer {8} (v))}
        x = Input {8} ; z = Stack {900, x} ; featureNodes = (x) ; outputNodes = (z)"""
    config = f'command = W ; W = {{ action = "write" ; BrainScriptNetworkBuilder = {{{text}\n}} }}\n'
    document = editor.open(tmp_path / "deep.cntk", config)
    await document.diagnostics()
    await asyncio.sleep(0.1)
    reports = [r for r in editor.client.progress_reports.values() if r]
    assert reports and reports[-1][0].title == "Evaluating deep.cntk"
    assert isinstance(reports[-1][-1], types.WorkDoneProgressEnd)
    document.close()


async def test_arrays_and_the_engine_are_not_loaded(adapt: Open) -> None:
    server = adapt.editor.client._server
    assert server is not None
    libraries = Path(f"/proc/{server.pid}/maps")
    if not libraries.exists():
        pytest.skip("the libraries of a process are not listed on this system")
    assert not {"numpy", "torch"} & {part for line in libraries.read_text().splitlines() for part in Path(line).parts}


async def test_completion_directly_after_opening(editor: Editor, tmp_path: Path) -> None:
    document = editor.open(EXAMPLES / "adapt.cntk")
    found = await ask(document, "textDocument/completion", after(document, "featNet."))
    assert "L3_y" in [item.label for item in found.items]
    document.close()


async def test_what_is_known_of_a_loaded_model_follows_the_network(editor: Editor, tmp_path: Path) -> None:
    document = editor.open(EXAMPLES.parent / "adapt" / "1-features.cntk")
    await document.diagnostics()
    document.replace("        mse = SquareError", "        Middle = Tanh (L1.y)\n        mse = SquareError")
    document.replace("(L2.y)\n    }", "(L2.y : Middle)\n    }")
    await document.diagnostics()
    found = await ask(document, "textDocument/completion", after(document, "outputNodeNames = "))
    assert "Middle" in [item.label for item in found.items]
    document.close()


async def test_rename_in_all_configs_that_load_the_model(editor: Editor) -> None:
    """Also in one that is not saved, and was opened later."""
    encoder = editor.open(EXAMPLES / "autoencoder.cntk")
    await encoder.diagnostics()
    text = "# not saved\n" + (EXAMPLES / "adapt.cntk").read_text()
    adapt = editor.open(EXAMPLES / "adapt.cntk", text)
    edit = await ask(encoder, "textDocument/rename", after(encoder, "        L3"), newName="Code")
    changed = {uri: document.apply(edit.changes[uri]) for uri, document in ((encoder.uri, encoder), (adapt.uri, adapt))}
    assert "Code = Layer {L2.y" in changed[encoder.uri] and "(Code.y : L6.y)" in changed[encoder.uri]
    assert changed[adapt.uri].startswith("# not saved\n") and changed[adapt.uri].count("featNet.Code_y") == 2
    assert {Path(uri).name for uri in edit.changes} >= {"autoencoder.cntk", "adapt.cntk"}
    found = await ask(
        encoder, "textDocument/references", after(encoder, "        L3"), context={"includeDeclaration": True}
    )
    assert {Path(place.uri).name for place in found} >= {"autoencoder.cntk", "adapt.cntk"}
    adapt.close()
    encoder.close()


async def test_formatting(adapt: Open) -> None:
    adapt.replace("    numMBsToShowResult     = 15", "  numMBsToShowResult=15 ")
    options = {"tabSize": 4, "insertSpaces": True}
    edits = await adapt.editor.request(
        "textDocument/formatting", {"textDocument": {"uri": adapt.uri}, "options": options}
    )
    text = adapt.apply(edits)
    assert "    numMBsToShowResult = 15\n" in text.replace("\r\n", "\n")
    assert ("\r\n" in text) == ("\r\n" in adapt.text)
    line = {"line": 0, "character": 0}
    nothing = await adapt.editor.request(
        "textDocument/rangeFormatting",
        {"textDocument": {"uri": adapt.uri}, "options": options, "range": {"start": line, "end": line}},
    )
    assert not nothing


async def test_a_script_that_a_config_runs(editor: Editor, tmp_path: Path) -> None:
    """Findings with fixes, completion, and the way into the config, for a model that was never trained."""
    text = (EXAMPLES / "autoencoder.cntk").read_text().replace("= Train:Test", "= Train:Edit")
    (tmp_path / "autoencoder.cntk").write_text(text + '\nEdit = { action = "edit" ; editPath = "e.mel" }\n')
    script = editor.open(
        tmp_path / "e.mel", "m = LoadModel (models/autoencoder.dnn)\nSetProperty (m.L3_y, output, true)\n"
    )
    (found,) = await script.diagnostics()
    assert (found.code, script.marked(found.range)) == ("model-node", "m.L3_y")
    place = {"line": found.range.start.line, "character": found.range.start.character}
    wanted = {
        "textDocument": {"uri": script.uri},
        "range": {"start": place, "end": place},
        "context": {"diagnostics": []},
    }
    (action,) = await editor.request("textDocument/codeAction", wanted)
    assert "m.L3.y" in script.apply(action.edit.changes[script.uri])
    script.replace("m.L3_y", "m.L3.")
    items = await ask(script, "textDocument/completion", after(script, "m.L3."))
    (item,) = [item for item in items.items if item.label == "L3.y"]
    assert "(m.L3.y, output" in script.apply([item.text_edit])
    script.replace("m.L3.", "m.L3.y")
    assert await script.diagnostics() == []
    (made,) = await ask(script, "textDocument/definition", after(script, "m.L3"))
    assert made.uri.endswith("autoencoder.cntk")
    script.close()
