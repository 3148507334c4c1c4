"""Networks of SimpleNetworkBuilder: names, operations and shapes as CNTK's logs have them, and wrong settings."""

from __future__ import annotations

import pytest

from bsls.config import Section, parse_config
from bsls.evaluate.brainscript import Evaluation
from bsls.evaluate.environment import Environment
from bsls.evaluate.simple import KINDS, simple_network
from bsls.finding import BsError

CRITERIA = "trainingCriterion = CrossEntropyWithSoftmax ; evalCriterion = ClassificationError"
CLASS_CRITERIA = "trainingCriterion = classcrossentropywithsoftmax ; evalCriterion = classcrossentropywithsoftmax"


def built(settings: str, strict: bool = True) -> Evaluation:
    config = parse_config(f"SimpleNetworkBuilder = [ {settings} ]")
    section = config.section("SimpleNetworkBuilder")
    assert isinstance(section, Section)
    return simple_network(section, Environment(strict=strict))


def lines(settings: str) -> list[str]:
    network = built(settings).network
    assert network is not None
    return [node.prototype for node in network]


def test_feed_forward() -> None:
    assert lines(f"layerSizes = 5:6*2:3 ; layerTypes = Sigmoid:None ; applyMeanVarNorm = true ; {CRITERIA}") == [
        "features = InputValue() :  -> [5 x *]",
        "MeanOfFeatures = Mean (features) : [5 x *] -> [5]",
        "InvStdOfFeatures = InvStdDev (features) : [5 x *] -> [5]",
        "MVNormalizedFeatures = PerDimMeanVarNormalization (features, MeanOfFeatures, InvStdOfFeatures) : "
        "[5 x *], [5], [5] -> [5 x *]",
        "W0 = LearnableParameter() :  -> [6 x 5]",
        "B0 = LearnableParameter() :  -> [6 x 1]",
        "W0*features = Times (W0, MVNormalizedFeatures) : [6 x 5], [5 x *] -> [6 x *]",
        "W0*features+B0 = Plus (W0*features, B0) : [6 x *], [6 x 1] -> [6 x 1 x *]",
        "H1 = Sigmoid (W0*features+B0) : [6 x 1 x *] -> [6 x 1 x *]",
        "W1 = LearnableParameter() :  -> [6 x 6]",
        "B1 = LearnableParameter() :  -> [6 x 1]",
        "W1*H1 = Times (W1, H1) : [6 x 6], [6 x 1 x *] -> [6 x 1 x *]",
        "H2 = Plus (W1*H1, B1) : [6 x 1 x *], [6 x 1] -> [6 x 1 x *]",
        "W2 = LearnableParameter() :  -> [3 x 6]",
        "B2 = LearnableParameter() :  -> [3 x 1]",
        "W2*H1 = Times (W2, H2) : [3 x 6], [6 x 1 x *] -> [3 x 1 x *]",
        "HLast = Plus (W2*H1, B2) : [3 x 1 x *], [3 x 1] -> [3 x 1 x *]",
        "labels = InputValue() :  -> [3 x *]",
        "CrossEntropyWithSoftmax = CrossEntropyWithSoftmax (labels, HLast) : [3 x *], [3 x 1 x *] -> [1]",
        "EvalClassificationError = ClassificationError (labels, HLast) : [3 x *], [3 x 1 x *] -> [1]",
        "PosteriorProb = Softmax (HLast) : [3 x 1 x *] -> [3 x 1 x *]",
    ]


def test_groups_and_seeds() -> None:
    network = built(f"layerSizes = 5:6:3 ; needPrior = true ; addDropoutNodes = true ; {CRITERIA}").network
    assert network is not None
    assert {g: [n.name for n in nodes] for g, nodes in network.groups.items()} == {
        "feature": ["features"], "label": ["labels"], "criterion": ["CrossEntropyWithSoftmax"],
        "evaluation": ["EvalClassificationError"], "output": ["ScaledLogLikelihood"],
    }  # fmt: skip
    assert [(network[n].attributes["randomSeed"], network[n].attributes["init"]) for n in ("W0", "W1")] == [
        (1, "uniform"), (2, "uniform")
    ]  # fmt: skip
    assert [n.name for n in network["W1*H0"].inputs] == ["W1", "DropH1"]


def test_names_of_an_lstm() -> None:
    """Operands are made from the last to the first, which shows in the numbers."""
    network = built(
        f"rnnType = LSTM ; layerSizes = 6:4:5:3 ; lookupTableOrder = 2 ; recurrentLayer = 2 ; {CRITERIA}"
    ).network
    assert network is not None
    assert (
        network["AutoName8"].prototype
        == "AutoName8 = DiagTimes (WCI0, AutoName5) : [5 x 1], [5 x 1 x *] -> [5 x 1 x *]"
    )
    assert [i.name for i in network["AutoName10"].inputs] == ["WXI0", "LookupTable"]
    assert network["AutoName38"].prototype.startswith("AutoName38 = ElementTimes (AutoName36, AutoName37) :")
    assert [i.name for i in network["AutoName1"].inputs] == ["AutoName38"]
    assert network["LookupTable"].prototype == "LookupTable = LookupTable (E0, features) : [4 x 3], [6 x *] -> [8 x *]"
    assert network["bf0"].attributes["value"] == -1.0


