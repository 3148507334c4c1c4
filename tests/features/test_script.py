"""Scripts of the model editing language in the editor."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import CURSOR, at_cursor, opened

from bsls.features.completion import complete
from bsls.features.definition import definition
from bsls.features.hover import hover
from bsls.features.quick_fixes import quick_fixes
from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.source import Source
from bsls.workspace.analysis import Analysis

CONFIG = """command = Train:Edit
Train = {
    action = "train" ; modelPath = "models/net.dnn"
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        L1 = DenseLayer {4} (x)
        z = LinearLayer {2} (L1)
        ce = CrossEntropyWithSoftmax (y, z)
        criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 1 }
    reader = { readerType = "CNTKTextFormatReader" ; file = "d.txt" ; input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } } }
}
Edit = { action = "edit" ; editPath = "scripts/e.mel" }
"""

SCRIPT = """m = LoadModel (models/net.dnn)
n = LoadModel ("models/net.dnn", format=cntk)   # the same
SetDefaultModel (n)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "c.cntk").write_text(CONFIG)
    return tmp_path


def offered(text: str, folder: Path) -> list[str]:
    document, offset = at_cursor(text, folder / "scripts", "e.mel")
    return [item.label for item in complete(document, offset)]


def said(text: str, folder: Path) -> str:
    document, offset = at_cursor(text, folder / "scripts", "e.mel")
    found = hover(document, offset)
    return found.markdown if found is not None else ""


def test_nodes_of_a_model_that_is_not_trained_yet(folder: Path) -> None:
    document, offset = at_cursor(SCRIPT + "CopyNode (m.L‸, x)\n", folder / "scripts", "e.mel")
    found = {item.label: item for item in complete(document, offset)}
    assert {"z", "ce", "x"} <= set(found)
    assert found["z"].detail == "Plus [2 x *]"
    assert (found["z"].replace.text, found["z"].insert, found["z"].snippet) == ("L", "z", False)
    assert found["z"].sort < found["x"].sort < found["z.b"].sort


def test_models_and_nodes_of_the_default_one(folder: Path) -> None:
    labels = offered(SCRIPT + "SetProperty (‸, output, true)\n", folder)
    assert labels[:3] == ["m.", "n.", "ce"] or {"m.", "n.", "ce"} <= set(labels)
    assert offered(SCRIPT + "SaveModel (‸, f)", folder) == ["m", "n"]
    assert offered("SaveModel (‸, f)\n" + SCRIPT, folder) == []


def test_the_model_as_it_is_at_the_place(folder: Path) -> None:
    before = SCRIPT + "Rename (m.z, m.out)\nDeleteNode (m.ce)\n"
    labels = offered(before + "CopySubTree (m.‸", folder)
    assert "out" in labels and not {"z", "ce"} & set(labels)
    assert "z" in offered(before.replace("Rename", "#") + "CopySubTree (m.‸", folder)


@pytest.mark.parametrize(("text", "labels"), [
    ("SetProperty (m.z, ou‸, true)", ["finalCriterion", "output", "learningRateMultiplier"]),
    ("SetPropertyForSubTree (m.z, ‸, 0)", ["learningRateMultiplier", "needsGradient"]),
    ("CopyNode (m.z, m.q, ‸)", ["copyFlag=all", "copyFlag=value"]),
    ("Set‸", ["SetProperty", "SetNodeInput", "LoadModel"]),
    ("DeleteNode (m.z, m.‸)", ["L1"]),
    ("Copy (m.‸)", ["z"]),
    ("Copy (m.L1.‸arr, m.L2.W)", ["L1.arrayOfFunctions[0].W"]),
    ("CopyNode (m.L1.*, m.L1.‸)", ["L1.arrayOfFunctions[0].W"]),
])  # fmt: skip
def test_other_places(text: str, labels: list[str], folder: Path) -> None:
    assert set(labels) <= set(offered(SCRIPT + text, folder))


