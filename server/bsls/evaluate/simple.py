"""SimpleNetworkBuilder: a network of a standard kind from a few settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bsls.config.section import Section, Value
from bsls.evaluate.brainscript import Evaluation
from bsls.evaluate.environment import Environment
from bsls.evaluate.simple_nodes import Builder
from bsls.finding import BsError, Finding
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.resolve.names import similar

T = TypeVar("T")

CRITERIA = {
    "crossentropywithsoftmax": "CrossEntropyWithSoftmax",
    "squareerror": "SquareError",
    "logistic": "Logistic",
    "noisecontrastiveestimation": "NCEBasedCrossEntropyWithSoftmax",
    "classcrossentropywithsoftmax": "ClassBasedCrossEntropyWithSoftmax",
}
"""Operations by what `trainingCriterion` says, in lower case."""

EVALUATIONS = CRITERIA | {"classificationerror": "ClassificationError", "errorprediction": "ClassificationError"}
"""The same for `evalCriterion`."""

LAYER_TYPES = {
    "Sigmoid": "Sigmoid", "RectifiedLinear": "RectifiedLinear", "Tanh": "Tanh", "None": "", "none": "", "": ""
}  # fmt: skip
"""Operations by what `layerTypes` says; capitals matter."""

KINDS = ("SIMPLENET", "SIMPLERNN", "LSTM", "CLASSLM", "LBLM", "NPLM", "CLASSLSTM", "NCELSTM", "CLSTM")
"""What `rnnType` may be, in the order in which they are looked for; capitals matter."""

_CLASS_BASED = ("CLASSLM", "CLASSLSTM", "CLSTM")


@dataclass(slots=True)
class Settings:
    """The block SimpleNetworkBuilder, read."""

    section: Section
    kind: str
    sizes: list[int]
    layer_types: list[str]
    training: str
    evaluation: str
    uniform: bool
    scale: float
    normalize: bool
    prior: bool
    dropout: bool
    recurrent: list[int]
    hidden_activity: float
    lookup_order: int
    sparse: bool
    moving_order: int
    direct: list[int]
    vocabulary: int
    classes: int
    noises: int
    auxiliary: int
    gate_values: dict[str, float]
    """Initial bias of the input (`i`), forget (`f`) and output (`o`) gate."""
    constant_gates: set[str]
    """Gates that are always open."""

    @property
    def hidden(self) -> int:
        """Number of hidden layers."""
        return len(self.sizes) - 2

    def is_recurrent(self, layer: int, done: int) -> bool:
        """Whether hidden layer `layer`, from 1, is the next recurrent one after `done` of them."""
        return done < len(self.recurrent) and self.recurrent[done] == layer

    def error(self, key: str, message: str, help: str) -> BsError:
        """An error at a key, or at the block where it is not given."""
        value = self.section.get(key)
        return BsError("config-value", message, value.span if value is not None else self.section.span, help=help)


class _Reader:
    """Reads settings; in tolerant evaluation it goes on after a wrong one."""

    def __init__(self, section: Section, environment: Environment) -> None:
        self.section = section
        self.environment = environment
        self.failed = False

    def _safe(self, read: Callable[[], T], default: T) -> T:
        try:
            return read()
        except BsError as error:
            if self.environment.strict:
                raise
            self.failed = True
            self.environment.findings.append(error.finding)
            return default

    def read(self) -> Settings | None:
        section, safe = self.section, self._safe
        values = {
            gate: safe(lambda key=key: section.get_number(key, -1.0), -1.0)
            for gate, key in (("i", "inputGateInitVal"), ("f", "forgetGateInitVal"), ("o", "outputGateInitVal"))
        }
        constant = {
            gate
            for gate, key in (
                ("i", "constInputGateValue"),
                ("f", "constForgetGateValue"),
                ("o", "constOutputGateValue"),
            )
            if safe(lambda key=key: section.get_boolean(key, False), False)
        }
        settings = Settings(
            section,
            kind=safe(self._kind, "SIMPLENET"),
            sizes=safe(self._sizes, [1, 1]),
            layer_types=safe(self._layer_types, ["Sigmoid"]),
            training=safe(lambda: self._criterion("trainingCriterion", CRITERIA), "SquareError"),
            evaluation=safe(lambda: self._criterion("evalCriterion", EVALUATIONS), "SquareError"),
            uniform=self._boolean("uniformInit", True),
            scale=safe(lambda: section.get_number("initValueScale", 1.0), 1.0),
            normalize=self._boolean("applyMeanVarNorm", False),
            prior=self._boolean("needPrior", False),
            dropout=self._boolean("addDropoutNodes", False),
            recurrent=safe(lambda: self._integers("recurrentLayer"), []),
            hidden_activity=safe(lambda: section.get_number("defaultHiddenActivity", 0.1), 0.1),
            lookup_order=self._integer("lookupTableOrder", 0),
            sparse=self._boolean("sparseinput", False),
            moving_order=self._integer("maOrder", 0),
            direct=safe(lambda: self._integers("directConnect"), []),
            vocabulary=self._integer("vocabSize", -1),
            classes=self._integer("nbrClass", -1),
            noises=self._integer("noise_number", -1),
            auxiliary=self._integer("auxfeatdim", 20),
            gate_values=values,
            constant_gates=constant,
        )
        return None if self.failed else settings

    def _boolean(self, key: str, default: bool) -> bool:
        return self._safe(lambda: self.section.get_boolean(key, default), default)

    def _integer(self, key: str, default: int) -> int:
        return self._safe(lambda: self.section.get_integer(key, default), default)

    def _integers(self, key: str) -> list[int]:
        return [value.integer() for value in self.section.get_array(key) or []]

    def _sizes(self) -> list[int]:
        values = self.section.get_array("layerSizes")
        sizes = [value.integer() for value in values] if values is not None else [100]
        for value in values or ():
            if value.integer() < 1:
                raise value.error("a layer has at least one element", "write sizes such as 784:200:10")
        if len(sizes) < 2:
            value = self.section.get("layerSizes")
            message = "a network has at least two layers: input and output"
            raise BsError(
                "config-value", message, value.span if value is not None else self.section.span,
                help="write layerSizes = input:hidden:output",
            )  # fmt: skip
        return sizes

    def _layer_types(self) -> list[str]:
        values = self.section.get_array("layerTypes") or []
        for value in values:
            self._choice(value, LAYER_TYPES, exact=True)
        return [value.text for value in values] or ["Sigmoid"]

    def _criterion(self, key: str, choices: dict[str, str]) -> str:
        value = self.section.require(key)
        self._choice(value, choices, exact=False)
        return choices[value.text.lower()]

    def _kind(self) -> str:
        values = self.section.get_array("rnnType") or []
        found = next((kind for kind in KINDS if kind in [v.text for v in values]), None)
        if values and found is None:
            self._choice(values[0], dict.fromkeys(KINDS, ""), exact=True)
        return found or "SIMPLENET"

    @staticmethod
    def _choice(value: Value, choices: dict[str, str], exact: bool) -> None:
        if (value.text if exact else value.text.lower()) in choices:
            return
        names = [name for name in choices if name]
        meant = similar(value.text if exact else value.text.lower(), names)
        raise value.error(
            "there is no such choice", (f"did you mean {meant}? " if meant else "") + f"possible are {', '.join(names)}"
        )


def simple_network(section: Section, environment: Environment) -> Evaluation:
    """The network that the block SimpleNetworkBuilder describes, validated.

    With a strict environment the first problem is raised as BsError; else all are in `findings`.
    """
    from bsls.evaluate.simple_kinds import KIND_BUILDERS

    result = Evaluation(None, findings=environment.findings, complete=False, built_by="SimpleNetworkBuilder")
    settings = _Reader(section, environment).read()
    if settings is None:
        return result
    network = Network(environment.precision, environment.counters.axis_names)
    builder = Builder(network, environment.counters, section.span, settings.uniform, settings.scale)
    try:
        _check(settings)
        if settings.kind == "SIMPLENET":
            feed_forward(settings, builder)
        else:
            KIND_BUILDERS[settings.kind](settings, builder)
    except BsError as error:
        if environment.strict:
            raise
        environment.findings.append(error.finding)
        return result
    result.network = network
    result.validation = validate(network)
    problems: list[Finding] = result.validation.findings
    if problems and environment.strict:
        raise BsError.of(problems[0])
    environment.findings += problems
    result.complete = not problems
    return result


def _check(settings: Settings) -> None:
    """Settings that do not go together, on which the reference crashes."""
    for operation, kinds in (
        ("ClassBasedCrossEntropyWithSoftmax", _CLASS_BASED),
        ("NCEBasedCrossEntropyWithSoftmax", ("NCELSTM",)),
    ):
        for key, chosen in (("trainingCriterion", settings.training), ("evalCriterion", settings.evaluation)):
            if chosen == operation and settings.kind not in kinds:
                raise settings.error(
                    key, f"{key}: this criterion needs the weights of another kind of network",
                    f"set rnnType = {' or '.join(kinds)}",
                )  # fmt: skip
    if settings.kind in _CLASS_BASED and settings.classes < 1:
        raise settings.error("nbrClass", f"rnnType {settings.kind} needs nbrClass", "give the number of word classes")
    if settings.kind == "NCELSTM" and settings.noises < 1:
        raise settings.error("noise_number", "rnnType NCELSTM needs noise_number", "give the number of noise words")
    if settings.kind in ("CLASSLSTM", "CLSTM") and settings.lookup_order < 1:
        raise settings.error(
            "lookupTableOrder", f"rnnType {settings.kind} needs a lookup table for its sparse input",
            "set lookupTableOrder = 1, and the size of the table's vectors as the second of layerSizes",
        )  # fmt: skip


def feed_forward(settings: Settings, builder: Builder) -> None:
    """Hidden layers one after another, then an affine output layer."""
    sizes, hidden = settings.sizes, settings.hidden
    below = builder.input("features", sizes[0], group="feature")
    if settings.normalize:
        mean = builder.make("Mean", below, name="MeanOfFeatures")
        deviation = builder.make("InvStdDev", below, name="InvStdOfFeatures")
        below = builder.make("PerDimMeanVarNormalization", below, mean, deviation, name="MVNormalizedFeatures")
    for layer in range(hidden):
        name = f"H{layer + 1}"
        total = _affine(settings, builder, layer, below, "features" if layer == 0 else f"H{layer}")
        below = nonlinear(settings, builder, total, layer, name)
        if settings.dropout:
            below = builder.make("Dropout", below, name=f"Drop{name}")
    output = _affine(settings, builder, hidden, below, f"H{hidden - 1}")
    builder.rename(output, "HLast")
    labels = builder.input("labels", sizes[-1])
    add_criteria(settings, builder, output, labels)
    finish_with_prior(settings, builder, output, labels, "Prior")
    builder.make("Softmax", output, name="PosteriorProb")


def _affine(settings: Settings, builder: Builder, layer: int, below: Node, below_name: str) -> Node:
    weights = builder.random(f"W{layer}", settings.sizes[layer + 1], settings.sizes[layer])
    bias = builder.fixed(f"B{layer}", settings.sizes[layer + 1], 1, 0.0)
    product = f"W{layer}*{below_name}"
    return builder.make("Plus", builder.make("Times", weights, below, name=product), bias, name=f"{product}+B{layer}")


def finish_with_prior(settings: Settings, builder: Builder, output: Node, labels: Node, name: str = "") -> None:
    """Marks the output: with needPrior it is divided by how frequent the labels are."""
    if settings.prior:
        prior = builder.make("Log", builder.make("Mean", labels, name=name), name="LogOfPrior")
        output = builder.make("Minus", output, prior, name="ScaledLogLikelihood")
    builder.mark(output, "output")


def nonlinear(settings: Settings, builder: Builder, total: Node, layer: int, name: str = "") -> Node:
    """The activation of hidden layer `layer`, from 0; the last of layerTypes counts for all further ones."""
    types = settings.layer_types
    operation = LAYER_TYPES[types[min(layer, len(types) - 1)]]
    if operation:
        return builder.make(operation, total, name=name)
    if name:
        builder.rename(total, name)
    return total


def add_criteria(
    settings: Settings,
    builder: Builder,
    below: Node,
    labels: Node,
    weights: Node | None = None,
    names: tuple[str, str] = ("", ""),
    last: Node | None = None,
) -> Node:
    """Adds criterion and evaluation node, which is returned; they are one if both are of the same kind.

    `weights` are those of the output layer where the criterion multiplies by them; `last` is the fourth operand of those
    that have four.
    """
    builder.mark(labels, "label")
    scores = below

    def make(operation: str, name: str) -> Node:
        nonlocal scores
        if operation in ("ClassBasedCrossEntropyWithSoftmax", "NCEBasedCrossEntropyWithSoftmax"):
            assert weights is not None and last is not None
            own = "ClassCrossEntropyWithSoftmax" if operation.startswith("Class") else "NoiseContrastiveEstimationNode"
            return builder.make(operation, labels, below, weights, last, name=name or own)
        if weights is not None and scores is below:
            scores = builder.make("Times", weights, below)
        return builder.make(operation, labels, scores, name=name or operation)

    criterion = make(settings.training, names[0])
    builder.mark(criterion, "criterion")
    evaluation = criterion
    if settings.evaluation != settings.training:
        default = "EvalClassificationError" if settings.evaluation == "ClassificationError" else ""
        evaluation = make(settings.evaluation, names[1] or default)
    builder.mark(evaluation, "evaluation")
    return evaluation
