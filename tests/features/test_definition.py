"""Where names are defined: the text with «» around the definition of what stands at the cursor ‸."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.features.definition import definition
from bsls.features.document import Document
from features.editing import CURSOR, at_cursor, marked, network

EXAMPLES = Path(__file__).parents[2] / "examples"

IN_NETWORKS = [
    "a = Input {3} ; z = Tanh (‸a) => «a» = Input {3} ; z = Tanh (a)",
    "a = Input {3} ; z = Tanh (a‸) => «a» = Input {3} ; z = Tanh (a)",
    "‸a = Input {3} => «a» = Input {3}",
    "f (x, y) = ‸x + y => f («x», y) = x + y",
    "f (x, o = 1) = x + ‸o => f (x, «o» = 1) = x + o",
    "f (x, o = 1) = x ; z = f (2, ‸o = 3) => f (x, «o» = 1) = x ; z = f (2, o = 3)",
    "g = (x => ‸x + 1) => g = («x» => x + 1)",
    "h[i:0..2] = ‸i => h[«i»:0..2] = i",
    "h[i:0..2] = i ; z = ‸h[1] => «h»[i:0..2] = i ; z = h[1]",
    "L = { a = 1 ; b = ‸a } => L = { «a» = 1 ; b = a }",
    "L = { a = 1 } ; z = L.‸a => L = { «a» = 1 } ; z = L.a",
    "L = { M = { a = 1 } } ; z = L.M.‸a => L = { M = { «a» = 1 } } ; z = L.M.a",
    "L = { M = { a = 1 } } ; z = L.‸M.a => L = { «M» = { a = 1 } } ; z = L.M.a",
    "L (v) = { y = v } ; A = L (1) ; z = A.‸y => L (v) = { «y» = v } ; A = L (1) ; z = A.y",
    "L (v) = { y = v } ; z = L (1).‸y => L (v) = { «y» = v } ; z = L (1).y",
    "L (v) = { y = v } ; P = L ; A = P (1) ; z = A.‸y => L (v) = { «y» = v } ; P = L ; A = P (1) ; z = A.y",
    "L = { a = 1 } ; M = L ; z = M.‸a => L = { «a» = 1 } ; M = L ; z = M.a",
    "a = 1 ; L = { b = 2 } ; z = L.‸a => «a» = 1 ; L = { b = 2 } ; z = L.a",  # look-up climbs
    "A = [| {x = 1} ; {x = 2} |] ; z = A[1].‸x => A = [| {«x» = 1} ; {«x» = 2} |] ; z = A[1].x",
    "h[i:0..2] = {x = i} ; z = h[1].‸x => h[i:0..2] = {«x» = i} ; z = h[1].x",
    "R = if true then {x = 1} else {x = 2} ; z = R.‸x => R = if true then {«x» = 1} else {«x» = 2} ; z = R.x",
    "f (r) = r.‸x ; z = f ({x = 1}) => f (r) = r.x ; z = f ({«x» = 1})",
    "f (a) = a ; h = f >> f ; z = ‸h (1) => f (a) = a ; «h» = f >> f ; z = h (1)",
    "D (n) = (x => {y = x * n}) ; L = D (2) (3) ; z = L.‸y => D (n) = (x => {«y» = x * n}) ; L = D (2) (3) ; z = L.y",
    "Z = {a = 1} ; Y = Identity (Z) ; z = Y.‸a => Z = {«a» = 1} ; Y = Identity (Z) ; z = Y.a",
    "a = 1 ; z = (‸a + ) => «a» = 1 ; z = (a + )",  # does not parse
    "z = ‸nothing => z = nothing",
    "z = Input {3} # ‸z => z = Input {3} # z",
    "z = (1 + # ‸z => z = (1 + # z",
]


@pytest.mark.parametrize("case", IN_NETWORKS)
def test_in_a_network(case: str) -> None:
    text, expected = case.split(" => ") if case.count(" => ") == 1 else _halves(case)
    document, offset = at_cursor(network(text))
    assert _marked(document, offset) == network(expected)


def _halves(case: str) -> tuple[str, str]:
    """The two sides of a case that has `=>` inside as well."""
    parts = case.split(" => ")
    return " => ".join(parts[: len(parts) // 2]), " => ".join(parts[len(parts) // 2 :])


def _marked(document: Document, offset: int) -> str:
    return marked(document.source.text, [place.span for place in definition(document, offset)])


LIBRARY = {
    "z = ‸Tanh (1)": "Tanh",
    "z = DenseLayer {3, ‸activation = ReLU}": "activation",
    "z = BS.Network.‸Load ('m')": "Load",
    "z = (‸Tanh + ": "Tanh",
}


@pytest.mark.parametrize("text", LIBRARY)
def test_in_the_library(text: str) -> None:
    found = definition(*at_cursor(network(text)))
    assert [place.span.text for place in found] == [LIBRARY[text]]
    path = Path(found[0].span.source.path)
    assert path.suffix == ".bs"
    assert path.read_text(encoding="utf-8")[found[0].span.start :].startswith(LIBRARY[text])


@pytest.mark.parametrize("text", ["z = ‸BS.Network.Load ('m')", "z = BS.‸Network.Load ('m')"])
def test_a_record_of_the_library_is_a_file(text: str) -> None:
    [place] = definition(*at_cursor(network(text)))
    assert Path(place.span.source.path).name == ("BS.bs" if "‸BS" in text else "BS.Network.bs")


CONFIG = """\
command = Train:Test
dir = "models"
modelPath = "$dir$/m.dnn"
Train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {3}
        L = { W = ParameterTensor {(4:3)} ; y = W * x }
        z = Tanh (L.y)
        criterionNodes = (z)
    }
    SGD = { trainCriterionNodeName = z }
    reader = { readerType = "CNTKTextFormatReader" ; file = "f" ; input = { x = { dim = 3 ; format = "dense" } } }
}
Test = {
    action = "test" ; evalNodeNames = z:L.y
    reader = { readerType = "CNTKTextFormatReader" ; file = "f" ; input = { x = { dim = 3 ; format = "dense" } } }
}
More = {
    action = "train" ; modelPath = "n.dnn"
    BrainScriptNetworkBuilder = {
        net = BS.Network.Load ("models/m.dnn")
        y = net.L_y + net.z
    }
}
"""


@pytest.mark.parametrize(
    ("use", "defined"),
    [
        ("command = ‸Train", "«Train» = {"),
        ("Train:‸Test", "«Test» = {"),
        ('"‸$dir$/m', "«dir» = "),
        ('"$dir‸$/m', "«dir» = "),
        ('"$dir$/‸m', "«Train» = {"),
        ("CriterionNodeName = ‸z", "«z» = Tanh"),
        ("evalNodeNames = ‸z", "«z» = Tanh"),
        ("evalNodeNames = z:‸L.y", "«L» = { W"),
        ("evalNodeNames = z:L.‸y", "; «y» = W"),
        ("net.‸L_y", "; «y» = W"),
        ("net.L_‸y", "; «y» = W"),
        ("net.L_y + net.‸z", "«z» = Tanh"),
        ("Load (\"‸models", "«Train» = {"),
        ("file = \"f\" ; input = { ‸x", "«x» = Input"),
        ("evalNodeNames = z:L.y\n    reader = { readerType = \"CNTKTextFormatReader\" ; file = \"f\" ; input = { ‸x", "«x» = Input"),
    ],
)  # fmt: skip
def test_in_a_config(use: str, defined: str) -> None:
    bare = use.replace(CURSOR, "")
    document, offset = at_cursor(CONFIG.replace(bare, use, 1))
    assert _marked(document, offset) == CONFIG.replace(defined.replace("«", "").replace("»", ""), defined, 1)


def test_in_another_config(tmp_path: Path) -> None:
    (tmp_path / "base.cntk").write_text(CONFIG, encoding="utf-8")
    text = network("net = BS.Network.Load ('models/m.dnn') ; y = net.‸L_y")
    document, offset = at_cursor(text, tmp_path)
    (place,) = definition(document, offset)
    assert place.span.source.path == str(tmp_path / "base.cntk")
    assert CONFIG[place.span.start :].startswith("y = W")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.dnn").write_bytes(b"no model at all")
    assert [p.span.start for p in definition(*at_cursor(text, tmp_path))] == [place.span.start]
    path = definition(*at_cursor(text.replace(CURSOR, "").replace("'models", f"'{CURSOR}models"), tmp_path))
    assert [p.span.text for p in path] == ["Train"]


def test_the_code_of_the_example() -> None:
    text = (EXAMPLES / "digits" / "adapt.cntk").read_text(encoding="utf-8")
    (place,) = definition(
        *at_cursor(text.replace("featNet.L3_y", "featNet.L3‸_y", 1), EXAMPLES / "digits", "adapt.cntk")
    )
    assert Path(place.span.source.path).name == "autoencoder.cntk"
    line = place.span.source.line(place.span.start_position.line)
    assert line.strip() == "y = f (W * v + b)"


def test_an_included_key(tmp_path: Path) -> None:
    (tmp_path / "base.cntk").write_text('where = "models"\n', encoding="utf-8")
    document, offset = at_cursor(f'include={tmp_path / "base.cntk"}\ncommand = A\nmodelPath = "$wh‸ere$/m"\n', tmp_path)
    (place,) = definition(document, offset)
    assert (Path(place.span.source.path).name, place.span.text) == ("base.cntk", "where")
