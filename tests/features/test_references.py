"""All uses of a name: the text with «» around them and around the definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.features.highlights import highlights
from bsls.features.references import references
from features.editing import CURSOR, at_cursor, marked, network

EXAMPLES = Path(__file__).parents[2] / "examples"

IN_NETWORKS = [
    "«a» = Input {3} ; b = Tanh (‸«a») + «a»",
    "«‸a» = Input {3} ; b = Tanh («a»)",
    "a = 1 ; f («a») = ‸«a» + 1 ; z = a",
    "«a» = 1 ; f (a) = a + 1 ; z = ‸«a»",
    "f (x, «o» = 1) = x * ‸«o» ; z = f (2, «o» = 3) ; o = 4",
    "L = { «y» = 1 ; z = «y» } ; a = L.‸«y» ; M = { y = 2 } ; b = M.y",
    "L (v) = { «y» = v } ; A = L (1) ; B = L (A.«y») ; z = B.‸«y» ; y = 1",
    "«L» (v) = { y = v } ; A = ‸«L» (1)",
    "z = ‸nothing + nothing",
    "z = «‸Tanh» (1) ; y = «Tanh» (2)",
    "z = 1 # ‸z",
]


@pytest.mark.parametrize("case", IN_NETWORKS)
def test_in_a_network(case: str) -> None:
    text = network(case)
    document, offset = at_cursor(text.replace("«", "").replace("»", ""))
    assert marked(document.source.text, [r.span for r in references(document, offset)]) == text.replace(CURSOR, "")
    assert highlights(document, offset) == references(document, offset)


CONFIG = """\
command = «T1»:W
dir = "."
«T1» = {
    action = "train" ; modelPath = "$dir$/m.dnn"
    BrainScriptNetworkBuilder = { x = Input {3} ; L = { y = 2 .* x } ; z = L.y ; criterionNodes = (z) }
    SGD = { trainCriterionNodeName = z ; other = $dir$ }
}
W = {
    action = "write" ; modelPath = "$dir$/m.dnn" ; outputNodeNames = z:L.y ; outputPath = "o"
}
reader = { readerType = "CNTKTextFormatReader" ; file = "f" ; input = { x = { dim = 3 ; format = "dense" } } }
N = {
    action = "train" ; modelPath = "n.dnn"
    BrainScriptNetworkBuilder = { net = BS.Network.Load ("$dir$/m.dnn") ; y = net.L_y + net.z }
}
"""


@pytest.mark.parametrize(
    ("name", "number", "definitions"),
    [("T1", 2, 1), ("dir", 5, 1), ("x = I", 3, 1), ("y = 2", 4, 1), ("z = L", 5, 1), ("L = ", 4, 1), ("net = ", 3, 1)],
)
def test_in_a_config(name: str, number: int, definitions: int) -> None:
    text = CONFIG.replace("«", "").replace("»", "")
    document, _ = at_cursor(text + CURSOR)
    found = references(document, text.index(name))
    assert {r.span.text for r in found} == {name.split(" ")[0]}
    assert (len(found), sum(r.definition for r in found)) == (number, definitions)
    assert all(references(document, r.span.start) == found for r in found)
    if name == "T1":
        assert marked(text, [r.span for r in found]) == CONFIG


def test_in_the_other_configs_of_the_folder() -> None:
    folder = EXAMPLES / "digits"
    here = (folder / "autoencoder.cntk").read_text(encoding="utf-8")
    document, offset = at_cursor(here.replace("L3 = Layer", "‸L3 = Layer"), folder, "autoencoder.cntk")
    found = references(document, offset)
    places = [(Path(r.span.source.path).name, r.span.start_position.line + 1, r.definition) for r in found]
    assert places == [
        ("autoencoder.cntk", 26, True),
        ("autoencoder.cntk", 27, False),
        ("autoencoder.cntk", 35, False),
        ("adapt-broken.cntk", 16, False),
        ("adapt-broken.cntk", 42, False),
        ("adapt.cntk", 19, False),
        ("adapt.cntk", 45, False),
    ]
    assert highlights(document, offset) == found[:3]
    there = (folder / "adapt.cntk").read_text(encoding="utf-8")
    document, offset = at_cursor(there.replace("featNet.L3_y", "featNet.‸L3_y", 1), folder, "adapt.cntk")
    assert {(Path(r.span.source.path).name, r.span.start, r.definition) for r in references(document, offset)} == {
        (Path(r.span.source.path).name, r.span.start, r.definition) for r in found
    }
    assert len(highlights(document, offset)) == 2


def test_a_stream_names_the_inputs_of_all_its_networks() -> None:
    text = (EXAMPLES / "digits" / "adapt.cntk").read_text(encoding="utf-8")
    at = text.rindex("digit =")
    document, offset = at_cursor(text[:at] + CURSOR + text[at:], EXAMPLES / "digits", "adapt.cntk")
    assert len([r for r in references(document, offset) if r.definition]) == 2  # of Frozen and of Tuned