def test_files(folder: Path) -> None:
    (folder / "old.dnn").touch()
    assert offered("m = LoadModel (‸", folder) == ["old.dnn", "scripts/"]


def test_in_a_section_of_a_script(folder: Path) -> None:
    text = f"edit = E\nE = [\n{SCRIPT}CopyNode (m.‸, x)\n]\n"
    assert "z" in offered(text, folder)


def test_models_that_are_described_in_the_script(folder: Path) -> None:
    text = SCRIPT + "f = [\n    a = InputValue (3)\n    t = Tanh (a)\n]\n"
    assert offered(text + "CopyNode (f.‸, m.q)", folder) == ["a", "t"]
    document, offset = at_cursor(text + "CopyNode (f.‸t, m.q)", folder / "scripts", "e.mel")
    assert [place.span.text for place in definition(document, offset)] == ["Tanh (a)"]
    text = SCRIPT + "q = Tanh (z)\n"  # a line of NDL
    assert "q" in offered(text + "CopyNode (n.‸, m.q)", folder)


def test_hover(folder: Path) -> None:
    assert "z = Plus (z.PlusArgs[0], z.b)" in said(SCRIPT + "DeleteNode (m.‸z)", folder)
    assert "node `z` of `models/net.dnn`" in said(SCRIPT + "DeleteNode (‸z)", folder)
    assert "nodes of `models/net.dnn`" in said(SCRIPT + "DeleteNode (m.L1‸*)", folder)
    assert "model `m`" in said(SCRIPT + "SaveModel (‸m, f)", folder)
    assert "SetProperty (node, property, value)" in said("Set‸Property (a, b, c)", folder)
    assert said(SCRIPT + "DeleteNode (m.n‸one)", folder) == ""


def test_definition(folder: Path) -> None:
    """Into the config that trains the model, whether its file is there or not."""
    for _ in range(2):
        document, offset = at_cursor(SCRIPT + "DeleteNode (m.‸z)", folder / "scripts", "e.mel")
        (found,) = definition(document, offset)
        assert found.span.text == "z" and found.full is not None and found.full.text == "z = LinearLayer {2} (L1)"
        assert found.span.source.path.endswith("c.cntk")
        (folder / "models").mkdir(exist_ok=True)
        network = Network()
        network.add(Node("InputValue", "z", attributes={"dims": (3,), "dynamicAxis": ""}))
        v1.write(network, folder / "models" / "net.dnn")
    document, offset = at_cursor("m = LoadModel (models/‸net.dnn)", folder / "scripts", "e.mel")
    assert [place.span.text.split()[0] for place in definition(document, offset)] == ["Train"]


@pytest.mark.parametrize("name", ["m.L1‸.arrayOfFunctions[0].W", "m.L1.arr‸ayOfFunctions[0].W", "m.L1‸.*"])
def test_definition_of_the_variable_that_a_node_is_named_after(name: str, folder: Path) -> None:
    document, offset = at_cursor(SCRIPT + f"DeleteNode ({name})", folder / "scripts", "e.mel")
    assert [place.span.text for place in definition(document, offset)] == ["L1"]


@pytest.mark.parametrize("data", [b"", b"B\0C\0N\0\0\0", None])
def test_no_model_and_no_config(data: bytes | None, tmp_path: Path) -> None:
    """A damaged model, or none, and a script that no config runs: nothing is known, nothing fails."""
    if data is not None:
        (tmp_path / "net.dnn").write_bytes(data)
    text = "m = LoadModel (net.dnn)\nCopyNode (m.‸, "
    document, offset = at_cursor(text, tmp_path, "e.mel")
    assert complete(document, offset) == []
    assert hover(document, offset) is None and definition(document, offset) == []


