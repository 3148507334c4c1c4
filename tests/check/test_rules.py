"""Rules of the checker on snippets: which rule says something, and on which line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.check.registry import all_rules
from bsls.check.run import check_config
from bsls.finding import Finding
from bsls.project.files import Files

CONFIG = """command = Train:Test:Write
modelPath = "m.dnn"
reader = { readerType = "CNTKTextFormatReader" ; file = "d.txt"
           input = { x = { dim = 2 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } } }
Train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {2} ; y = Input {2}
        z = LinearLayer {2} (x)
        ce = CrossEntropyWithSoftmax (y, z)
        criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 }
}
Test = { action = "test" }
Write = { action = "write" ; outputPath = "out" }
"""


def findings(folder: Path, text: str) -> list[Finding]:
    (folder / "d.txt").write_text("|x 1 2 |y 0 1\n")
    (folder / "c.cntk").write_text(text)
    return check_config(["configFile=c.cntk"], Files(str(folder)))[0]


CASES = [
    ('outputPath = "out"', 'outputPath = "out" ; outputNodeNames = "z : q"', "unknown-node", 16),
    ('Test = { action = "test" }', 'Test = { action = "dumpNodes" ; nodeName = "zz" }', "unknown-node", 15),
    ('Test = { action = "test" }', 'Test = { action = "dumpNodes" ; nodeNameRegex = "q.*" }', "unknown-node", 15),
    ('Test = { action = "test" }', 'Test = { action = "dumpNodes" ; nodeNameRegex = "(z" }', "config-value", 15),
    ('Test = { action = "test" }', 'Test = { action = "SVD" ; outputModelPath = s ; NodeNameRegex = "q.*" }', "unknown-node", 15),
    ('Test = { action = "test" }', 'Test = { action = "SVD" ; outputModelPath = s ; NodeNameRegex = "(W" }', "config-value", 15),
    ('Test = { action = "test" }', 'Test = { action = "dumpNodes" ; printValues = 0 ; printMetadata = 0 }', "config-value", 15),
    ('outputPath = "out"', 'outputPath = "out" ; writeSequenceKey = true ; format = { sampleSeparator = "%k" }', "config-value", 16),
    ('Test = { action = "test" }', 'Test = { action = "cv" }', "missing-key", 15),
    ('Test = { action = "test" }', 'Test = { action = "plot" ; outputFile = "p.png" }', "config-value", 15),
    ("action = \"train\"", "action = \"Train\"", "unknown-action", 6),
    ("command = Train", "command = Trian", "unknown-command", 1),
    ("modelPath = \"m.dnn\"", "", "missing-key", 5),
    ("maxEpochs = 1 ;", "", "missing-key", 13),
    ("maxEpochs = 1", "maxEpochs = ten", "config-value", 13),
    ("outputPath = \"out\"", "", "missing-key", 16),
    ("d.txt", "$Dir$/d.txt", "undefined-variable", 3),
    ("file = \"d.txt\"", "file = \"e.txt\"", "missing-file", 3),
    ("x = { dim = 2", "x = { dim = 3", "reader-dim-mismatch", 4),
    ("x = { dim = 2", "w = { dim = 2", "input-not-in-reader", 4),
    ("LinearLayer", "LinearLayr", "unknown-identifier", 9),
    ("{2} (x)", "{2, bais = false} (x)", "unknown-parameter", 9),
    ("(y, z)", "(y)", "missing-argument", 10),
    ("(y, z)", "(y, z, x)", "too-many-arguments", 10),
    ("LinearLayer {2} (x)", "2 * x", "duplicate-name", 9),
    ("LinearLayer {2} (x)", "ParameterTensor {(2:3)} * x", "shape", 9),
    ("LinearLayer {2} (x)", "z", "cyclic-definition", 9),
    ("LinearLayer {2} (x)", "Fail ('no')", "fail", 9),
    ("LinearLayer {2} (x)", "f (3)\n        f (n) = f (n - 1)", "nesting-limit", 10),
    ("criterionNodes = (ce)", "criterionNode = (ce)", "special-nodes", 11),
    ("criterionNodes = (ce) ;", "", "no-criterion", 13),
    ("action = \"test\"", "action = \"test\" ; evalNodeNames = ce:err", "unknown-node", 15),
    ("action = \"test\"", "action = \"test\" ; evalNodeNames = z", "no-criterion", 15),
    ("outputPath = \"out\"", "outputPath = \"out\" ; outputNodeNames = zz", "unknown-node", 16),
    ("action = \"test\"", "action = \"devtest\"", "unsupported-action", 15),
    ("\"CNTKTextFormatReader\"", "\"UCIFastReader\"", "unsupported-reader", 3),
    ("CrossEntropyWithSoftmax (y, z)", "LatticeSequenceWithSoftmax (y, z, z, y, 'a', 'b', 'c', 'd')", "unsupported-operation", 10),
    ("x = Input {2} ;", "x = Input {2} ; Unused (v) = Sigmod (v) ;", "unknown-identifier", 8),
    ("x = Input {2} ;", "x = Input {2} ; Unused (v) = BS.Loop.Frist (v) ;", "unknown-identifier", 8),
    ("x = Input {2} ;", "x = Input {2} ; hiddenDim = 5 ;", "unused-definition", 8),
    ("LinearLayer {2} (x)", "LinearLayer {2} (x) + 0 * BS.Loop.Count (x)", "reference-fails", 9),
    ("LinearLayer {2} (x)", "BS.RNNs.RecurrentGRU (2, x, cellDim = 2).h", "reference-fails", 9),
]  # fmt: skip


def test_the_config_itself_is_right(tmp_path: Path) -> None:
    assert [str(f) for f in findings(tmp_path, CONFIG)] == []


@pytest.mark.parametrize(("old", "new", "rule", "line"), CASES, ids=lambda x: x if isinstance(x, str) else str(x))
def test_rule(old: str, new: str, rule: str, line: int, tmp_path: Path) -> None:
    assert old in CONFIG
    found = findings(tmp_path, CONFIG.replace(old, new, 1))
    assert (rule, line) in [(f.rule, f.span.start_position.line + 1) for f in found if f.span is not None]
    assert all(f.rule in all_rules() for f in found)


READER = CONFIG[CONFIG.index("reader = ") : CONFIG.index("Train =")]
COMPOSITE = """reader = { SETTINGS
    deserializers = ([ type = "CNTKTextFormatDeserializer" ; module = "CNTKTextFormatReader" ; file = "d.txt"
        input = [ x = [ dim = 2 ; format = "dense" ] ; y = [ dim = 2 ; format = "dense" ] ] ]) }
