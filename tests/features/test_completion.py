"""What is offered at a cursor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bsls.features.completion import Completion, complete
from bsls.source import Source
from bsls.workspace.analysis import Analysis
from features.editing import at_cursor, network

EXAMPLES = Path(__file__).parents[2] / "examples"

NETWORK = """        # Doubles x.
        twice (x, times = 2) = {
            # Adds k.
            add (k, bias = 1) = x + k
            y = times * x
        }
        pixels = Input {64}
        r = { p = Tanh (pixels) ; q = Sigmoid (p) }
        n = 3
        layer = LinearLayer {n}
        out = r.q
        z = %s
        last = 5"""


def offered(text: str, folder: Path | str = "/nowhere", name: str = "c.cntk") -> list[Completion]:
    """What is offered at `‸`, best first."""
    document, offset = at_cursor(text, folder, name)
    return sorted(complete(document, offset), key=lambda c: (c.sort or c.label, c.label))


def labels(text: str, folder: Path | str = "/nowhere") -> list[str]:
    return [c.label for c in offered(text, folder)]


def in_network(text: str) -> list[Completion]:
    return offered(network(NETWORK % text))


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """The folder of the digits example, nothing trained."""
    for file in (EXAMPLES / "digits").glob("*.cntk"):
        shutil.copy(file, tmp_path)
    return tmp_path


def edited(folder: Path, old: str, new: str) -> list[Completion]:
    """What is offered where `new` replaces `old` in adapt.cntk."""
    text = (folder / "adapt.cntk").read_text(encoding="utf-8")
    assert old in text
    return offered(text.replace(old, new, 1), folder, "adapt.cntk")


# --- BrainScript -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.‸", "p q"),
        ("r.q‸", "p q"),
        ("Tanh (r.‸)", "p q"),
        ("Tanh (r.‸", "p q"),
        ("a b r.‸", "p q"),  # what stands before does not parse
        ("twice (n).‸", "y add"),
        ("{ inner = r.‸", "p q"),
        ("BS.‸", "Boolean Constants Loop Network Parameters RNNs Seq2Seq Sequences"),
        ("BS.Network.‸", "CloneFunction Edit Editing Load"),
        ("BS.Network.Clone‸", "CloneFunction Edit Editing Load"),
        ("0.‸", ""),
        ("12‸", ""),
        ("1e‸", ""),
        ("n.‸", ""),
        ("Input (3) // r.‸", ""),
        ("Input (3) # r.‸", ""),
        ("/* r.‸ */ 3", ""),
        ("pixels ‸", ""),
        ("if n ‸", "then else"),
        ("pixels\n        ‸", "criterionNodes evaluationNodes featureNodes labelNodes outputNodes"),
        ("pixels ; out‸", "criterionNodes evaluationNodes featureNodes labelNodes outputNodes"),
        ('BS.Network.CloneFunction (r.p, r.q, parameters = "‸")', "constant learnable shared"),
        ("BS.Network.CloneFunction (r.p, r.q, parameters = '‸", "constant learnable shared"),
        ('Input {3, tag = "‸"}', "criterion evaluation feature label output"),
        ('Input {3, precision = "‸"}', "double float"),
        ('EnvironmentInput ("‸")', "isTraining"),
        ('r.p + "‸"', ""),
    ],
)
def test_all_that_is_offered_in_a_network(text: str, expected: str) -> None:
    assert sorted(c.label for c in in_network(text)) == sorted(expected.split())


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("twice (n, ‸", "times = "),
        ("twice (‸", "last"),  # the required one comes first
        ("twice (n, ‸, times = 3)", "last"),  # given already
        ("twice (n, times = ‸)", "last"),
        ("twice (n + ‸", "last"),
        ("ParameterTensor {3, ‸}", "learningRateMultiplier = "),
        ('ParameterTensor {3, init = "‸"}', "uniform"),
        ('LinearLayer {3, init = "‸"}', "uniform"),
        ("(w => ‸)", "w"),
        ("{ a = 1 ; b = ‸ }", "a"),
        ("if ‸", "last"),
        ("if n then ‸", "last"),
        ("if n then out else ‸", "last"),
        ("[ m = 3 ; o = Tanh (‸", "m"),
        ("new ComputationNode [ operation = '‸' ]", "Abs"),
        ("new ‸", "BoolVector"),
    ],
)
def test_what_comes_first(text: str, first: str) -> None:
    assert in_network(text)[0].label == first


def test_names_of_functions_parameters_and_library() -> None:
    found = {c.label: c for c in in_network("‸")}
    assert {"pixels", "r", "n", "twice", "layer", "Tanh", "DenseLayer", "BS", "if", "true"} <= found.keys()
    assert not any(name.startswith("_") for name in found)
    assert found["pixels"].detail == "InputValue [64 x *]"
    assert found["n"].detail == "3"
    assert found["r"].detail == "{ p, q }"


@pytest.mark.parametrize(
    ("text", "label", "insert"),
    [
        ("‸", "twice", "twice (${1:x})"),
        ("‸", "layer", "layer (${1:x})"),
        ("‸", "LinearLayer", "LinearLayer {${1:outDim}}"),
        ("‸", "BatchNormalizationLayer", "BatchNormalizationLayer {$0}"),
        ("Lin‸ {3}", "LinearLayer", "LinearLayer"),
        ("tw‸(3)", "twice", "twice"),
        ("‸", "pixels", "pixels"),
        ("BS.Network.‸", "Load", "Load (${1:pathName})"),
    ],
)
def test_inserted_text(text: str, label: str, insert: str) -> None:
    item = next(c for c in in_network(text) if c.label == label)
    assert item.insert == insert
    assert item.snippet == ("$" in insert)


def test_the_whole_word_is_replaced() -> None:
    document, offset = at_cursor(network(NETWORK % "pix‸els + 1"))
    assert {c.replace.text for c in complete(document, offset)} == {"pixels"}
    document, offset = at_cursor(network(NETWORK % "‸pixels + 1"))
    assert {c.replace.text for c in complete(document, offset)} == {""}


def test_docs() -> None:
    found = {c.label: c for c in in_network("‸")}
    assert "Doubles x." in found["twice"].doc
    assert found["twice"].detail == "(x, times = 2)"
    assert "Hyperbolic tangent." in found["Tanh"].doc
    assert in_network("ParameterTensor {3, ‸}")[0].doc == "Factor on the learning rate; 0 for a constant."


def test_nodes_of_a_model_that_is_not_trained_yet(digits: Path) -> None:
    found = edited(digits, "featNet.L3_y", "featNet.‸")
    names = [c.label for c in found]
    assert names[:2] == ["L1_y", "L1_y_z"]
    assert names.index("mse") < names.index("L1_W")  # parameters come last
    assert next(c for c in found if c.label == "L3_y").detail == "Tanh [32 x *]"
    assert "node `L3.y`" in next(c for c in found if c.label == "L3_y").doc
    assert not any("PlusArgs" in name for name in names)  # cannot be reached


def test_inputs_of_a_cloned_part(digits: Path) -> None:
    found = edited(digits, "code = encode (pixels)", "code = enc‸")
    assert next(c for c in found if c.label == "encode").insert == "encode (${1:pixels})"


def test_what_the_last_evaluation_knew(digits: Path) -> None:
    text = (digits / "adapt.cntk").read_text(encoding="utf-8")
    source = Source(str(digits / "adapt.cntk"), text)
    before = Analysis(source, {source.path: source})
    before.evaluate()
    before.finish()
    typed = text.replace("code = encode (pixels)", "code = Tanh (featNet.L")
    source = Source(source.path, typed, 1)
    document = Analysis(source, {source.path: source}, before).document  # not evaluated yet
    assert "L3_y" in [c.label for c in complete(document, typed.index("featNet.L\n") + len("featNet.L"))]


def test_models_of_other_commands(digits: Path) -> None:
    found = edited(digits, 'Load ("models/autoencoder.dnn")', 'Load ("‸")')
    assert [(c.label, c.detail) for c in found] == [
        ("models/tuned.dnn", "written by Tuned"),
        ("models/autoencoder.dnn", "written by Train in autoencoder.cntk"),
    ]
    found = edited(
        digits, 'action    = "test"\n    modelPath = "models/frozen.dnn"', 'action = "test"\n    modelPath = ‸'
    )
    assert [c.insert for c in found] == [f'"models/{name}.dnn"' for name in ("frozen", "tuned", "autoencoder")]


def test_models_that_are_files(digits: Path) -> None:
    (digits / "models").mkdir()
    for name in ("models/autoencoder.dnn", "models/tuned.dnn.3", "models/tuned.dnn.3.ckp", "models/old.dnn", "m.cmf"):
        (digits / name).touch()
    found = {c.label: c.detail for c in edited(digits, 'Load ("models/autoencoder.dnn")', 'Load ("‸")')}
    assert found == {
        "models/tuned.dnn": "written by Tuned",
        "models/autoencoder.dnn": "written by Train in autoencoder.cntk",
        "m.cmf": "file",
        "models/old.dnn": "file",
        "models/tuned.dnn.3": "file",
        "models/": "folder",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('modelPath = "models/frozen.dnn"', 'modelPath = "mod‸"', "autoencoder tuned"),  # not what is being written
        ('action    = "test"\n    modelPath = "models/frozen.dnn"', 'action = test\n    modelPath = "‸"', "frozen tuned autoencoder"),
        ("\nSGD = {", '\nW = {\n    action = "write" ; modelPath = "m‸o"\n}\nSGD = {', "frozen tuned autoencoder"),
    ],
)  # fmt: skip
def test_models_in_sections(digits: Path, old: str, new: str, expected: str) -> None:
    (digits / "adapt-broken.cntk").unlink()
    found = [c.label for c in edited(digits, old, new)]
    assert sorted(found) == sorted(f"models/{name}.dnn" for name in expected.split())


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with `a b.txt`, `test.txt`, `Train.txt`, `data/x.txt`, `data/y/`, and what is hidden."""
    (tmp_path / "data" / "y").mkdir(parents=True)
    for name in ("a b.txt", "test.txt", "Train.txt", "data/x.txt", ".hidden"):
        (tmp_path / name).touch()
    return tmp_path


