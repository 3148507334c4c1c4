"""Names of nodes of models in configs: what is offered, said and found for them. Scripts are tested on their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.features.completion import complete
from bsls.features.definition import definition
from bsls.features.hover import hover
from bsls.features.quick_fixes import quick_fixes
from features.editing import CURSOR, at_cursor, opened

CONFIG = """command = Train:Use
modelPath = "m.dnn"
reader = { readerType = "CNTKTextFormatReader" ; file = "d" ; input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } } }
Train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        L1 = { W = ParameterTensor {(4:3)} ; y = Tanh (W * x) }
        h[i:0..1] = Sigmoid (L1.y)
        z = LinearLayer {2} (h[0] + h[1])
        ce = CrossEntropyWithSoftmax (y, z)
        criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
}
Use = { %s }
"""
DUMP = 'action = "dumpNodes" ; '
WRITE = 'action = "write" ; outputPath = "o" ; '
EDIT = """
    action = "edit" ; outputModelPath = "e.dnn"
    BrainScriptNetworkBuilder = {
        net = BS.Network.Load ("m.dnn")
        %s
        outputNodes = net.z
    }
"""


def replaced(text: str) -> tuple[str, list[str]]:
    """What a completion at the mark replaces, and what it puts there, best first."""
    document, offset = at_cursor(CONFIG % text)
    found = sorted((c for c in complete(document, offset) if c.kind == "node"), key=lambda c: c.sort)
    assert not any(c.snippet for c in found)
    (span,) = {c.replace.text for c in found}
    return span, [c.insert for c in found]


@pytest.mark.parametrize(
    ("text", "span", "first"),
    [
        (WRITE + "outputNodeNames = ‸", "", ["ce", "z", "h[0]", "h[1]"]),
        (WRITE + 'outputNodeNames = "z:L1.‸"', "L1.", ["ce", "z"]),
        (WRITE + 'outputNodeNames = "ce:h[‸:z"', "h[", ["ce", "h[0]"]),
        ('action = "test" ; evalNodeNames = c‸', "c", ["ce", "h[0]", "h[1]", "L1.y"]),
        (DUMP + 'nodeName = "‸"', "", ["ce", "z"]),
        (DUMP + 'nodeNameRegex = "z.‸*"', "z.*", ["ce", "z", r"h\[0\]"]),
        (EDIT % "q = net.L‸", "L", ["h_0", "L1_y"]),
        (EDIT % "q = (node => if node.name == \"‸\" then net.z else node)", "", ["ce", "z", "h[0]"]),
        (EDIT % "q = BS.Network.Editing.ReplaceLinksToNamedNode ('L1‸', net.z)", "L1", ["ce", "z"]),
    ],
)  # fmt: skip
def test_what_is_offered(text: str, span: str, first: list[str]) -> None:
    found = replaced(text)
    assert found[0] == span
    if "net.L" in text:
        assert {"L1_y", "L1_W", "z_b"} <= set(found[1]) and not any("[" in name for name in found[1])
    else:
        assert found[1][: len(first)] == first


def test_names_are_those_of_the_model() -> None:
    """Though members of the description give its nodes others."""
    found = replaced(EDIT % "mine = net.L1_y ; q = Tanh (net.‸)")[1]
    assert "L1_y" in found and "mine" not in found


L1 = "L1.y = Tanh (L1.y.z) : [4 x *"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WRITE + "outputNodeNames = z:L1.y‸", ["node `L1.y` of `m.dnn`", L1]),
        (WRITE + "outputNodeNames = ‸z", ["-> [2 x *", "output"]),
        (DUMP + "nodeName = L1.‸W", ["node `L1.W` of `m.dnn`", "12 values · learnable parameter"]),
        (DUMP + r'nodeNameRegex = "L1\..‸*"', ["3 nodes of `m.dnn`", L1]),
        (DUMP + 'nodeNameRegex = "L1[‸.*"', []),
        (DUMP + "nodeName = q‸", []),
        (EDIT % "q = net.L1‸_y", ["node `L1.y` of `m.dnn`", L1]),
        (EDIT % "q = net.x‸", ["input · feature"]),
        (EDIT % 'q = (node => if node.name == "L1‸.y" then net.z else node)', ["node `L1.y` of `m.dnn`", L1]),
        (EDIT % 'q = (node => if node.operation == "L1‸.y" then net.z else node)', []),
    ],
)
def test_what_is_said(text: str, said: list[str]) -> None:
    document, offset = at_cursor(CONFIG % text)
    found = hover(document, offset)
    assert (found is not None) == bool(said) or not said
    for part in said:
        assert found is not None and part in found.markdown


@pytest.mark.parametrize(
    ("text", "defined"),
    [
        (WRITE + "outputNodeNames = ce:‸z", "z = LinearLayer {2} (h[0] + h[1])"),
        (DUMP + "nodeName = L1.‸W", "W = ParameterTensor {(4:3)}"),
        (DUMP + r'nodeNameRegex = "‸z.*"', "z = LinearLayer {2} (h[0] + h[1])"),
        (EDIT % "q = net.L1_‸y", "y = Tanh (W * x)"),
        (EDIT % 'q = (node => if node.name == "L1.‸y" then net.z else node)', "y = Tanh (W * x)"),
        (EDIT % 'q = (node => if node.name == "h‸[1]" then net.z else node)', "h[i:0..1] = Sigmoid (L1.y)"),
        (EDIT % 'q = (node => if node.name == "no‸" then net.z else node)', None),
    ],
)
def test_where_it_is_defined(text: str, defined: str | None) -> None:
    document, offset = at_cursor(CONFIG % text)
    found = [place.full.text if place.full else place.span.text for place in definition(document, offset)]
    assert found == ([defined] if defined else [])


NDL = """command = Train:Use
modelPath = "m.dnn"
Train = { action = "train" ; SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
    NDLNetworkBuilder = { run = N ; N = [ x = InputValue (3)\n t = Tanh (x)\n OutputNodes = (t) ] }
    reader = { readerType = "CNTKTextFormatReader" ; file = "d" ; input = { x = { dim = 3 ; format = "dense" } } } }
Use = { action = "dumpNodes" ; nodeName = t‸ }
"""


def test_where_nodes_of_other_descriptions_are_made() -> None:
    """By the expression that makes them, as they have no variable in BrainScript."""
    (place,) = definition(*at_cursor(NDL))
    assert place.span.text == "Tanh (x)"


@pytest.mark.parametrize("fixed", ["net.L1_y", "net.z_x.inputs[1]"])
def test_fixes(fixed: str) -> None:
    wrong = "net.L1.y" if "L1" in fixed else "net.h[1]"
    text = CONFIG % EDIT % f"q = Tanh ({wrong})"
    document = opened(text)
    at = text.index(wrong) + 5
    (fix,) = quick_fixes(document, document.source.span(at, at))
    for edit in fix.edits:
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert f"q = Tanh ({fixed})" in text
    assert {f.rule for f in opened(text).findings} <= {"missing-file"}


@pytest.mark.parametrize("data", [b"", b"B\0C\0N\0\0\0", b"\xff" * 100])
def test_a_damaged_model(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.dnn").write_bytes(data)
    for text in (WRITE + "outputNodeNames = ‸z", DUMP + "nodeNameRegex = ‸z", EDIT % "q = net.‸z"):
        document, offset = at_cursor(CONFIG % text, tmp_path)
        assert not [c for c in complete(document, offset) if c.kind == "node"]
        assert hover(document, offset) is None
        assert CURSOR not in document.source.text
        definition(document, offset)
