"""BS.Network.Edit: what stands in whose place, what is copied, and what cannot be."""

from __future__ import annotations

import pytest
from networks import Outcome, evaluate

MODEL = evaluate("""
x = Input {3}
y = Input {2, tag = 'label'}
h = Tanh (ParameterTensor {(4:3)} * x)
g = Sigmoid (h)
z = ParameterTensor {(2:4)} * g
ce = CrossEntropyWithSoftmax (y, z)
criterionNodes = (ce)
outputNodes = (z)
""").network
EDITING = "BS.Network.Editing"


def edited(edits: str, roots: str = "[||]", members: str = "", strict: bool = True) -> Outcome:
    text = f"([ net = BS.Network.Load ('m')\n{members}\nn = BS.Network.Edit (net, {edits}, {roots}) ].n)"
    return Outcome(text, models={"m": MODEL}, strict=strict)


def uses(outcome: Outcome) -> dict[str, list[str]]:
    """The inputs of each node that is not a leaf."""
    return {n.name: [i.name for i in n.inputs] for n in outcome.network if n.inputs}


REST = {"h": ["h.z"], "h.z": ["h.z.TimesArgs[0]", "x"]}


@pytest.mark.parametrize(("edits", "changed"), [
    # in between: the replacement uses what it replaces
    (f"{EDITING}.ReplaceLinksToNamedNode ('h', Dropout (net.h))",
     {"g": ["network.n.editFunctions.replacement"], "network.n.editFunctions.replacement": ["h"]}),
    # in between, by a function: the old node keeps its name
    ("(n => if n.name == 'h' then Pass (n) else n)", {"g": ["_h"], "_h": ["h"]}),
    # a node of the model instead of another one
    (f"{EDITING}.ReplaceLinksToNode (net.g, net.h)", {"z": ["z.TimesArgs[0]", "h"], "g": None}),
    # two nodes change places: g goes, as nothing uses it any more
    (f"({EDITING}.ReplaceLinksToNode (net.h, net.g) : {EDITING}.ReplaceLinksToNode (net.g, net.h))",
     {"z": ["z.TimesArgs[0]", "h"], "g": None}),
    # one replacement uses another replaced node
    (f"({EDITING}.ReplaceLinksToNode (net.g, Exp (net.h)) : {EDITING}.ReplaceLinksToNode (net.h, Abs (net.h)))",
     {"z": ["z.TimesArgs[0]", "network.n.editFunctions[0].replacement"], "g": None,
      "network.n.editFunctions[0].replacement": ["network.n.editFunctions[1].replacement"],
      "network.n.editFunctions[1].replacement": ["h"]}),
    # the first function that changes something wins
    (f"({EDITING}.ReplaceLinksToNode (net.g, net.h) : {EDITING}.ReplaceLinksToNode (net.g, net.x))",
     {"z": ["z.TimesArgs[0]", "h"], "g": None}),
    # through a delay a node may stand in the place of what it depends on
    (f"{EDITING}.ReplaceLinksToNode (net.h, p)",
     {"g": ["network.p"], "network.p": ["h", "network.p.PlusArgs[1]"], "network.p.PlusArgs[1]": ["g"]}),
    ("[||]", {}),
])  # fmt: skip
def test_links(edits: str, changed: dict[str, list[str] | None]) -> None:
    before = {n.name: [i.name for i in n.inputs] for n in MODEL if n.inputs}
    expected = {name: inputs for name, inputs in (before | changed).items() if inputs is not None}
    assert uses(edited(edits, members="p = net.h + PastValue (4, net.g)")) == expected


def test_the_model_itself_stays() -> None:
    outcome = edited(f"{EDITING}.ReplaceLinksToNode (net.h, Abs (net.h))", "(Pass (net.g, tag = 'output'))")
    (new,) = [n for n in outcome.network if n.op == "Pass"]
    assert [n.name for n in outcome.network.groups["output"]] == [new.name, "z"]
    assert new.inputs[0].inputs[0].op == "Abs"  # added nodes use what stands for a node
    assert MODEL["g"].inputs == [MODEL["h"]]


def test_a_replaced_root_loses_its_tag() -> None:
    outcome = edited(f"{EDITING}.ReplaceLinksToNode (net.ce, SquareError (net.y, net.z))")
    assert outcome.network.groups["criterion"] == []
    assert "ce" not in outcome.network
    assert [n.op for n in outcome.network if not any(n in m.inputs for m in outcome.network)] == ["SquareError"]


@pytest.mark.parametrize(("edits", "rule", "message"), [
    (f"{EDITING}.ReplaceLinksToNode (net.h, net.g)", "cyclic-definition", "the edited network has a circle: g"),
    ("(n => 3)", "wrong-type", "an edit function must return a node, this is a number"),
    ("net.h", "wrong-type", "an edit function is a function of a node, this is a node"),
    (f"{EDITING}.ReplaceLinksToNode (net.hh, net.g)", "model-node", "unknown identifier 'hh'"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_errors(edits: str, rule: str, message: str, strict: bool) -> None:
    (finding,) = edited(edits, strict=strict).findings
    assert finding.rule == rule
    assert message in finding.message
    assert finding.span is not None
    assert finding.span.start_position.line == 2


def test_greedy_decoder() -> None:
    """A trained model that is given its own best word instead of the label."""
    model = evaluate("""
inputSequence = Input {4}
labelSequence = Input {4, tag = 'label'}
decoderHistoryHook = Pass (labelSequence)
z = ParameterTensor {(4:4)} * PastValue (4, decoderHistoryHook) + inputSequence
decoderHistoryFromOutput = Hardmax (z)
outputNodes = (z : decoderHistoryFromOutput)
""").network
    outcome = Outcome("(BS.Seq2Seq.GreedySequenceDecoderFrom (BS.Network.Load ('m')))", models={"m": model})
    delay = next(n for n in outcome.network if n.op == "PastValue")
    assert [i.name for i in delay.inputs] == ["decoderHistoryFromOutput"]
    added = {f"network.{name}" for name in ("decodeOut", "inputsOut", "labelsOut")}
    assert added < {n.name for n in outcome.network.groups["output"]}
    assert "decoderHistoryHook" not in outcome.network


def test_beam_decoder() -> None:
    """The scores of all hypotheses: [words x hypotheses]."""
    model = evaluate("""
inputSequence = Input {4}
labelSequence = Input {4, tag = 'label'}
labelSentenceStartEmbeddedScattered = Pass (labelSequence)
decoderHistoryHook = SplitDimension (labelSequence, 1, 1)
decoderHistoryFromOutput = Hardmax (z)
beamSearchReorderHook = ConstantTensor (1, (1:1))
state = PastValue ((4:1), Tanh (decoderHistoryHook) * beamSearchReorderHook)
z = ParameterTensor {(4:4)} * state + SplitDimension (inputSequence, 1, 1)
outputNodes = (z : decoderHistoryFromOutput)
""").network
    outcome = Outcome(
        "(BS.Seq2Seq.BeamSearchSequenceDecoderFrom (BS.Network.Load ('m'), 3))", models={"m": model}, strict=False
    )
    assert [str(f) for f in outcome.findings] == []
    assert str(next(n for n in outcome.network if n.name.endswith("decodeOut")).shape) == "[4 x *]"