SETTINGS = {
    "SIMPLENET": f"layerSizes = 6:4:3 ; {CRITERIA}",
    "SIMPLERNN": f"layerSizes = 6:4:3 ; recurrentLayer = 1 ; {CRITERIA}",
    "LSTM": f"layerSizes = 6:4:5:3 ; lookupTableOrder = 1 ; {CRITERIA}",
    "CLASSLM": f"layerSizes = 6:4:9 ; recurrentLayer = 1 ; vocabSize = 9 ; nbrClass = 2 ; {CLASS_CRITERIA}",
    "LBLM": f"layerSizes = 6:4:3 ; maOrder = 2 ; recurrentLayer = 1 ; {CRITERIA}",
    "NPLM": f"layerSizes = 6:4:5:3 ; recurrentLayer = 1:2 ; {CRITERIA}",
    "CLASSLSTM": f"layerSizes = 6:4:5:9 ; lookupTableOrder = 1 ; nbrClass = 2 ; {CLASS_CRITERIA}",
    "CLSTM": f"layerSizes = 6:4:5:9 ; lookupTableOrder = 1 ; nbrClass = 2 ; auxfeatdim = 7 ; {CLASS_CRITERIA}",
    "NCELSTM": "layerSizes = 6:4:5:9 ; lookupTableOrder = 1 ; noise_number = 3 ; directConnect = 1 ; "
    "trainingCriterion = noiseContrastiveEstimation ; evalCriterion = noiseContrastiveEstimation",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind: str) -> None:
    evaluation = built(f"rnnType = {kind} ; {SETTINGS[kind]}")
    assert evaluation.network is not None
    assert evaluation.complete
    assert all(n.shape is not None and n.shape.known for n in evaluation.network)
    assert len(evaluation.network.groups["criterion"]) == len(evaluation.network.groups["evaluation"]) == 1
    assert evaluation.network.groups["output"]


def test_gates_that_are_always_open() -> None:
    def operations(more: str) -> list[str]:
        network = built(f"rnnType = LSTM ; layerSizes = 6:5:3 ; {CRITERIA} ; {more}").network
        assert network is not None
        return [n.op for n in network]

    assert operations("").count("Sigmoid") == 3
    gates = "constInputGateValue = true ; constForgetGateValue = true ; constOutputGateValue = true"
    assert operations(gates).count("Sigmoid") == 0


@pytest.mark.parametrize(("settings", "at", "message"), [
    (f"layerSizes = 5 ; {CRITERIA}", "5", "at least two layers"),
    (CRITERIA, "SimpleNetworkBuilder", "at least two layers"),
    (f"layerSizes = 5:x:3 ; {CRITERIA}", "x", "a whole number is expected"),
    (f"layerSizes = 5:0:3 ; {CRITERIA}", "0", "at least one element"),
    (f"layerSizes = 5:4:3 ; layerTypes = sigmoid ; {CRITERIA}", "sigmoid", "no such choice"),
    ("layerSizes = 5:4:3 ; evalCriterion = SquareError", "SimpleNetworkBuilder", "no value for 'trainingCriterion'"),
    ("layerSizes = 5:3 ; trainingCriterion = CrossEntropy ; evalCriterion = SquareError", "CrossEntropy", "no such choice"),
    (f"layerSizes = 5:3 ; rnnType = lstm ; {CRITERIA}", "lstm", "no such choice"),
    (f"layerSizes = 5:4:3 ; rnnType = SIMPLERNN ; {CRITERIA}", "SimpleNetworkBuilder", "hidden layer 1 must be a recurrent one"),
    (f"layerSizes = 5:4:3 ; {CLASS_CRITERIA}", "classcrossentropywithsoftmax", "another kind of network"),
    (f"layerSizes = 5:4:9 ; rnnType = CLASSLM ; vocabSize = 8 ; nbrClass = 2 ; {CLASS_CRITERIA}", "8", "output layer has 9"),
    (f"layerSizes = 5:4:3 ; rnnType = LSTM ; lookupTableOrder = 2 ; {CRITERIA}", "2", "is not 2 words"),
    (f"layerSizes = 5:3 ; needPrior = maybe ; {CRITERIA}", "maybe", "true or false is expected"),
])  # fmt: skip
def test_wrong_settings(settings: str, at: str, message: str) -> None:
    with pytest.raises(BsError, match=message) as raised:
        built(settings)
    span = raised.value.finding.span
    assert span is not None
    assert span.text == at
    assert [f.message for f in built(settings, strict=False).findings] == [raised.value.finding.message]


def test_every_wrong_setting_is_told() -> None:
    found = built(
        "layerSizes = 5 ; layerTypes = Sigmoyd ; uniformInit = yes please ; evalCriterion = x", strict=False
    ).findings
    assert len(found) == 5
