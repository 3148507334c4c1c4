"""Other names: the text afterwards, and why some are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.features.document import Document
from bsls.features.references import Names
from bsls.features.rename import prepare, rename
from bsls.finding import BsError, Edit
from bsls.source import Source
from bsls.workspace.analysis import Analysis
from features.editing import CURSOR, at_cursor, network, opened

EXAMPLES = Path(__file__).parents[2] / "examples"


def applied(text: str, edits: list[Edit], name: str = "") -> str:
    """The text after the edits; those of a file called `name`, if others may have some, too."""
    for edit in reversed([e for e in edits if not name or Path(e.span.source.path).name == name]):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


# Everything is renamed to `fresh`.
IN_NETWORKS = [
    "‸a = Input {3} ; z = Tanh (a) => fresh = Input {3} ; z = Tanh (fresh)",
    "a = 1 ; f (‸a, b) = a + b ; z = a => a = 1 ; f (fresh, b) = fresh + b ; z = a",
    "f (x, o = 1) = x + o ; z = f (2, ‸o = 3) ; o = 4 => f (x, fresh = 1) = x + fresh ; z = f (2, fresh = 3) ; o = 4",
    "L = { ‸y = 1 ; z = y } ; M = { y = 2 } ; b = M.y + L.y => L = { fresh = 1 ; z = fresh } ; M = { y = 2 } ; b = M.y + L.fresh",
    "L (v) = { y = v } ; A = L (1) ; z = A.‸y => L (v) = { fresh = v } ; A = L (1) ; z = A.fresh",
    "x = Input {3} ; z = x.‸dim => x = Input {3} ; z = x.dim",
    "h[‸i:0..2] = i + 1 => h[fresh:0..2] = fresh + 1",
    "a = Input {3} /* a */ ; z = ‸a # a => fresh = Input {3} /* a */ ; z = fresh # a",
    "R = if true then {‸x = 1} else {x = 2} ; z = R.x => R = if true then {fresh = 1} else {fresh = 2} ; z = R.fresh",
    "f (r) = r.x ; z = f ({‸x = 1}) => f (r) = r.fresh ; z = f ({fresh = 1})",
    "BS2 = 1 ; Softmax2 (z) = z + ‸BS2 => fresh = 1 ; Softmax2 (z) = z + fresh",
]


@pytest.mark.parametrize("case", IN_NETWORKS)
def test_in_a_network(case: str) -> None:
    text, expected = case.split(" => ")
    document, offset = at_cursor(network(text))
    if text.replace(CURSOR, "") == expected:
        assert prepare(document, offset) is None
        return
    assert applied(document.source.text, rename(document, offset, "fresh")) == network(expected)
    span = prepare(document, offset)
    assert span is not None
    assert span.start <= offset <= span.end


REFUSED = {
    "‸a = 1 => then": "'then' is a word of the language",
    "‸a = 1 => 2x": "'2x' is not a name",
    "‸a = 1 => Tanh": "'Tanh' is part of the library",
    "‸a = 1 => precision": "'precision' is part of the library",
    "‸a = 1 => outputNodes": "'outputNodes' is a special name",
    "x = Input {3} ; ‸outputNodes = (x) => fresh": "'outputNodes' is a special name",
    "z = ‸Tanh (1) => fresh": "'Tanh' is part of the library",
    "z = ‸nothing => fresh": "there is nothing here",
    "‸a = 1 ; b = 2 => b": "there is a 'b' already",
    "‸a = 1 ; b = 2 => B": "differ in capitals only",
    "‸a = 1 ; f (b) = a + b => b": "'b' already means something else",
    "b = 1 ; L = { ‸a = 2 } => b": "'b' already means something here",
    "b = 1 ; f (‸a) = a => b": "'b' already means something here",
    "L = { ‸a = 2 ; c = b } => b": "'b' is used",
    "‸a = 1 ; L = { c = 1 } ; z = L.b => b": "'b' is used",
    "L = { ‸y = 1 } ; f (q) = q.y => fresh": "it is not known what 'y'",
    "L = { ‸y = 1 } ; z = Sequential (q => q.y) (L) => fresh": "it is not known what 'y'",
    "L = { ‸y = 1 } ; z = Identity (L) => fresh": "may be used by the function",
    "‸y = 1 ; z = (y + => fresh": "cannot be read",
    "y = 1 ; ‸y = 2 => fresh": "cannot be read",
    "f (x, ‸axis = 1) = new ComputationNode [ operation = 'ReduceElements' ; inputs = x ] => new1": "looks for 'axis'",
    "f (x) = new ComputationNode [ ‸operation = 'Tanh' ; inputs = x ] => new1": "looks for 'operation'",
    "x = Input {3} ; ‸a = Tanh (x) ; b = a => c": "the same node",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, new = case.rsplit(" => ", 1)
    document, offset = at_cursor(network(text))
    with pytest.raises(BsError) as error:
        rename(document, offset, new)
    assert REFUSED[case] in error.value.finding.message


CONFIG = """\
command = Train:Write:Join
dir = "."
path = "$dir$/m.dnn"
reader = {
    readerType = "CNTKTextFormatReader" ; file = "f"
    input = { x = { dim = 3 ; format = "dense" } }
}
Train = {
    action = "train" ; modelPath = $path$
    BrainScriptNetworkBuilder = { x = Input {3} ; L = { y = Tanh (x) } ; z = Exp (L.y) ; criterionNodes = (z) }
    SGD = { maxEpochs = 1 ; trainCriterionNodeName = z }
}
Write = { action = "write" ; modelPath = $path$ ; outputNodeNames = z:L.y ; outputPath = "o" }
Join = {
    action = "train" ; modelPath = "n.dnn"
    BrainScriptNetworkBuilder = { net = BS.Network.Load ("$path$") ; y = net.L_y ; x = net.x ; criterionNodes = (y) }
    SGD = { maxEpochs = 1 }
}
"""


@pytest.mark.parametrize(
    ("use", "changes"),
    [
        ("Tra‸in:", {"Train": "fresh"}),
        ("‸Write = ", {":Write:": ":fresh:", "Write =": "fresh ="}),
        ("$di‸r$", {"dir =": "fresh =", "$dir$": "$fresh$"}),
        ("‸path = ", {"path =": "fresh =", "$path$": "$fresh$"}),
        ("‸L = {", {"L = {": "fresh = {", "L.y": "fresh.y", "L_y": "fresh_y"}),
        ("z:‸L.y", {"L = {": "fresh = {", "L.y": "fresh.y", "L_y": "fresh_y"}),
        ("net.‸L_y", {"L = {": "fresh = {", "L.y": "fresh.y", "L_y": "fresh_y"}),
        ("net.L_‸y", {"{ y =": "{ fresh =", "L.y": "L.fresh", "L_y": "L_fresh"}),
        ("‸z = Exp", {"z = Exp": "fresh = Exp", "(z)": "(fresh)", "= z": "= fresh"}),
        ("‸y = net", {"; y =": "; fresh =", "(y)": "(fresh)"}),
        (
            "‸x = Input",
            {
                "x = Input": "fresh = Input", "(x)": "(fresh)", "net.x": "net.fresh", "; x =": "; fresh =",
                '{ x = { dim = 3 ; format = "dense" }': '{ fresh = { dim = 3 ; format = "dense" ; alias = "x" }',
            },
        ),
    ],
)  # fmt: skip
def test_in_a_config(use: str, changes: dict[str, str]) -> None:
    bare = use.replace(CURSOR, "")
    document, offset = at_cursor(CONFIG.replace(bare, use, 1))
    expected = CONFIG
    for old, new in changes.items():
        assert old in expected
        expected = expected.replace(old, new)
    assert applied(CONFIG, rename(document, offset, "fresh")) == expected


@pytest.mark.parametrize(
    ("use", "new", "why"),
    [
        ("Tra‸in:", "Write", "there is a 'Write' already"),
        ("Tra‸in:", "reader", "setting of CNTK"),
        ("Tra‸in:", "a:b", "not a name"),
        ("$di‸r$", "deviceId", "setting of CNTK"),
        ("$di‸r$", "PATH", "there is a 'path' already"),
        ("max‸Epochs", "fresh", "nothing here"),
    ],
)
def test_refused_in_a_config(use: str, new: str, why: str) -> None:
    bare = use.replace(CURSOR, "")
    document, offset = at_cursor(CONFIG.replace(bare, use, 1))
    with pytest.raises(BsError) as error:
        rename(document, offset, new)
    assert why in error.value.finding.message


def test_streams_that_come_out_of_a_variable() -> None:
    streams = '{ x = { dim = 3 ; format = "dense" } }'
    text = f"inputs = {streams}\n" + CONFIG.replace(f"input = {streams}", "input = $inputs$")
    document, offset = at_cursor(text.replace("x = Input", "‸x = Input"))
    changed = applied(text, rename(document, offset, "fresh"))
    assert 'inputs = { fresh = { dim = 3 ; format = "dense" ; alias = "x" } }' in changed
    document, offset = at_cursor(
        text.replace("inputs = {", "inputs = { y = $more$ ;").replace("x = Input", "‸x = Input")
    )
    assert prepare(document, offset) is not None


def test_a_setting_is_no_name() -> None:
    document, offset = at_cursor('command = A\nmodel‸Path = "m"\nA = { action = "test" ; other = "$modelPath$" }\n')
    assert prepare(document, offset) is None


def test_names_of_another_file_stay(tmp_path: Path) -> None:
    (tmp_path / "base.cntk").write_text(CONFIG, encoding="utf-8")
    text = network("net = BS.Network.Load ('m.dnn') ; y = net.‸L_y").replace('"m.dnn"', '"k.dnn"')
    document, offset = at_cursor(text, tmp_path)
    with pytest.raises(BsError, match=r"base\.cntk.*rename it there"):
        rename(document, offset, "fresh")


def test_a_reader_in_another_file_is_not_forgotten(tmp_path: Path) -> None:
    head, _, tail = CONFIG.partition("reader = {")
    block, _, rest = tail.partition("\n}\n")
    (tmp_path / "base.cntk").write_text("reader = {" + block + "\n}\n", encoding="utf-8")
    text = f"include={tmp_path / 'base.cntk'}\n{head}{rest}".replace("x = Input", "‸x = Input")
    document, offset = at_cursor(text, tmp_path)
    with pytest.raises(BsError, match="outside of this document"):
        rename(document, offset, "fresh")


def summary(document: Document) -> list[tuple[str, int]]:
    found = ((f.rule, f.span.start_position.line if f.span is not None else 0) for f in document.findings)
    return sorted(found)


def written(folder: Path, edits: list[Edit]) -> dict[str, str]:
    """Applies edits to the files of a folder; their texts afterwards."""
    texts: dict[str, str] = {}
    for file in sorted(folder.glob("*.cntk")):
        text = file.read_text(encoding="utf-8")
        texts[file.name] = applied(text, edits, file.name)
        if texts[file.name] != text:
            file.write_text(texts[file.name], encoding="utf-8")
    return texts


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.cntk")), ids=lambda p: p.stem)
def test_every_name_of_the_examples_can_be_changed_and_changed_back(path: Path, tmp_path: Path) -> None:
    for file in path.parent.glob("*.cntk"):
        shutil.copy(file, tmp_path)
    before = written(tmp_path, [])
    findings = {name: summary(opened(text, tmp_path, name)) for name, text in before.items()}
    document = opened(before[path.name], tmp_path, path.name)
    done: set[int] = set()
    for place in list(Names(document).all("")):
        start = place.span.start
        if not place.definition or start in done or prepare(document, start) is None:
            continue
        edits = rename(document, start, "fresh_1")
        done |= {e.span.start for e in edits if e.span.source is document.source}
        after = written(tmp_path, edits)
        for name, text in after.items():
            if text != before[name] or name == path.name:
                assert summary(opened(text, tmp_path, name)) == findings[name]
        back = rename(opened(after[path.name], tmp_path, path.name), edits[0].span.start, place.span.text)
        assert written(tmp_path, back) == before
        document = opened(before[path.name], tmp_path, path.name)
    assert len(done) > 10


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    for name in ("autoencoder.cntk", "adapt.cntk"):
        shutil.copy(EXAMPLES / "digits" / name, tmp_path)
    return tmp_path


def in_file(folder: Path, name: str, use: str) -> tuple[Document, int]:
    text = (folder / name).read_text(encoding="utf-8")
    assert use.replace(CURSOR, "") in text
    return at_cursor(text.replace(use.replace(CURSOR, ""), use, 1), folder, name)


def checked(folder: Path) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name in ("autoencoder.cntk", "adapt.cntk"):
        found += ((name, f"{f.rule}: {f.message}") for f in check_config([f"configFile={folder / name}"])[0])
    return found


@pytest.mark.parametrize(
    ("use", "here", "there"),
    [
        ("‸L3 = Layer", {"L3 =": "fresh =", "L3.": "fresh."}, {"L3_y": "fresh_y"}),
        ("‸y = f (", {"y = f": "fresh = f", ".y": ".fresh"}, {"L3_y": "L3_fresh"}),
    ],
)
def test_another_config_that_loads_the_model(
    digits: Path, use: str, here: dict[str, str], there: dict[str, str]
) -> None:
    expected = written(digits, [])
    for name, changes in (("autoencoder.cntk", here), ("adapt.cntk", there)):
        for old, new in changes.items():
            expected[name] = expected[name].replace(old, new)
    before = checked(digits)
    edits = rename(*in_file(digits, "autoencoder.cntk", use), "fresh")
    assert written(digits, edits) == expected
    assert checked(digits) == before


TEST_OF_THE_MODEL = """\
command = W
W = {
    action = "test" ; modelPath = "models/autoencoder.dnn" ; evalNodeNames = mse:L3.y
    reader = { readerType = "CNTKTextFormatReader" ; file = "f" ; input = { pixels = { dim = 64 ; format = "dense" } } }
}
"""


def test_node_lists_and_streams_of_another_config(digits: Path) -> None:
    (digits / "test.cntk").write_text(TEST_OF_THE_MODEL, encoding="utf-8")
    edits = rename(*in_file(digits, "autoencoder.cntk", "‸L3 = Layer"), "fresh")
    assert "evalNodeNames = mse:fresh.y" in written(digits, edits)["test.cntk"]
    edits = rename(*in_file(digits, "autoencoder.cntk", "‸pixels = Input"), "fresh2")
    after = written(digits, edits)
    assert 'fresh2 = { dim = 64 ; format = "dense" ; alias = "pixels" }' in after["test.cntk"]
    assert "featNet.fresh2" in after["adapt.cntk"] and "encode (pixels)" in after["adapt.cntk"]


def test_a_text_of_another_config_that_is_not_saved(digits: Path) -> None:
    text = (digits / "autoencoder.cntk").read_text(encoding="utf-8")
    other = Source(str(digits / "test.cntk"), TEST_OF_THE_MODEL)
    source = Source(str(digits / "autoencoder.cntk"), text)
    document = Analysis(source, {source.path: source, other.path: other}).document
    edits = rename(document, text.index("L3 = Layer"), "fresh")
    assert "mse:fresh.y" not in applied(TEST_OF_THE_MODEL, edits, "test.cntk")  # a file that nobody has saved yet
    (digits / "test.cntk").write_text("", encoding="utf-8")
    document = Analysis(source, {source.path: source, other.path: other}).document
    edits = rename(document, text.index("L3 = Layer"), "fresh")
    assert "mse:fresh.y" in applied(TEST_OF_THE_MODEL, edits, "test.cntk")


SECOND = """\
V = { action = "train" ; modelPath = "v.dnn" ; BrainScriptNetworkBuilder = { pixels = Input {64} } }
"""


@pytest.mark.parametrize(
    ("old", "new", "use", "why"),
    [
        ("mse:L3.y", "$nodes$", "‸L3 = Layer", r"'L3' comes out of \$nodes\$ in line 4 of test\.cntk"),
        ('"test"', '"tests"', "‸L3 = Layer", r"'L3' stands in line 4 of test\.cntk.*unknown action 'tests'"),
        ("mse:L3.y", "mse:L3.what", "‸y = f (", ""),
        ("mse:L3.y", "mse:L3.y.L3", "‸L3 = Layer", r"it is not known what '\.L3' in line 4 of test\.cntk belongs to"),
        ("command = W", SECOND + "command = W:V", "‸pixels = Input", r"'pixels' in line 7 of test\.cntk also names.*"),
    ],
)
def test_what_cannot_be_changed_in_another_config(digits: Path, old: str, new: str, use: str, why: str) -> None:
    text = 'nodes = "mse:L3.y"\n' + TEST_OF_THE_MODEL.replace(old, new)
    if new.startswith(SECOND):  # one reader for both
        text = text.replace("    reader =", "}\nreader =").replace("} } }\n}", "} } }")
    (digits / "test.cntk").write_text(text, encoding="utf-8")
    place = in_file(digits, "autoencoder.cntk", use)
    if why:
        with pytest.raises(BsError, match=why):
            rename(*place, "fresh")
    else:
        assert rename(*place, "fresh")


def test_other_configs_that_have_nothing_to_do_with_it(digits: Path) -> None:
    (digits / "broken.cntk").write_text("command = A\nA = { action = 'what' ; evalNodeNames = L3", encoding="utf-8")
    (digits / "old.cntk").write_text(
        'command = A\nA = { action = "test" ; modelPath = "k.dnn" ; evalNodeNames = L3 }', "utf-8"
    )
    assert rename(*in_file(digits, "autoencoder.cntk", "‸L3 = Layer"), "fresh")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('action = "write"', 'action = "wirte"', "'L' stands in line 13, .*: unknown action 'wirte'"),
        ("modelPath = $path$ ; output", 'modelPath = "k.dnn" ; output', r"not known what 'L\.y' in line 13 belongs to"),
        ("x = Input {3} ; L", "x = Input {$n$} ; L", r"not known what 'L\.y' in line 13 belongs to"),
        ("command = Train", "command = $what$", ""),
        ("Train:Write:Join", "Train", ""),
        ('"$dir$/m.dnn"', '"$Elsewhere$/m.dnn"', ""),
        ('file = "f"', 'file = "$Data$/f"', ""),
    ],
)
def test_a_config_that_cannot_be_read_as_a_whole(old: str, new: str, why: str) -> None:
    text = CONFIG.replace(old, new, 1).replace("L = {", "‸L = {")
    assert new in text.replace(CURSOR, "")
    document, offset = at_cursor(text)
    if why:
        with pytest.raises(BsError, match=why):
            rename(document, offset, "fresh")
        return
    expected = text.replace(CURSOR, "")
    for word in ("L = {", "L.y", "L_y"):
        expected = expected.replace(word, word.replace("L", "fresh"))
    assert applied(document.source.text, rename(document, offset, "fresh")) == expected


def test_settings_of_a_network_in_another_language() -> None:
    ndl = 'Old = { action = "train" ; modelPath = "o.dnn" ; NDLNetworkBuilder = [ ] ; SGD = [ trainCriterionNodeName = z ] }\n'
    document, offset = at_cursor(CONFIG.replace("z = Exp", "‸z = Exp").replace("=Train", "=Old:Train") + ndl)
    assert "trainCriterionNodeName = z ]" in applied(document.source.text, rename(document, offset, "fresh"))