"""


@pytest.mark.parametrize(
    ("settings", "old", "new", "expected"),
    [
        ("truncated = true ; truncationLength = 3", "", "", []),
        ("truncated = true", "", "", [("missing-key", 3)]),
        ("truncated = true ; truncationLength = 3 ; frameMode = true", "", "", [("conflicting-keys", 3)]),
        ("sampleBasedRandomizationWindow = true", "", "", [("missing-key", 3)]),
        ("truncated = true ; truncationLength = 3 ; rightSplice = 1", "", "", [("unsupported-setting", 3)]),
        ("", "CNTKTextFormatDeserializer", "ImageDeserializer", [("unsupported-reader", 4)]),
        ("", "y = [ dim = 2", "y = [ dim = 3", [("reader-dim-mismatch", 5)]),
        ("", 'type = "CNTKTextFormatDeserializer" ; ', "", [("missing-key", 4)]),
    ],
)
def test_deserializers(settings: str, old: str, new: str, expected: list[tuple[str, int]], tmp_path: Path) -> None:
    text = CONFIG.replace(READER, COMPOSITE.replace("SETTINGS", settings).replace(old, new, 1))
    found = findings(tmp_path, text)
    places = [(f.rule, f.span.start_position.line + 1) for f in found if f.span is not None]
    assert sorted(set(places)) == expected


def test_adapting_towards_the_original_model_fails_in_the_reference(tmp_path: Path) -> None:
    adapt = """Write = { action = "adapt" ; modelPath = "a.dnn" ; origModelFileName = "m.dnn" ; refNodeName = "z"
    SGD = { maxEpochs = 1 ; learningRatesPerSample = 0.1 ; adaptationRegType = "KL" ; adaptationRegWeight = 0.5 } }"""
    found = findings(tmp_path, CONFIG.replace('Write = { action = "write" ; outputPath = "out" }', adapt))
    assert [(f.rule, f.severity.word) for f in found] == [("reference-fails", "information")]


@pytest.mark.parametrize(
    "right",
    ["BS.RNNs.RecurrentGRU (2, x, cellDim = 2, inputDim = 2).h", "BS.Loop.Previous (x)", "{f = BS.RNNs.GRU ; y = x}.y"],
)
def test_what_the_reference_can_run(right: str, tmp_path: Path) -> None:
    found = findings(tmp_path, CONFIG.replace("LinearLayer {2} (x)", right, 1))
    assert "reference-fails" not in [f.rule for f in found]


def test_operations_that_cannot_be_executed(tmp_path: Path) -> None:
    """They are only said of where they are computed."""
    ce = "LatticeSequenceWithSoftmax (y, z, z, y, 'a', 'b', 'c', 'd')"
    text = CONFIG.replace(
        "ce = CrossEntropyWithSoftmax (y, z)", f"ce = CrossEntropyWithSoftmax (y, z)\n        other = {ce}"
    )
    assert findings(tmp_path, text) == []
    found = findings(tmp_path, text.replace("outputNodes = (z)", "outputNodes = (other)"))
    assert [(f.rule, f.severity.word) for f in found] == [("unsupported-operation", "information")]
    assert str(found[0]).endswith("'other' is a LatticeSequenceWithSoftmax, which cannot be executed yet")


def test_codes_and_names_are_unique() -> None:
    rules = list(all_rules().values())
    assert len({r.code for r in rules}) == len({r.name for r in rules}) == len(rules)
    assert all(r.summary.endswith(".") and r.doc.strip() for r in rules)


def test_a_single_unknown_output_node_has_a_fix(tmp_path: Path) -> None:
    text = CONFIG.replace('outputPath = "out"', 'outputPath = "out" ; outputNodeNames = "labls"')
    text = text.replace("y = Input {2}", "y = Input {2} ; labels = Pass (y)")
    (found,) = [f for f in findings(tmp_path, text) if f.rule == "unknown-node"]
    assert [fix.title for fix in found.fixes] == ["change to labels"]
    (edit,) = found.fixes[0].edits
    assert edit.span.text == "labls"


NODE_NAMES = [
    # a command, what is said of the name, the text after the fix (empty if there is none)
    ('"dumpNodes" ; nodeName = "z_PlusArgs[0]"', "z_PlusArgs[0]", 'nodeName = "z.PlusArgs[0]"'),
    ('"dumpNodes" ; nodeName = "z.PlusArgs_0"', "z.PlusArgs_0", 'nodeName = "z.PlusArgs[0]"'),
    ('"dumpNodes" ; nodeName = "z.*"', "z.*", 'nodeNameRegex = "z\\..*"'),
    ('"dumpNodes" ; nodeName = "q.*"', "q.*", ""),
    ('"dumpNodes" ; nodeNameRegex = "*.b"', "*.b", 'nodeNameRegex = ".*\\.b"'),
    ('"dumpNodes" ; nodeNameRegex = "z\\.*"', "", ""),
    ('"dumpNodes" ; nodeNameRegex = "Z[.].*"', "Z[.].*", ""),
    ('"write" ; outputPath = "o" ; outputNodeNames = "Z_W:ce"', "Z_W", "outputNodeNames = \"z.W:ce\""),
    ('"write" ; outputPath = "o" ; outputNodeNames = "Z_W"', "Z_W", "outputNodeNames = \"z.W\""),
    ('"write" ; outputPath = "o" ; outputNodeNames = z.PlusArgs[1]', "z.PlusArgs[1]", "outputNodeNames = z.PlusArgs[0]"),
    ('"write" ; outputPath = "o" ; outputNodeNames = ce:z*', "z*", "outputNodeNames = ce:z:z.PlusArgs[0]"),
    ('"write" ; outputPath = "o" ; outputNodeNames = ce:q*:z', "q*", ""),
    ('"write" ; outputPath = "o" ; outputNodeNames = ce*2:z', "", ""),
    ('"test" ; evalNodeNames = "ec:ce"', "ec", ""),
    ('"test" ; evalNodeNames = "c*"', "c*", 'evalNodeNames = "ce"'),
]  # fmt: skip


@pytest.mark.parametrize(("command", "said", "fixed"), NODE_NAMES)
def test_names_of_nodes(command: str, said: str, fixed: str, tmp_path: Path) -> None:
    text = CONFIG.replace('Test = { action = "test" }', f"Test = {{ action = {command} }}")
    found = [f for f in findings(tmp_path, text) if f.span is not None and f.rule in ("unknown-node", "config-value")]
    assert [f.span.text for f in found if f.span is not None] == ([said] if said else [])
    fixes = [fix for f in found for fix in f.fixes]
    for edit in sorted(fixes[0].edits if fixes else (), key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert bool(fixes) == bool(fixed) and fixed in text
    if fixed:
        assert not [f for f in findings(tmp_path, text) if f.rule in ("unknown-node", "config-value")]


@pytest.mark.parametrize(
    ("function", "said", "fixed"),
    [
        ('node => if node.name == "z_W" then q else node', "z_W", '"z.W"'),
        ("node => if 'zz.W' != node.name then node else q", "zz.W", "'z.W'"),
        ("BS.Network.Editing.ReplaceLinksToNamedNode ('Z', q)", "Z", "'z'"),
        ("BS.Network.Editing.ReplaceLinksToNamedNode ('z.PlusArgs[0]', q)", "", ""),
        ('node => if node.operation == "Times" then q else node', "", ""),
        ('node => if node.name == "zzzzz" then q else node', "zzzzz", ""),
    ],
)
def test_names_in_edit_functions(function: str, said: str, fixed: str, tmp_path: Path) -> None:
    """Also of a node that a member gives another name."""
    network = f"""{{
        net = BS.Network.Load ("m.dnn") ; renamed = net.z ; q = Tanh (renamed)
        outputNodes = BS.Network.Edit (net, ({function}), q).ce
    }}"""
    edit = f'Test = {{ action = "edit" ; outputModelPath = "e.dnn" ; BrainScriptNetworkBuilder = {network} }}'
    text = CONFIG.replace('Test = { action = "test" }', edit)
    found = [f for f in findings(tmp_path, text) if f.rule == "model-node" and f.span is not None]
    assert [(f.span.text, f.severity.word) for f in found if f.span] == ([(said, "warning")] if said else [])
    assert [e.text for f in found for fix in f.fixes for e in fix.edits] == ([fixed.strip("'\"")] if fixed else [])


def test_label_map_of_a_written_category(tmp_path: Path) -> None:
    form = 'outputPath = "out" ; format = { type = "%s" ; labelMappingFile = "no.map" }'
    for kind, expected in (("category", ["missing-file"]), ("real", [])):
        found = findings(tmp_path, CONFIG.replace('outputPath = "out"', form % kind))
        assert [f.rule for f in found if f.severity.word == "error"] == expected


def test_a_missing_path_is_pointed_at_where_it_was_given(tmp_path: Path) -> None:
    """Also where that is the value of a variable in another one; a path put together is pointed at where it is used."""
    text = CONFIG.replace('"d.txt"', '"$data$"').replace("y = Input {2}\n", 'y = BS.Network.Load ("$m$.dnn")\n')
    found = findings(tmp_path, 'data = "$file$"\nfile = "d.txt"\nm = "no"\n' + text)
    assert lines_of(found) == {"missing-model": 10}
    (tmp_path / "training.txt").touch()
    found = findings(tmp_path, 'data = "$file$"\nfile = "trainng.txt"\n' + text.replace("$m$.dnn", "$file$"))
    assert lines_of(found) == {"missing-file": 1, "missing-model": 1}


def lines_of(found: list[Finding]) -> dict[str, int]:
    """Lines of files that are missing, from 0."""
    rules = ("missing-file", "missing-model")
    return {f.rule: f.span.start_position.line for f in found if f.span is not None and f.rule in rules}
