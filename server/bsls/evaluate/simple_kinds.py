"""The recurrent kinds of networks of SimpleNetworkBuilder: recurrent layers, LSTMs, language models."""

from __future__ import annotations

import math
from collections.abc import Callable

from bsls.evaluate.simple import Settings, add_criteria, finish_with_prior, nonlinear
from bsls.evaluate.simple_nodes import Builder
from bsls.network.node import Node

CLASS_NAMES = ("TrainNodeClassBasedCrossEntropy", "EvalNodeClassBasedCrossEntrpy")
NCE_NAMES = ("TrainNodeNCEBasedCrossEntropy", "EvalNodeNCEBasedCrossEntrpy")
_WINDOW = 4  # frames that a neural probabilistic language model looks back


def _features(settings: Settings, builder: Builder, sparse: bool = True) -> Node:
    """The input, normalized if that is wanted."""
    below = builder.input("features", settings.sizes[0], sparse, "feature")
    if settings.normalize:
        mean, deviation = builder.make("Mean", below), builder.make("InvStdDev", below)
        below = builder.make("PerDimMeanVarNormalization", below, mean, deviation)
    return below


def _lookup(settings: Settings, builder: Builder, below: Node, name: str = "LookupTable") -> Node:
    """A table of vectors for each of the `lookupTableOrder` words that the input holds one after another."""
    if settings.lookup_order < 1:
        return below
    if settings.sizes[0] % settings.lookup_order:
        raise settings.error(
            "lookupTableOrder", f"the input of {settings.sizes[0]} elements is not {settings.lookup_order} words",
            "the first of layerSizes is lookupTableOrder times the number of words",
        )  # fmt: skip
    table = builder.random("E0", settings.sizes[1], settings.sizes[0] // settings.lookup_order)
    return _dropout(settings, builder, builder.make("LookupTable", table, below, name=name))


def _dropout(settings: Settings, builder: Builder, node: Node) -> Node:
    return builder.make("Dropout", node) if settings.dropout else node


def _output_weights(settings: Settings, builder: Builder, transposed: bool = False) -> Node:
    last, output = settings.sizes[settings.hidden], settings.sizes[-1]
    rows, columns = (last, output) if transposed else (output, last)
    return builder.random(f"W{settings.hidden}", rows, columns)


def _needs_recurrence(settings: Settings, layer: int) -> Exception:
    return settings.error(
        "recurrentLayer", f"rnnType {settings.kind}: hidden layer {layer} must be a recurrent one; CNTK 2.7 crashes otherwise",
        f"add {layer} to recurrentLayer",
    )  # fmt: skip


# --- networks with recurrent layers ----------------------------------------------------------------------------------


def _recurrent_layers(settings: Settings, builder: Builder, below: Node) -> Node:
    """Hidden layers u * x + w * past value, which have no bias."""
    sizes, done = settings.sizes, 0
    for layer in range(settings.hidden):
        weights = builder.random(f"U{layer}", sizes[layer + 1], sizes[layer])
        if settings.is_recurrent(layer + 1, done):
            own = builder.random(f"W{layer}", sizes[layer + 1], sizes[layer + 1])
            past = builder.past(sizes[layer + 1], settings.hidden_activity)
            total = builder.make("Plus", ("Times", weights, below), ("Times", own, past))
            output = nonlinear(settings, builder, total, 0)
            past.inputs = [output]
            done += 1
        elif layer == 0 and settings.kind == "CLASSLM":
            bias = builder.random("B0", sizes[1], 1)
            output = nonlinear(settings, builder, builder.make("Plus", ("Times", weights, below), bias), 0)
        else:
            raise _needs_recurrence(settings, layer + 1)
        below = _dropout(settings, builder, output)
    return below


def recurrent(settings: Settings, builder: Builder) -> None:
    below = _recurrent_layers(settings, builder, _features(settings, builder))
    weights = _output_weights(settings, builder)
    labels = builder.input("labels", settings.sizes[-1])
    add_criteria(settings, builder, below, labels, weights, ("criterion", "eval"))
    builder.mark(builder.make("Times", weights, below, name="outputs"), "output")
    if settings.prior:
        builder.make("Mean", labels)


def class_based(settings: Settings, builder: Builder) -> None:
    """A recurrent network with words in classes."""
    if settings.vocabulary != settings.sizes[-1]:
        raise settings.error(
            "vocabSize", f"vocabSize is {settings.vocabulary}, but the output layer has {settings.sizes[-1]} elements",
            "set vocabSize to the last of layerSizes",
        )  # fmt: skip
    below = _recurrent_layers(settings, builder, _features(settings, builder))
    evaluation, _, labels = _class_criteria(settings, builder, below)
    builder.mark(evaluation, "output")
    if settings.prior:
        builder.make("Mean", labels)


def _class_criteria(settings: Settings, builder: Builder, below: Node) -> tuple[Node, Node, Node]:
    """The evaluation node, the weights of the output layer, and the labels, which hold word and class."""
    weights = _output_weights(settings, builder, transposed=True)
    labels = builder.input("labels", 4)
    class_weights = builder.random("WeightForClassPostProb", settings.classes, settings.sizes[settings.hidden])
    classes = builder.make("Times", class_weights, below, name="ClassPostProb")
    return add_criteria(settings, builder, below, labels, weights, CLASS_NAMES, classes), weights, labels


# --- language models on a window of words ----------------------------------------------------------------------------


def log_bilinear(settings: Settings, builder: Builder) -> None:
    sizes, done = settings.sizes, 0
    below = _lookup(settings, builder, _features(settings, builder, sparse=False), "Lookuptatble")
    output = below
    for step in range(1, settings.moving_order + 1):
        past = builder.past(sizes[0], settings.hidden_activity, step, below, f"pastValue{step}")
        weights = builder.random(f"DD{step}", sizes[0], sizes[0])
        output = builder.make("Plus", output, ("Times", weights, past))
    below = _dropout(settings, builder, output)
    order = max(settings.lookup_order, 1)
    for layer in range(1 if settings.lookup_order > 0 else 0, settings.hidden):
        weights = builder.random(f"U{layer}", sizes[layer + 1], sizes[layer] * order)
        below = builder.make("Times", weights, below)
        if settings.is_recurrent(layer + 1, done):
            own = builder.random(f"R{layer + 1}", sizes[layer + 1], sizes[layer + 1])
            past = builder.past(sizes[layer + 1], settings.hidden_activity)
            below = builder.make("Plus", ("Times", own, past), below)
            past.inputs = [below]
            done += 1
        bias = builder.fixed(f"bi{layer}", sizes[layer + 1], 1, 0.0)
        below = _dropout(settings, builder, builder.make("Plus", below, bias))
    weights = _output_weights(settings, builder)
    labels = builder.input("labels", sizes[-1])
    add_criteria(settings, builder, below, labels, weights)
    builder.mark(builder.make("Times", weights, below, name="outputs"), "output")
    if settings.prior:
        builder.make("Mean", labels)


def neural_probabilistic(settings: Settings, builder: Builder) -> None:
    sizes = settings.sizes
    below = _features(settings, builder)
    for layer in range(settings.hidden):  # all of them recurrent
        if layer == 0:
            bias = builder.fixed("bi0", sizes[1], 1, 0.0)
            past = [builder.past(sizes[0], settings.hidden_activity, k, below) for k in range(1, _WINDOW + 1)]
            if not settings.is_recurrent(1, 0):
                raise _needs_recurrence(settings, 1)
            names = ("WXI2", "WXI3", "WXI4", "WXI1", "WXI")
            of = {name: builder.random(name, sizes[1], sizes[0]) for name in names}
            total: tuple[object, ...] = ("Times", of["WXI"], below)
            for k in range(1, _WINDOW + 1):
                total = ("Plus", ("Times", of[f"WXI{k}"], past[k - 1]), total)
            output = builder.make("Plus", ("Tanh", total), bias)
        else:
            weights = builder.random(f"U{layer}", sizes[layer + 1], sizes[layer])
            if not settings.is_recurrent(layer + 1, layer):
                raise _needs_recurrence(settings, layer + 1)
            own = builder.random(f"W{layer}", sizes[layer + 1], sizes[layer + 1])
            delayed = builder.past(sizes[layer + 1], settings.hidden_activity)
            joined = builder.make("Plus", ("Times", weights, below), ("Times", own, delayed))
            output = nonlinear(settings, builder, joined, layer)
            delayed.inputs = [output]
        below = _dropout(settings, builder, output)
    weights = _output_weights(settings, builder)
    labels = builder.input("labels", sizes[-1], sparse=True)
    add_criteria(settings, builder, below, labels, weights)
    builder.mark(builder.make("Times", weights, below), "output")
    if settings.prior:
        builder.make("Mean", labels)


# --- LSTMs -----------------------------------------------------------------------------------------------------------


def _lstm(settings: Settings, builder: Builder, layer: int, inputs: int, outputs: int, below: Node) -> Node:
    """One LSTM layer with peepholes."""
    x = {g: builder.random(f"WX{g}{layer}", outputs, inputs) for g in "OIFC"}
    bias = {
        g: builder.fixed(f"b{g}{layer}", outputs, 1, settings.gate_values.get(g, 0.0)) for g in ("o", "c", "i", "f")
    }
    h: dict[str, Node] = {}
    peephole: dict[str, Node] = {}
    for letter in "IFO":
        h[letter] = builder.random(f"WH{letter}{layer}", outputs, outputs)
        peephole[letter] = builder.random(f"WC{letter}{layer}", outputs, 1)
    h["C"] = builder.random(f"WHC{layer}", outputs, outputs)
    past = {
        name: builder.past(outputs, settings.hidden_activity) for name in ("HI", "HF", "HO", "HC", "CI", "CF", "CC")
    }

    def gate(letter: str, cell: Node) -> Node | None:
        if letter.lower() in settings.constant_gates:
            return None
        total = builder.make(
            "Plus",
            (
                "Plus",
                ("Plus", ("Times", x[letter], below), bias[letter.lower()]),
                ("Times", h[letter], past[f"H{letter}"]),
            ),
            ("DiagTimes", peephole[letter], cell),
        )
        return nonlinear(settings, builder, total, 0)

    input_gate = gate("I", past["CI"])
    candidate = ("Tanh", ("Plus", ("Times", x["C"], below), ("Plus", ("Times", h["C"], past["HC"]), bias["c"])))
    new = builder.make(*candidate) if input_gate is None else builder.make("ElementTimes", input_gate, candidate)
    forget_gate = gate("F", past["CF"])
    kept = past["CC"] if forget_gate is None else builder.make("ElementTimes", forget_gate, past["CC"])
    cell = builder.make("Plus", kept, new)
    output_gate = gate("O", cell)
    output = (
        builder.make("Tanh", cell) if output_gate is None else builder.make("ElementTimes", output_gate, ("Tanh", cell))
    )
    for name, delay in past.items():
        delay.inputs = [output if name.startswith("H") else cell]
    return _dropout(settings, builder, output)


def _first_lstm(settings: Settings, builder: Builder, below: Node) -> Node:
    first = 1 if settings.lookup_order > 0 else 0
    inputs = settings.sizes[first] * max(settings.lookup_order, 1)
    return _lstm(settings, builder, 0, inputs, settings.sizes[first + 1], below)


def _lstm_layers(settings: Settings, builder: Builder, below: Node) -> dict[int, Node]:
    """LSTM layers, and layers without recurrence between them; the outputs by number of the layer."""
    sizes, done = settings.sizes, 0
    first = 1 if settings.lookup_order > 0 else 0
    outputs = {1: below} if first else {}
    if settings.hidden == 0:
        return outputs | {first: below}
    outputs[first + 1] = below = _first_lstm(settings, builder, below)
    for layer in range(1 + first, settings.hidden):
        if settings.is_recurrent(layer, done):
            output = _lstm(settings, builder, layer, sizes[layer], sizes[layer + 1], below)
            done += 1
        else:
            weights = builder.random(f"U{layer}", sizes[layer + 1], sizes[layer])
            bias = builder.fixed(f"B{layer}", sizes[layer + 1], 1, 0.0)
            output = nonlinear(settings, builder, builder.make("Plus", ("Times", weights, below), bias), layer)
        outputs[layer + 1] = below = _dropout(settings, builder, output)
    return outputs


def lstm(settings: Settings, builder: Builder) -> None:
    below = _lookup(settings, builder, _features(settings, builder, settings.sparse))
    outputs = _lstm_layers(settings, builder, below)
    below = outputs[max(outputs)]
    weights = _output_weights(settings, builder)
    labels = builder.input("labels", settings.sizes[-1])
    add_criteria(settings, builder, below, labels, weights)
    output = builder.make("Times", weights, below, name="outputs")
    finish_with_prior(settings, builder, output, labels)
    builder.make("Softmax", output, name="PosteriorProb")


def _class_lstm_layers(settings: Settings, builder: Builder) -> Node:
    below = _lookup(settings, builder, _features(settings, builder))
    if settings.hidden == 0:
        return below
    below = _first_lstm(settings, builder, below)
    for layer in range(2, settings.hidden):
        output = _lstm(settings, builder, layer, settings.sizes[layer], settings.sizes[layer + 1], below)
        below = _dropout(settings, builder, output)
    return below


def class_lstm(settings: Settings, builder: Builder) -> None:
    _class_outputs(settings, builder, _class_lstm_layers(settings, builder))


def conditional_lstm(settings: Settings, builder: Builder) -> None:
    """A class-based LSTM with a second input, which counts as a bias for all frames."""
    below = _class_lstm_layers(settings, builder)
    condition = builder.input("binaryFeature", settings.auxiliary, group="feature")
    weights = builder.random("AuxTrans0", settings.sizes[settings.hidden], settings.auxiliary)
    total = builder.make("Times", weights, condition)
    bias = nonlinear(settings, builder, total, settings.hidden, "TimesToGetGlobalBias")
    _class_outputs(settings, builder, builder.make("Plus", below, bias, name="PlusGlobalBias"))


def _class_outputs(settings: Settings, builder: Builder, below: Node) -> None:
    _, weights, _ = _class_criteria(settings, builder, below)
    output = builder.make("TransposeTimes", weights, below, name="outputs")
    builder.mark(output, "output")
    builder.make("Softmax", output, name="PosteriorProb")


def nce_lstm(settings: Settings, builder: Builder) -> None:
    """An LSTM trained by noise-contrastive estimation, with layers connected to the last one directly."""
    sizes = settings.sizes
    outputs = _lstm_layers(settings, builder, _lookup(settings, builder, _features(settings, builder)))
    below = outputs[max(outputs)]
    first = 1 if settings.lookup_order > 0 else 0
    for layer in range(first, len(sizes)):
        inputs = sizes[layer] if layer > 1 or not first else sizes[layer] * settings.lookup_order
        for number, wanted in enumerate(settings.direct):
            if wanted == layer:
                below = _direct(settings, builder, number, inputs, outputs.get(layer), below)
    weights = _output_weights(settings, builder, transposed=True)
    labels = builder.input("labels", 2 * (settings.noises + 1))
    bias = builder.fixed("BiasVector", 1, sizes[-1], -math.log(sizes[-1]))
    builder.mark(add_criteria(settings, builder, below, labels, weights, NCE_NAMES, bias), "output")
    if settings.prior:
        builder.make("Mean", labels)


def _direct(settings: Settings, builder: Builder, number: int, inputs: int, source: Node | None, target: Node) -> Node:
    if source is None:
        raise settings.error(
            "directConnect", f"directConnect: there is no output of layer {settings.direct[number]}; CNTK 2.7 crashes on it",
            f"layers 1 to {settings.hidden} have one",
        )  # fmt: skip
    weights = builder.random(f"D{number}", settings.sizes[settings.hidden], inputs)
    output = nonlinear(settings, builder, builder.make("Times", weights, source), number)
    scale = builder.fixed(f"SV{number}", 1, 1, 0.01)
    return builder.make("Plus", target, builder.make("ElementTimes", scale, output, name=f"S{number}"))


KIND_BUILDERS: dict[str, Callable[[Settings, Builder], None]] = {
    "SIMPLERNN": recurrent,
    "CLASSLM": class_based,
    "LBLM": log_bilinear,
    "NPLM": neural_probabilistic,
    "LSTM": lstm,
    "CLASSLSTM": class_lstm,
    "CLSTM": conditional_lstm,
    "NCELSTM": nce_lstm,
}