READER = 'dir = "data"\nT = {\n    action = "train"\n    reader = { readerType = "CNTKTextFormatReader" ; %s }\n}\n'


@pytest.mark.parametrize(
    ("value", "expected"),
    [  # what replaces what
        ('file = "‸"', "'' a b.txt:test.txt:Train.txt:data/"),
        ('file = "‸', "'' a b.txt:test.txt:Train.txt:data/"),
        ('file = "t‸"', "'t' test.txt:Train.txt"),
        ('file = "t‸rain.txt" ; b = "c"', "'train.txt' test.txt:Train.txt"),
        ('file = "a b‸.t"', "'a b.t' a b.txt"),
        ('file = "data/‸"', "'' x.txt:y/"),
        ('file = "data/x‸"', "'x' x.txt"),
        ('file = "./data\\‸"', "'' x.txt:y/"),
        ('file = "$dir$/‸"', "'' x.txt:y/"),
        ('file = "$nothing$/‸"', ""),
        ('file = "da‸ta/x.txt"', "'data' data"),
        ('file = "nowhere/‸"', ""),
        ('file = ".‸"', "'.' .hidden"),
        ("file = ‸", '\'\' "a b.txt":"test.txt":"Train.txt":data/'),
        ("file = te‸", "'te' test.txt"),
        ("file = data/‸", "'' x.txt:y/"),
        ("file = /nowhere\0/‸", ""),
    ],
)
def test_paths_in_a_config(data: Path, value: str, expected: str) -> None:
    found = offered(READER % value, data)
    replaced = {repr(c.replace.text) for c in found}
    assert " ".join([*replaced, ":".join(c.insert for c in found)]).strip() == expected


