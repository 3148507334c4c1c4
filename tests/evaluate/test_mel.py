"""Scripts that edit models: what each command does to the graph, and what it cannot do."""

from __future__ import annotations

import pytest
from scripts import Edited, described, ndl_network, said

from bsls.finding import BsError, Severity
from bsls.network.cloning import duplicate
from bsls.network.network import Network

NET = """x = Input (4, tag = feature)
y = Input (3, tag = label)
A.W = Parameter (3, 4)
A.t = Times (A.W, x)
A.h = Tanh (A.t)
B.W = Parameter (3, 3)
B.t = Times (B.W, A.h)
ce = CrossEntropyWithSoftmax (y, B.t, tag = criterion)
OutputNodes = (B.t)
"""
OPEN = 'm = LoadModel ("old", format = cntk)\nSetDefaultModel (m)\n'


def old() -> Network:
    network = ndl_network(NET).network
    assert network is not None
    return duplicate(network)


def edit(lines: str, macros: str = "") -> Edited:
    return Edited(OPEN + lines + '\nSaveModel (m, "new")', {"old": old()}, macros)


def changes(edited: Edited) -> dict[str, str]:
    """What is other in `new` than in `old`, by node; empty for a node that is gone."""
    assert said(edited.findings) == []
    before, after = described(old()), described(edited.host.models["new"])
    changed = {name: op for name, op in after.items() if before.get(name) != op}
    return changed | {name: "" for name in before if name not in after}


@pytest.mark.parametrize(
    ("lines", "changed"),
    [
        ("", {}),
        ("Rename (B.t, z)", {"B.t": "", "z": "Times B.W A.h", "ce": "CrossEntropyWithSoftmax y z"}),
        ("rename (m.A.*, m.L1.*)", {"A.W": "", "A.t": "", "A.h": "", "L1.W": "LearnableParameter", "L1.t": "Times L1.W x", "L1.h": "Tanh L1.t", "B.t": "Times B.W L1.h"}),
        ("Copy (A.W, V)", {"V": "LearnableParameter"}),
        ("CopyNode (A.W, V.*, copy = value)\nV.a = Parameter (3, 4)", None),
        ("CopySubTree (A.h, m, copied_)", {"copied_x": "InputValue", "copied_A.W": "LearnableParameter", "copied_A.t": "Times copied_A.W copied_x", "copied_A.h": "Tanh copied_A.t"}),
        ("SetInput (ce, 1, A.h)\nRemove (B.t, B.W)", {"ce": "CrossEntropyWithSoftmax y A.h", "B.t": "", "B.W": ""}),
        ("SetNodeInputs (ce, y, A.h)", {"ce": "CrossEntropyWithSoftmax y A.h"}),
        ("CopyInputs (A.t, B.t)", {"B.t": "Times A.W x"}),
        ("H = 3\nC = Layer (H, H, A.h)\nSetInput (B.t, 1, C.r)", {"C.V": "LearnableParameter", "C.r": "Times C.V A.h", "B.t": "Times B.W C.r"}),
        ("C = Sigmoid (A.h) ; SetInput (B.t, 1, C) ;", {"C": "Sigmoid A.h", "B.t": "Times B.W C"}),
        ("err = ErrorPrediction (y, B.t, tag = eval)", {"err": "ClassificationError y B.t"}),
        ("delete (ce)\nce = SquareError (y, B.t)", {"ce": "SquareError y B.t"}),
    ],
)  # fmt: skip
def test_graph(lines: str, changed: dict[str, str] | None) -> None:
    edited = edit(lines, "Layer (rows, cols, x) = [ V = Parameter (rows, cols)\nr = Times (V, x) ]")
    if changed is None:
        assert said(edited.findings) == ["model-node: V.*"]
        return
    assert changes(edited) == changed
    assert edited.known


def test_between_models() -> None:
    script = OPEN + (
        "n = LoadModel (old)\nSetProperty (n.A.W, learningRateMultiplier, 0)\nCopyNode (n.*.W, m.*.W, copyFlag = val)\n"
        "k = CreateModel ()\nCopySubTree (n.A.h, k, p.)\nSaveModel (m, new)\nSaveModel (k, other)"
    )
    edited = Edited(script, {"old": old()})
    assert changes(edited) == {}
    new, other = edited.host.models["new"], edited.host.models["other"]
    assert [n.name for n in new.parameters if not n.is_learnable] == ["A.W"]
    assert described(other) == {"p.x": "InputValue", "p.A.W": "LearnableParameter", "p.A.t": "Times p.A.W p.x", "p.A.h": "Tanh p.A.t"}  # fmt: skip


def test_properties() -> None:
    edited = edit(
        "SetProperty (A.W, needGradient, false)\nSetPropertyForSubTree (B.t, learningRateMult, 0.5)\n"
        "SetProperty (B.t, output, false)\nSetProperty (A.h, output, true)\nSetProperty (ce, Criteria, false)\n"
        "SetProperty (ce, eval, true)\nSetProperty (B.W, freezeParam, true)\nSetProperty (ce, recurrent, true)"
    )
    assert changes(edited) == {}
    new = edited.host.models["new"]
    rates = {n.name: n.attributes["learningRateMultiplier"] for n in new.parameters}
    assert rates == {"A.W": 0.5, "B.W": 0.0}
    assert {g: [n.name for n in nodes] for g, nodes in new.groups.items()} == {
        "feature": ["x"], "label": ["y"], "criterion": [], "evaluation": ["ce"], "output": ["A.h"],
    }  # fmt: skip


