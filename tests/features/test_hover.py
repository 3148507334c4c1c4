"""What is said about the word at a cursor."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.features.hover import hover
from features.editing import at_cursor, network, opened

EXAMPLES = Path(__file__).parents[2] / "examples"

NETWORK = """        # Doubles x,
        # or more.
        twice (x, times = 2) = {
            # Adds k.
            add (k, bias = 1) = x + k
            y = times * x
        }
        pixels = Input {64}
        r = { p = Tanh (pixels) ; q = Sigmoid (p) }
        sizes = (3 : 4)
        n = 3  # how many
        name = "a"
        layer = LinearLayer {n}
        part = BS.Network.CloneFunction (r.p, r.q)
        featureNodes = (pixels)
        z = %s
        last = 5"""


def said(text: str, folder: Path | str = "/nowhere", name: str = "c.cntk") -> str:
    """The hover at `‸`, without its code marks and on one line; empty if there is none."""
    document, offset = at_cursor(text, folder, name)
    found = hover(document, offset)
    return " ".join(found.markdown.replace("```brainscript", "").replace("```", "").split()) if found else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("‸n", "n = 3"),
        ("n‸", "n = 3"),
        ("n + na‸me", 'name = "a"'),
        ("siz‸es", "sizes = (3 : 4) array of 2 elements"),
        ("Tanh (‸pixels)", "pixels = InputValue() : -> [64 x *] input · feature A stream of the reader"),
        ("Tanh (r.‸q)", "r.q = Sigmoid (r.p) : [64 x *] -> [64 x *]"),
        ("‸r.q", "r = { p = Tanh [64 x *] q = Sigmoid [64 x *] }"),
        ("twi‸ce (n)", "twice (x, times = 2) Doubles x, or more."),
        ("twice (n).‸add (3)", "add (k, bias = 1) Adds k."),
        ("twice (n).‸y", "y = times * x"),
        ("twice (n, ti‸mes = 3)", "times = 2 optional parameter of `twice`"),
        ("la‸yer (pixels)", "layer (x)"),
        ("par‸t (pixels)", "part (p)"),
        ("(w => w‸)", "w parameter"),
        ("Dense‸Layer {3}", "DenseLayer { outDim, bias = true, activation = (x => x),"),
        ("Dense‸Layer {3}", "LinearLayer followed by an activation function. *library, layers.bs*"),
        ("LinearLayer {3, in‸it = 'uniform'}", "Kind of initial values; empty: told by what else is given. one of `uniform`"),
        ("Ta‸nh (pixels", "Tanh (z, tag = '', precision = precision) Hyperbolic tangent."),  # does not parse
        ("BS.Net‸work.Load ('m')", "Network = { Editing, Load, CloneFunction, Edit }"),
        ("BS.Network.Lo‸ad ('m')", "BS.Network.Load (pathName) Loads a model file."),
        ("preci‸sion", "precision given by the config"),
        ("n ‸+ 3", ""),
        ("if‸ n then 3 else 4", ""),
        ("'na‸me'", ""),
        ("n // na‸me", ""),
        ("n # na‸me", ""),
        ("nothing‸", ""),
    ],
)  # fmt: skip
def test_names(text: str, expected: str) -> None:
    found = said(network(NETWORK % text))
    assert expected in found if expected else not found


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("‸twice (x", "twice (x, times = 2) Doubles x, or more."),
        ("twice (‸x", "x parameter of `twice`"),
        ("(x, ‸times", "times = 2 parameter of `twice`"),
        ("‸add (k", "add (k, bias = 1) Adds k."),
        ("= ‸x + k", "x parameter of `twice`"),
        ("‸r = { p", "r = { p = Tanh q = Sigmoid }"),  # shapes are not known: nothing uses it
        ("{ ‸p = ", "r.p = Tanh (pixels)"),
        ("‸n = 3", "n = 3"),
        ("featur‸eNodes", "featureNodes = (pixels) Inputs that hold features."),
    ],
)
def test_definitions(place: str, expected: str) -> None:
    assert expected in said(network(NETWORK % "3").replace(place.replace("‸", ""), place, 1))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("featNet.‸L3_y", "node `L3.y` of `models/autoencoder.dnn` L3.y = Tanh (L3.y.z) : [32 x *] -> [32 x *]"),
        ("‸featNet.L3", "32 nodes, 12 of them parameters with 12,816 values not trained yet"),
        ("‸encode (pixels)", "encode (pixels)"),
        ('"‸learnable"', ""),
        ("Frozen:‸TestFrozen", "command `TestFrozen`: **test**"),
        ("‸Frozen = {", "command `Frozen`: **train** Trains a network. model `models/frozen.dnn` 23 nodes"),
        ("‸precision", "precision : enum Element type"),
        ("‸precision", "default: `float` one of `float`, `double`, `float16`"),
        ("‸modelPath", "required"),
        ("‸maxEpochs", "maxEpochs : int"),
        ('action    = "‸train"', "Trains a network."),
        ('readerType = "‸CNTK', "Reader for the CNTK text format."),
        ("input = { ‸pixels", "fills the input of the network pixels = InputValue() : -> [64 x *"),
        ("‸dim = 64", "Number of values per sample. required in [1, inf)"),
        ("‸BrainScriptNetworkBuilder", "BrainScriptNetworkBuilder : block"),
        ("# The ‸encoder", ""),
        ("dim = ‸64", "dim = 64 Number of values per sample."),
        ("‸dim = 64", "stream `pixels`, which fills the input of the network pixels = InputValue() : -> [64 x *"),
        ('format = "‸dense"', "format = dense dense or sparse. stream `pixels`"),
        ('"‸train.txt"', ""),
    ],
)
def test_in_the_digits_example(tmp_path: Path, place: str, expected: str) -> None:
    for name in ("adapt.cntk", "autoencoder.cntk"):
        (tmp_path / name).write_bytes((EXAMPLES / "digits" / name).read_bytes())
    text = (tmp_path / "adapt.cntk").read_text(encoding="utf-8")
    assert place.replace("‸", "") in text
    found = said(text.replace(place.replace("‸", ""), place, 1), tmp_path, "adapt.cntk")
    assert expected in found if expected else not found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('dir = "a"\nmodelPath = "$d‸ir$/m"', "dir = a"),
        ('dir = "$base$/a" ; base = b\nT = {\n    dir = c\n    modelPath = "$d‸ir$/m"\n}', "dir = b/a"),  # as in a run
        ('dir = "$base$/a" ; base = b\nmodelPath = "$d‸ir$/m"', "dir = b/a"),
        ('dir = "$base$/a"\nmodelPath = "$d‸ir$/m"', "$base$ has no value"),
        ('dir = "$dir$"\nmodelPath = "$d‸ir$/m"', "$dir$ is defined by itself"),
        ('outD‸ir = "$base$/a" ; base = "b"', "outDir = b/a"),
        ("sizes‸ = (1:2)", "sizes = (1:2)"),
        ('outD‸ir = "$base$/a"', ""),
        ('T = {\n    outD‸ir = "a"\n}', ""),
        ('precision = "flo‸at"', "precision = float Element type"),
        ('modelPath = "$d‸ir$/m"', "`$dir$` has no value in this config"),
        (network("        n = $wi‸dth$") + "width = 7\n", "width = 7"),
        ('T = {\n    action = "write"\n    outputNodeNames = z‸\n}', ""),
        ("SGD = {\n    madeU‸p = true\n}", ""),
        ("SGD = {\n    gradUpdateType‸ = none\n}", "gradUpdateType : enum"),
    ],
)
def test_config(text: str, expected: str) -> None:
    found = said(text)
    assert expected in found if expected else not found


def test_node_names_in_values(tmp_path: Path) -> None:
    text = (EXAMPLES / "adapt" / "1-features.cntk").read_text(encoding="utf-8")
    place = "outputNodeNames = ‸L1.y"
    assert "L1.y = Tanh (L1.y.z)" in said(text.replace(place.replace("‸", ""), place), tmp_path, "1-features.cntk")


def test_the_word_is_marked() -> None:
    text = network(NETWORK % "Tanh (r.q)")
    found = hover(opened(text), text.index("r.q)") + 2)
    assert found is not None and found.span.text == "q"


@pytest.mark.parametrize("name", ["x.ndl"])
def test_nothing_in_ndl(name: str) -> None:
    assert said('outD‸ir = "a"', name=name) == said("a = $out‸Dir$\noutDir = 1", name=name) == ""