def test_paths_elsewhere(data: Path) -> None:
    assert labels("include=‸\n", data) == ["a b.txt", "test.txt", "Train.txt", "data/"]
    assert labels("include=test.txt+d‸\n", data) == ["data/"]
    tensor = network('z = ParameterTensor {3, initFromFilePath = "data/‸"}')
    assert labels(tensor, data) == ["x.txt", "y/"]
    assert [c.label for c in offered('z = ParameterTensor {3, initFromFilePath = "data/x‸', data, "x.bs")] == ["x.txt"]
    unclosed = offered(network('z = BS.Network.Load ("da‸)'), data)
    assert [(c.label, c.replace.text) for c in unclosed] == [("data/", "da")]
    assert [c.detail for c in offered("include=d‸\n", data)] == ["folder"]


def test_long_folders_are_cut(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"f{number:03}").touch()
    assert len(labels(READER % 'file = "‸"', tmp_path)) == 200
    assert labels(READER % 'file = "f299‸"', tmp_path) == ["f299"]


# --- variables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a = 1\nb = "$‸"', "a"),
        ('a = 1 ; b = "$a$/$‸"', "a"),
        ("a = 1\ncommand = T\nT = {\n    c = 2\n    modelPath = $‸\n    SGD = { d = 3 }\n}", "a"),
        ('T = {\n    c = 2\n    SGD = {\n        d = "$‸"\n    }\n}\ne = 1', "e"),
        ("a = $b$\nb = $‸", ""),  # a circle
        ("a = $c$\nc = $b$\nb = $‸", ""),
        ("a = $nothing$\nb = $‸", ""),
        ("a = (1\n2)\nb = $‸", ""),  # of several lines
        ("a = (1:2) ; z = [ c = 1 ] ; d = 1 ; e\nb = $‸", "d e a z"),
        ("my-dir = 1 ; b = $‸", "my-dir"),
        ("my-dir = 1 ; b = $my-d‸", "my-dir"),
        (network("        z = ParameterTensor {$‸}") + "n = 3", "n"),
        ("a = 1 # $‸", ""),
    ],
)
def test_variables(text: str, expected: str) -> None:
    assert labels(text) == expected.split()