def test_a_model_beside_a_script_that_no_config_runs(tmp_path: Path) -> None:
    network = Network()
    network.add(Node("InputValue", "x", attributes={"dims": (3,), "dynamicAxis": ""}))
    v1.write(network, tmp_path / "net.dnn")
    document, offset = at_cursor("m = LoadModel (net.dnn)\nCopyNode (m.‸", tmp_path, "e.mel")
    assert [(item.label, item.detail) for item in complete(document, offset)] == [("x", "InputValue [3 x *]")]


def test_node_names_in_a_config_lead_to_where_they_are_made(tmp_path: Path) -> None:
    text = (
        CONFIG + 'W = { action = "write" ; modelPath = "models/net.dnn" ; outputNodeNames = %s ; outputPath = "o" }\n'
    )
    for name, made in (("z‸", "z"), ("L1.x‸.PlusArgs[0]", "")):
        document, offset = at_cursor(text.replace("Train:Edit", "Train:W") % name, tmp_path)
        (found,) = definition(document, offset)
        assert made in ("", found.span.text)


def test_findings_and_fixes(folder: Path) -> None:
    """Those that the check of the config has for the script; they can be mended where the script is open."""
    text = SCRIPT + "DeleteNode (m.L1_x)\nq = LoadModel (models/ent.dnn)\nCopyNode (m.l1.*, n.L2.*)\nDumpModel (m\n"
    document = opened(text, folder / "scripts", "e.mel")
    (folder / "net.dnn").touch()
    said = [(f.rule, f.span.text) for f in document.findings if f.span is not None]
    assert said[0] == ("syntax", "(") and len(said) == len(set(said))
    document = opened(text.replace("DumpModel (m\n", ""), folder / "scripts", "e.mel")
    said = [(f.rule, f.span.text) for f in document.findings if f.span is not None]
    assert said == [("model-node", "m.L1_x"), ("missing-model", "models/ent.dnn"), ("model-node", "m.l1.*")]
    source = document.source
    at = text.index("m.l1.*")
    assert [fix.title for fix in quick_fixes(document, source.span(at, at))] == ["change to m.L1.*"]


def test_while_a_line_is_typed(folder: Path) -> None:
    """The models are those of the last finished run, as far as the text before the place is still the same."""

    def typed(text: str, before: Analysis | None) -> Analysis:
        source = Source(str(folder / "scripts" / "e.mel"), text)
        return Analysis(source, {source.path: source}, before)

    first = typed(SCRIPT + "Rename (m.z, m.out)\n", None)
    first.evaluate()
    first.finish()
    now = typed(SCRIPT + "Rename (m.z, m.out)\nCopyNode (m.", first)
    assert "out" in [item.label for item in complete(now.document, len(now.source.text))]
    changed = typed(SCRIPT + "Rename (m.x, m.in)\nCopyNode (m.", now)
    assert "z" in [item.label for item in complete(changed.document, len(changed.source.text))]
    other = typed("m = LoadModel (other.dnn)\nCopyNode (m.", changed)
    assert complete(other.document, len(other.source.text)) == []


@pytest.mark.parametrize("text", ["‸", "a = [", "CopyNode (m.L1‸.*", "x = (((((‸", "‸)"])
def test_broken_scripts(text: str, tmp_path: Path) -> None:
    document = opened(text.replace(CURSOR, ""), tmp_path, "e.mel")
    offset = max(text.find(CURSOR), 0)
    complete(document, offset)
    hover(document, offset)
    definition(document, offset)


def test_only_folders_up_to_the_config_are_looked_at(folder: Path) -> None:
    """What happens beside them, as models that a training writes, is no reason to look again."""
    (folder / "scripts" / "c.cntk").write_text(CONFIG.replace("scripts/e.mel", "e.mel"))
    document = opened(SCRIPT, folder / "scripts", "e.mel")
    assert document.files is not None and not document.files.changed()
    (folder / "models").mkdir()
    (folder / "more.cntk").write_text(CONFIG)
    assert not document.files.changed()
    (folder / "scripts" / "c.cntk").write_text("command = nothing")
    assert document.files.changed()