def test_snippets() -> None:
    section = "x = Input (2, tag = feature)\nh = Tanh (x)"
    script = f'LoadNDLSnippet (s, "{section}", section = net)\nSaveModel (s, a)\nq = [ {section} ]\nSaveModel (q, b)'
    edited = Edited(script, {})
    assert said(edited.findings) == []
    assert (
        described(edited.host.models["a"]) == described(edited.host.models["b"]) == {"x": "InputValue", "h": "Tanh x"}
    )


def test_dumps_and_values_from_files() -> None:
    edited = edit(
        "Dump (m, all)\nDumpNode (m.*.W, some, includeData = true)\nReviseParameter (A.W, w.txt)\nReviseParam (ce, w.txt)\nUnload (q)"
    )
    assert edited.host.dumped == {"all": (["A.h", "A.t", "A.W", "B.t", "B.W", "ce", "x", "y"], False), "some": (["A.W", "B.W"], True)}  # fmt: skip
    assert edited.host.models["new"]["A.W"].attributes["initFromFilePath"] == "w.txt"
    assert [line.split()[0] for line in edited.host.lines] == ["Revise", "WARNING:", "WARNING:"]
    assert said(edited.findings) == ["model-edit: q"]


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        ("RenameNode (A.h, h)\nSetProperty (h, output, true)", "unknown-identifier: RenameNode"),
        ("Rename (A.h)", "missing-argument: Rename (A.h)"),
        ("Rename (A.h, B.t)", "duplicate-name: Rename (A.h, B.t)"),
        ("Rename (A.g, h)\nSetProperty (h, output, true)", "model-node: A.g"),
        ("Rename (A.*, h)", "model-edit: h"),
        ("SetProperty (a*, output, true)", "model-node: a*"),
        ("SetProperty (A.h, outputs, true)", "wrong-value: outputs"),
        ("SetProperty (A.h, output, yes)", "config-value: yes"),
        ("SetProperty (A.h, freezeParameters, true)", "model-edit: SetProperty (A.h, freezeParameters, true)"),
        ("Remove (A.h)", "model-edit: A.h"),
        ("Remove (A.*)", "model-edit: A.*"),
        ("Remove (*.h)", "syntax: *"),
        ("CopyNode (A.h, h)", "model-edit: CopyNode (A.h, h)"),
        ("CopyNode (A.h, A.t, copy = value)", "model-edit: CopyNode (A.h, A.t, copy = value)"),
        ("CopyNode (A.h, h, copy = links)", "wrong-value: links"),
        ("CopyNode (A.h, h, kind = value)", "unknown-parameter: kind = value"),
        ("SetInput (ce, 2, A.h)", "model-edit: 2"),
        ("SetInput (B.t, 1, x)", "shape: Times (B.W, A.h)"),
        ("CreateModel ()", "missing-argument: CreateModel ()"),
        ("SaveModel (n, q)", "model-edit: n"),
        ("n = LoadModel (nothing)\nRename (n.a, n.b)", "missing-model: nothing"),
        ("C = Sigmod (A.h)\nSetInput (B.t, 1, C)", "unknown-identifier: Sigmod"),
        ("C = Sigmoid (A.g)\nSetInput (B.t, 1, C)", "unknown-identifier: A.g"),
        ("LoadNDLSnippet (s, f)", "missing-argument: LoadNDLSnippet (s, f)"),
        ("Rename A.h, h", "syntax: Rename A.h"),
    ],
)
def test_mistakes(lines: str, finding: str) -> None:
    edited = edit(lines)
    assert said([f for f in edited.findings if f.severity == Severity.ERROR])[:1] == [finding]
    assert not edited.known
    if "syntax" not in finding and "shape" not in finding:
        assert len(edited.findings) == 1
    with pytest.raises(BsError):
        Edited(OPEN + lines + '\nSaveModel (m, "new")', {"old": old()}, strict=True)


def test_without_a_default_model() -> None:
    edited = Edited("m = LoadModel (old)\nRename (A.h, h)\nRename (B.t, z)", {"old": old()})
    assert [(f.rule, f.severity) for f in edited.findings] == [("model-edit", Severity.INFORMATION)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("A_W", "A.W"),
        ("m.A_W", "m.A.W"),
        ("a.*", "A.*"),
        ("m.a.*", "m.A.*"),
        ("A_*", "A.*"),
        ("AA.*", "A.*"),
        ("m.*.w", "m.*.W"),
        ("m.*_t", "m.*.t"),
        ("A.*.*", "A.*"),
        ("mm.ce", "m.ce"),
        ("nets.A.*", "m.A.*"),
        ("ec[0]", None),
        ("Q.*", None),
        ("B.B.B", None),
    ],
)
def test_names_that_mean_no_node(name: str, meant: str | None) -> None:
    (finding,) = edit(f"SetProperty ({name}, output, true)").findings
    assert (finding.rule, finding.span and finding.span.text) == ("model-node", name)
    assert [edit.text for fix in finding.fixes for edit in fix.edits] == ([meant] if meant else [])


def test_a_node_called_as_a_model_is() -> None:
    edited = edit("A = LoadModel (old)\nSetProperty (A.W, output, true)\nSetProperty (A.A.W, output, true)")
    assert [(f.help, [e.text for fix in f.fixes for e in fix.edits]) for f in edited.findings] == [
        ("did you mean 'm.A.W'?", ["m.A.W"])
    ]


def test_a_failing_command_makes_only_what_it_would_change_uncertain() -> None:
    edited = edit("n = LoadModel (old)\nCopyNode (m.A.g, n.B.g)\nRemove (n.B.g)\nRemove (m.B.g)")
    assert said(edited.findings) == ["model-node: m.A.g", "model-node: m.B.g"]