def test_variables_of_included_files(tmp_path: Path) -> None:
    (tmp_path / "base.cntk").write_text("dir = d\nT = [\n    inner = 1\n]\n")
    found = offered("include=base.cntk\nname = $dir$/m\nT = {\n    modelPath = $‸\n}", tmp_path)
    assert [(c.label, c.detail) for c in found] == [("dir", "d"), ("name", "d/m")]
    assert labels("include=nowhere.cntk\nname = m\nT = {\n    modelPath = $‸\n}", tmp_path) == ["name"]


def test_the_whole_variable_is_replaced() -> None:
    [item] = offered('a = 1\nb = "$x‸yz$/c"')
    assert (item.replace.text, item.insert) == ("xyz", "a")


# --- other languages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.ndl"])
@pytest.mark.parametrize("text", ["‸", "load = ‸", "DNN = [\n    ‸\n]", 'a = 1\nb = "$‸"', 'modelPath = "‸"'])
def test_nothing_in_ndl(tmp_path: Path, name: str, text: str) -> None:
    assert offered(text, tmp_path, name) == []


def test_a_file_of_brainscript() -> None:
    assert [c.label for c in offered("r = { a = 1 ; b = 2 }\nz = r.‸", name="lib.bs")] == ["a", "b"]
    assert "r" in [c.label for c in offered("r = 1\nz = ‸", name="lib.bs")]


# --- config ----------------------------------------------------------------------------------------------------------

TRAIN = 'action = "train"'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Frozen:TestFrozen:Tuned:TestTuned", "‸", "Frozen TestFrozen TestTuned Tuned"),
        ("Frozen:TestFrozen:Tuned:TestTuned", "Frozen:‸:Tuned", "TestFrozen TestTuned"),
        ('action    = "train"', "‸", "action"),
        ('format = "dense"', 'format = "‸"', "dense sparse"),
        ('format = "dense"', "form‸", "format alias definesMBSize"),
        ('precision  = "float"', "precision = ‸", "float double float16"),
        ("maxEpochs              = 15", "keepCheckPointFiles = ‸", "true false"),
        ("digit = { dim = 10 ;", "di‸ = { dim = 10 ;", "digit"),
        (' ; digit = { dim = 10 ; format = "sparse" } }', " ; ‸ }", "digit"),
        ("# Both trainings", "# Both trai‸nings", ""),
        ("maxEpochs              = 15", "maxEpochs = ‸", ""),
        ("maxEpochs              = 15", "nonsense = ‸", ""),
        ("SGD = {", "unknown = { deeper = { ‸ } }\nSGD = {", ""),
    ],
)
def test_all_that_is_offered_in_a_config(digits: Path, old: str, new: str, expected: str) -> None:
    assert sorted(c.label for c in edited(digits, old, new)) == sorted(expected.split())


