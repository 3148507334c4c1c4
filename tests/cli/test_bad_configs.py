"""Configs that are wrong: one message with file, line, what is wrong and what to do; exit code 1; nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processes import Result, bsls
from small_project import CONFIG, all_files, changed, make_project

RUN = ("run", "configFile=c.cntk")
LAYER = "z = LinearLayer {2} (x)"


def check_refused(folder: Path, result: Result, message: str) -> None:
    """The message is the last line, with a place; there is no traceback."""
    assert (result.code, result.last) == (1, f"error: {message}")
    assert "Traceback" not in result.err and "bsls itself" not in result.err
    assert result.out == ""


def check_config(folder: Path, config: str | bytes, message: str, help: str = "", errors: int = 1) -> None:
    """`run` and `check` say the same about `config`, and `run` leaves everything as it was."""
    make_project(folder, config)
    (folder / "models").mkdir()
    (folder / "models" / "m.dnn.7").write_bytes(b"an old model")
    before = all_files(folder)
    ran = bsls(folder, *RUN, "makeMode=false")
    check_refused(folder, ran, message)
    assert help in ran.err
    assert all_files(folder) == before
    checked = bsls(folder, "check", "configFile=c.cntk")
    place, _, text = message.partition(": ")
    assert checked.code == 1
    assert f"{place}: error: {text} [" in checked.out
    assert help in checked.out
    assert f"{errors} error{'s' * (errors != 1)}, 0 warnings in 1 file" in checked.out


SYNTAX = {
    "a bracket of the network is not closed": (
        changed(("outputNodes = (z)\n    }", "outputNodes = (z)\n")),
        "c.cntk:10:33: no closing } found for this {", "close it with }",
    ),
    "a bracket of the config is not closed": (
        changed(('"dense" } }\n}', '"dense" } }\n')), "c.cntk:4:10: no closing } found for this {", "close it with }",
    ),
    "a bracket too many": (
        changed((LAYER, "z = LinearLayer {2} (x))")), "c.cntk:13:32: unmatched ')'", "remove it",
    ),
    "a bracket of another kind": (
        changed((LAYER, "z = LinearLayer {2] (x)")), "c.cntk:13:27: ']' does not close '{'", "write '}'",
    ),
    "a quote is not closed": (
        changed(('"models/m.dnn"', '"models/m.dnn')), 'c.cntk:2:13: no closing " found for this "', 'close it with "',
    ),
    "no value": (
        changed(("maxEpochs = 3", "maxEpochs =")), "c.cntk:17:50: no value given for 'maxEpochs'", "write a value after '='",
    ),
    "in a block outside of the command": (
        changed(('file = "data.txt"', 'file = "data.txt" ; a =')), "c.cntk:5:63: no value given for 'a'", "write a value",
    ),
    "an operator without operand": (
        changed((LAYER, LAYER + " +")), "c.cntk:13:33: operand expected", "the expression breaks off here",
    ),
    "a character that means nothing": (changed((LAYER, LAYER + " @ 3")), "c.cntk:13:33: unexpected character: @", ""),
    "a bracket in a formula is not closed": (
        changed((LAYER, "z = LinearLayer {2} (x")), "c.cntk:13:29: no closing ) found for this (", "close it with )",
    ),
    "a string is not closed": (
        changed((LAYER, "z = LinearLayer {2, init='x} (x)")),
        "c.cntk:13:34: string without closing quotation mark", "close it with '",
    ),
    "a comment is not closed": (
        changed((LAYER, LAYER + " /* why")), "c.cntk:13:33: comment without closing */", "close it with */",
    ),
    "two equal signs": (changed(("z = L", "z == L")), "c.cntk:13:12: operand expected before '='", ""),
    "a name twice": (
        changed((LAYER, LAYER + "\n        y = Input {2}")), "c.cntk:14:9: duplicate member definition 'y'", "another name",
    ),
    "two semicolons": (changed((LAYER, LAYER + " ;;")), "c.cntk:13:34: a name is expected before ';'", "at most one"),
}  # fmt: skip


@pytest.mark.parametrize("name", SYNTAX)
def test_syntax(name: str, tmp_path: Path) -> None:
    check_config(tmp_path, *SYNTAX[name])


HARMLESS = {
    "a bracket too many outside of all others": (
        changed(("deviceId = -1", "deviceId = -1 }")), "c.cntk:3:15: warning: unmatched '}'",
    ),
    "no name": (changed(("deviceId = -1", "= -1")), "c.cntk:3:1: warning: there is no name before this '='"),
    "no name in a block outside of the command": (
        changed(('file = "data.txt"', 'file = "data.txt" ; = 3')), "c.cntk:5:63: warning: there is no name before this '='",
    ),
    "a block without a name": (changed(("deviceId = -1", "[ a = 1 ]")), "c.cntk:3:1: warning: a block without a name"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_what_the_reference_reads_in_silence(name: str, tmp_path: Path) -> None:
    """It runs, and is a warning."""
    config, message = HARMLESS[name]
    make_project(tmp_path, config)
    checked = bsls(tmp_path, "check", "configFile=c.cntk")
    assert (checked.code, message in checked.out) == (0, True), checked.out
    assert bsls(tmp_path, *RUN, "makeMode=false").code == 0


VALUES = {
    "unknown action": (
        changed(('action = "train"', 'action = "trian"')), "c.cntk:9:15: unknown action 'trian'", "did you mean 'train'?",
    ),
    "unknown command": (
        changed(("command = Train", "command = Trian")),
        "c.cntk:1:11: there is no section 'Trian' to run", "did you mean 'Train'?",
    ),
    "no action": (changed(('    action = "train"\n', "")), "c.cntk:8:1: section 'Train' has no action", "add `action"),
    "no commands": ("a = 1\n", "c.cntk:1:1: the config does not say which sections to run", "add `command = name`"),
    "a word for a number": (
        changed(("maxEpochs = 3", "maxEpochs = three")),
        "c.cntk:17:62: maxEpochs = three: a whole number is expected", "write digits only",
    ),
    "too few epochs": (
        changed(("maxEpochs = 3", "maxEpochs = -1")),
        "c.cntk:17:62: maxEpochs = -1: there are at least 0 epochs", "number of epochs",
    ),
    "a comment that is none": (
        changed(("maxEpochs = 3", "maxEpochs = 3 // t")),
        "c.cntk:17:62: maxEpochs = 3 // t: a whole number is expected", "write digits only",
    ),
    "a word in a schedule": (
        changed(("Sample = 0.1", "Sample = 0.1:fast")),
        "c.cntk:17:95: learningRatesPerSample = fast: a number is expected", "such as 0.01",
    ),
    "no learning rate": (
        changed(("learningRatesPerSample = 0.1", "")),
        "c.cntk:17:5: block 'Train:SGD' gives neither learningRatesPerSample nor learningRatesPerMB", "add `learning",
    ),
    "a variable without value": (
        changed(("models/m.dnn", "$dir$/m.dnn")), "c.cntk:2:14: $dir$ has no value", "on the command line: dir=...",
    ),
    "a variable in a circle": (
        changed(("deviceId = -1", "a = $b$ ; b = $a$"), ("models/m.dnn", "$a$/m.dnn")),
        "c.cntk:3:15: $a$ is defined by itself", "a value that does not use it",
    ),
    "an include that is missing": (
        "include=no.cntk\n" + CONFIG, "c.cntk:1:9: cannot read 'no.cntk': No such file or directory", "correct the path",
    ),
    "an include with a variable": (
        "include=$x$\n" + CONFIG, "c.cntk:1:1: an include line cannot use $x$", "write the path out",
    ),
    "another builder": (
        changed(("SGD =", "createNetwork = x ; SGD =")),
        "c.cntk:17:5: createNetwork is not supported by this version", "in BrainScriptNetworkBuilder",
    ),
    "a network that is no record": (
        changed(("SGD =", 'BrainScriptNetworkBuilder = "net.bs" ; SGD =')),
        "c.cntk:17:33: a network description must be a record in { } or an expression in ( )", "put it into { }",
    ),
    "an unknown name": (
        changed(("criterionNodes = (ce)", "criterionNodes = (cee)")),
        "c.cntk:15:67: unknown identifier 'cee'", "did you mean 'ce'?",
    ),
    "a kind of initial values": (
        changed((LAYER, "z = ParameterTensor {(2:3), init = 'nowhere'} * x")),
        "c.cntk:13:44: 'init' = 'nowhere' is not possible", "possible are uniform",
    ),
    "a stream with another dimension": (
        changed(("dim = 3", "dim = 4")),
        "c.cntk:6:27: input 'x' has the shape [3 x *], 3 values a sample, but the reader's stream has dim = 4", "write dim = 3",
    ),
    "a stream of no dimension": (changed(("dim = 3", "dim = 0")), "c.cntk:6:27: dim = 0: a sample has at least 1 value", ""),
    "a stream that is missing": (
        changed(('x = { dim = 3 ; format = "dense" } ; ', "")),
        "c.cntk:6:5: the network has an input 'x', but the reader delivers no such stream, only 'y'", "add x = { dim = 3",
    ),
    "a reader that is no block": (
        changed(("reader = {", 'reader = "CNTKTextFormatReader"\nr = {')), "c.cntk:4:1: the reader has no 'input' block", "add input",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str, tmp_path: Path) -> None:
    check_config(tmp_path, *VALUES[name])


RUNS = {
    "no criterion": (
        changed(("criterionNodes = (ce) ; ", "")), "c.cntk:17:5: the network has no training criterion", "add criterionNodes",
    ),
    "a criterion that is not there": (
        changed(("maxEpochs = 3", 'maxEpochs = 3 ; trainCriterionNodeName = "cee"')),
        "c.cntk:17:91: the network has no node 'cee'", "trainCriterionNodeName names a node",
    ),
    "an evaluation that is not there": (
        changed(("maxEpochs = 3", 'maxEpochs = 3 ; evalCriterionNodeName = "cee"')),
        "c.cntk:17:90: the network has no node 'cee'", "evalCriterionNodeName names a node",
    ),
    "another reader": (
        changed(("CNTKTextFormatReader", "UCIFastReader")),
        "c.cntk:5:18: reader UCIFastReader is not available yet in this version", "use readerType = CNTKTextFormatReader",
    ),
    "an action that is not there yet": (
        changed(("command = Train:Test", "command = E"), ("Test =", "E = { action = devtest }\nTest =")),
        "c.cntk:19:16: the action 'devtest' is not available yet in this version", "leave the command out",
    ),
    "a number of threads": (
        changed(("deviceId = -1", "numCPUThreads = many")),
        "c.cntk:3:17: numCPUThreads = many: a whole number is expected", "write digits only",
    ),
    "initial values from no file": (
        changed((LAYER, "z = ParameterTensor {(2:3), initFromFilePath = 'w.txt'} * x")),
        "c.cntk:13:13: parameter 'z.TimesArgs[0]': cannot read 'w.txt': No such file or directory", "mend initFromFilePath",
    ),
    "initial values that are no numbers": (
        changed((LAYER, "z = ParameterTensor {(2:3), initFromFilePath = 'data.txt'} * x")),
        "c.cntk:13:56: row 1 of the initial values has '|x', which is not a number", "write numbers",
    ),
    "initial values that are too few": (
        changed((LAYER, "z = ParameterTensor {(2:3), init = 'fromLiteral', initFromLiteral = '1 2'} * x")),
        "c.cntk:13:13: the shape [2 x 3] cannot hold the initial values, a [1 x 2] matrix", "as many rows as the first dimension",
    ),
    "a model path that is a folder": (
        changed(("models/m.dnn", "models/")), "c.cntk:2:13: modelPath = models/: this is a folder", "the name of a file in it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_runs(name: str, tmp_path: Path) -> None:
    """What a run refuses before it changes anything."""
    config, message, help = RUNS[name]
    before = all_files(make_project(tmp_path, config))
    result = bsls(tmp_path, *RUN)
    check_refused(tmp_path, result, message)
    assert help in result.err
    assert all_files(tmp_path) == before


def test_a_training_that_diverges(tmp_path: Path) -> None:
    make_project(tmp_path, changed(("CrossEntropyWithSoftmax", "SquareError"), ("Sample = 0.1", "Sample = 1e30")))
    result = bsls(tmp_path, *RUN)
    check_refused(tmp_path, result, "c.cntk:17:91: the training criterion 'ce' is not a number (NaN) in epoch 1")
    assert "lower the learning rate" in result.err
    assert sorted(p.name for p in (tmp_path / "models").iterdir()) == ["m.dnn.0"]


NO_TEXT = {
    "NULs": CONFIG.encode()[:50] + b"\0\0" + CONFIG.encode()[50:],
    "UTF-16": CONFIG.encode("utf-16"),
    "a model": (Path(__file__).parents[1] / "golden" / "models" / "double.dnn").read_bytes(),
}


@pytest.mark.parametrize("name", NO_TEXT)
def test_files_that_are_no_text(name: str, tmp_path: Path) -> None:
    check_config(tmp_path, NO_TEXT[name], "c.cntk:1:1: 'c.cntk' is not a text file", "give a config file")


@pytest.mark.parametrize(
    "config", [b"", b"  \n\n", b"# nothing\n", b"\xef\xbb\xbf"], ids=["empty", "blank", "comment", "mark"]
)
def test_configs_without_anything(config: bytes, tmp_path: Path) -> None:
    check_config(tmp_path, config, "c.cntk:1:1: the config does not say which sections to run", "add `command = name`")


GOOD = {
    "byte-order mark": b"\xef\xbb\xbf" + CONFIG.encode(),
    "Windows line ends": CONFIG.replace("\n", "\r\n").encode(),
    "Latin-1 in a comment": b"# Gr\xfc\xdfe\n" + CONFIG.encode(),
    "no line end": CONFIG.rstrip("\n").encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_configs_that_only_look_odd(name: str, tmp_path: Path) -> None:
    make_project(tmp_path, GOOD[name])
    assert bsls(tmp_path, "check", "configFile=c.cntk", "--fail-level", "warning").code == 0
    assert bsls(tmp_path, *RUN).code == 0


def test_places_after_windows_line_ends(tmp_path: Path) -> None:
    bad = changed(('action = "train"', 'action = "trian"')).replace("\n", "\r\n")
    check_config(tmp_path, bad, "c.cntk:9:15: unknown action 'trian'", "did you mean 'train'?")


def test_a_damaged_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    make_project(tmp_path, b"command = \x1b[31m\x07\x9b:A\nA = { action = train }\n" + bytes(range(128, 256)))
    for arguments in (RUN, ("check", "c.cntk")):
        result = bsls(tmp_path, *arguments)
        assert result.code == 1
        assert all(c.isprintable() or c in "\n\t" for c in result.out + result.err)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no.cntk", "No such file or directory"),
        ("folder", "Is a directory"),
        ("no/c.cntk", "No such file or directory"),
    ],
)
def test_configs_that_cannot_be_read(path: str, reason: str, tmp_path: Path) -> None:
    (make_project(tmp_path) / "folder").mkdir()
    message = f"{path}:1:1: cannot read '{path}': {reason}"
    for command in ("run", "resume", "graph"):
        check_refused(tmp_path, bsls(tmp_path, command, f"configFile={path}"), message)
    result = bsls(tmp_path, "check", f"configFile={path}", "--format", "json")
    assert (result.code, json.loads(result.out)["diagnostics"][0]["path"]) == (1, path)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("command=Nope", "<command line>:1:9: there is no section 'Nope' to run"),
        ("command=", "<command line>:1:1: no value given for 'command'"),
        ("Train=[SGD=[maxEpochs=x]]", "<command line>:1:23: maxEpochs = x: a whole number is expected"),
        ("Train=[SGD=[maxEpochs=1", "<command line>:1:12: no closing ] found for this ["),
        ("Train=[action=trian]", "<command line>:1:15: unknown action 'trian'"),
        ("configFile=d.cntk", "d.cntk:1:1: cannot read 'd.cntk': No such file or directory"),
    ],
)
def test_arguments(argument: str, message: str, tmp_path: Path) -> None:
    check_refused(make_project(tmp_path), bsls(tmp_path, *RUN, argument), message)


def test_a_value_from_the_command_line(tmp_path: Path) -> None:
    make_project(tmp_path, changed(("models/m.dnn", "$dir$/m.dnn"), ("maxEpochs = 3", "maxEpochs = $epochs$")))
    assert bsls(tmp_path, "check", "c.cntk").code == 1
    assert bsls(tmp_path, "check", "c.cntk", "--set", "dir=here", "--set", "epochs=1").code == 0
    assert bsls(tmp_path, "graph", "c.cntk", "--set", "dir=here", "--set", "epochs=1").code == 0
    assert bsls(tmp_path, *RUN, "dir=here", "epochs=1").code == 0
    assert (tmp_path / "here" / "m.dnn").exists()