@pytest.mark.parametrize(
    ("old", "new", "some"),
    [
        ('action    = "train"', 'action    = "‸"', "train test write edit dumpNodes"),
        ('action    = "train"', "action    = ‸", "train test"),
        ('"CNTKTextFormatReader"', '"‸"', "CNTKTextFormatReader ImageReader"),
        ("maxEpochs              = 15", "‸", "maxEpochs momentumPerMB AutoAdjust"),
        ("maxEpochs              = 15", "gradUpdateType = ‸", "adaGrad none"),
        ("maxEpochs              = 15", "trainCriterionNodeName = ‸", "ce code.L1.y code.L1.y.z.PlusArgs[0]"),
        ('action    = "test"', 'action    = "test"\n    evalNodeNames = ‸', "ce errs z"),
        ('action    = "test"', 'action    = "test"\n    evalNodeNames = ce:‸', "ce errs z"),
        ('action    = "test"', 'action    = "test"\n    ‸', "evalNodeNames minibatchSize"),
        ('precision  = "float"', "‸", "precision modelPath"),
        ('precision  = "float"', "prec‸", "precision"),
        ("\nSGD = {", '\nW = {\n    action = "write" ; modelPath = "models/tuned.dnn"\n    outputNodeNames = ‸\n}\nSGD = {', "z ce"),
        ("\nSGD = {", '\nW = {\n    action = "write"\n    ‸\n}\nSGD = {', "outputNodeNames outputPath reader"),
        ("\nSGD = {", "\nW = {\n    ‸\nSGD = {", "action"),
        ('"models/frozen.dnn"', '"models/$‸', "precision traceLevel"),
        ("file = \"train.txt\"", 'deserializers = ({ type = "CNTKTextFormatDeserializer" ; ‸ })', "file input module"),
        ("file = \"train.txt\"", 'deserializers = ({ type = "CNTKTextFormatDeserializer" ; input = { ‸ } })', "pixels digit"),
        ("file = \"train.txt\"", 'deserializers = ({ type = "‸" })', "CNTKTextFormatDeserializer ImageDeserializer"),
    ],
)  # fmt: skip
def test_some_of_what_is_offered_in_a_config(digits: Path, old: str, new: str, some: str) -> None:
    assert set(some.split()) <= {c.label for c in edited(digits, old, new)}


@pytest.mark.parametrize(
    ("old", "new", "label", "insert"),
    [
        ("maxEpochs              = 15", "‸", "maxEpochs", "maxEpochs = "),
        ("maxEpochs              = 15", "maxEp‸ = 15", "maxEpochs", "maxEpochs"),
        ("maxEpochs              = 15", "‸", "AutoAdjust", "AutoAdjust = {\n\t$0\n}"),
        ('precision  = "float"', "precision = ‸", "double", '"double"'),
        ('precision  = "float"', 'precision = "‸"', "double", "double"),
        ('"models/frozen.dnn"', '"models/$‸"', "precision", "precision$"),
        ('"models/frozen.dnn"', '"models/$‸$"', "precision", "precision"),
        (' ; digit = { dim = 10 ; format = "sparse" }', " ; ‸", "digit", 'digit = { dim = 10 ; format = "dense" }'),
    ],
)
def test_inserted_text_in_a_config(digits: Path, old: str, new: str, label: str, insert: str) -> None:
    assert next(c for c in edited(digits, old, new) if c.label == label).insert == insert


def test_required_keys_first_and_none_twice(digits: Path) -> None:
    found = [c.label for c in edited(digits, "maxEpochs              = 15", "‸")]
    assert found[0] == "maxEpochs"
    assert "epochSize" not in found and "minibatchSize" not in found
    assert {"command", "SGD", "reader", "modelPath"} <= set(labels("‸"))  # for all commands
    section = 'MyTrain = {\n    action = "train"\n    ‸\n}\n'  # no command runs it
    assert labels(section)[:3] == ["modelPath", "reader", "SGD"]


def test_one_network_description_is_enough() -> None:
    builder = "BrainScriptNetworkBuilder = { z = 1 }\n    ‸\n}\n"
    assert not any("Builder" in name for name in labels('T = {\n    action = "train"\n    ' + builder))


def test_details_of_keys(digits: Path) -> None:
    found = {c.label: c for c in edited(digits, "maxEpochs              = 15", "‸")}
    assert found["maxEpochs"].detail == "int, required"
    assert found["gradUpdateType"].detail == "enum = none"
    assert "one of" in found["gradUpdateType"].doc
