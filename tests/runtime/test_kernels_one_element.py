"""A case of one element for each operation that has a kernel, with several frames, one and none.

What operations do to larger values is tested in the files of their families; here is the list of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from kernel_cases import Operand, check, compiled, gradients, make_node, p, x
from numpy.typing import NDArray
from test_kernels_ctc import BLANK, CLASSES, criterion, graph_of
from test_kernels_elementwise import COMPARISONS, UNARY
from test_kernels_noise import dropout, sampler
from test_kernels_normalization import OPTIONS
from test_kernels_ranking import run as ranked
from test_kernels_vocabulary import contrast

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.kernels import KERNELS
from bstorch.kernels.base import Environment, Forward, axis_of
from bstorch.program.layout import MinibatchLayout
from bstorch.random import Generator


@dataclass(frozen=True)
class Case:
    """As for `check`; `quirk` says the gradients of a sum over the value where they are no derivatives."""

    operands: Sequence[Operand]
    formula: Callable[..., object]
    attributes: Mapping[str, object] | None = None
    gradient: bool | Sequence[int] = True
    quirk: Callable[..., Sequence[object]] | None = None

    def run(self, op: str) -> None:
        gradient = self.gradient if self.quirk is None else False
        check(op, self.operands, self.formula, self.attributes, gradient=gradient)
        if self.quirk is None:
            return
        generator = np.random.default_rng(1)
        wanted = self.quirk(*(o.array(generator) for o in self.operands))
        for found, formula in zip(gradients(op, self.operands, self.attributes), wanted, strict=True):
            if formula is None:
                assert found is None or not found.any()
            else:
                assert found is not None
                np.testing.assert_allclose(found, np.broadcast_to(formula, found.shape), rtol=1e-12)  # type: ignore[arg-type]


def same(a: NDArray) -> NDArray:
    return a


def product(a: NDArray, b: NDArray) -> NDArray:
    return a.reshape(-1, 1) * b.reshape(-1, 1)


def ones(a: NDArray) -> NDArray:
    return np.ones_like(a)


POSITIVE = {"low": 0.2, "high": 0.9}
WINDOW = {"kernelShape": (1,), "strideShape": (1,), "dimPadding": False}
OLD_WINDOW = {"windowWidth": 1, "windowHeight": 1, "horizontalSubsample": 1, "verticalSubsample": 1}
DELAY = {"shape": (1,), "timeStep": 1, "defaultHiddenActivation": 0.25}
PRODUCT = {"outputRank": 1, "inferInputRankToMap": -1}

CASES: dict[str, Case] = {
    **{op: Case([x(1, low=limits[0], high=limits[1])], formula) for op, formula, limits in UNARY},
    "Floor": Case([x(1)], np.floor, gradient=()),
    "StopGradient": Case([x(1)], same, gradient=()),
    "StraightThrough": Case([x(1)], lambda a: np.where(a > 0, 1, -1), quirk=lambda a: [np.abs(a) <= 1]),
    "Tan": Case([x(1, low=-1, high=1)], np.tan, quirk=lambda a: [1 + np.tan(np.tan(a)) ** 2]),
    "Cast": Case([x(1)], same, {"precision": "double"}),
    "Plus": Case([x(1), x(1)], np.add),
    "Minus": Case([x(1), x(1)], np.subtract),
    "ElementTimes": Case([x(1), x(1)], np.multiply),
    "DiagTimes": Case([p(1, 1), x(1)], product),
    "LogPlus": Case([x(1), x(1)], np.logaddexp),
    "Pow": Case([x(1, **POSITIVE), x(1)], np.power),
    **{op: Case([x(1), x(1)], formula, gradient=()) for op, formula in COMPARISONS},
    "If": Case([x(1, values=[[1], [0], [1], [0]]), x(1), x(1)], lambda c, a, b: np.where(c, a, b), gradient=(1, 2)),
    "Clip": Case([p(1, values=-1), p(1, values=1), x(1)], lambda low, high, a: np.clip(a, low, high), gradient=(2,)),
    # labels of 2, which count as 1 in the gradient of the scores
    "CrossEntropyWithSoftmax": Case([x(1, values=2), x(1)], lambda y, z: 0, quirk=lambda y, z: [None, -1]),
    "CrossEntropy": Case([x(1, **POSITIVE), x(1, **POSITIVE)], lambda y, q: -(y * np.log(q)).sum()),
    "SquareError": Case([x(1), x(1)], lambda a, b: ((a - b) ** 2).sum()),
    "DummyCriterion": Case([x(1), x(1), x(1)], lambda o, d, z: o.sum(), quirk=lambda o, d, z: [None, None, d]),
    "Logistic": Case(
        [x(1, values=[[1], [0], [0], [1]]), x(1, **POSITIVE)],
        lambda y, q: -np.log(y * q + (1 - y) * (1 - q)).sum(), gradient=(1,),
    ),
    "ClassificationError": Case([x(1), x(1)], lambda y, z: 0, gradient=()),
    "ErrorPrediction": Case([x(1), x(1)], lambda y, z: 0, gradient=()),
    "EpochAccumulator": Case([x(1)], lambda a: a.sum() / max(len(a), 1), gradient=()),
    "Crop": Case([x(1, 1), x(1, 1)], lambda a, b: a, {"xOffset": 0, "yOffset": 0}, gradient=(0,)),
    "Padding": Case(
        [x(1)], lambda a: np.pad(a, [(0, 0), (1, 0)], constant_values=1.5),
        {"head": (1,), "foot": (0,), "mode": "constant", "value": 1.5},
    ),
    "Convolution": Case([p(1, 1), x(1)], product, WINDOW | {"mapCount": 1}),
    "Pooling": Case([x(1)], same, WINDOW | {"pool": "max"}),
    "MaxUnpooling": Case([x(1), x(1)], lambda a, b: a, WINDOW, gradient=(0,)),
    "MaxPooling": Case([x(1, 1, 1)], same, OLD_WINDOW),
    "AveragePooling": Case([x(1, 1, 1)], same, OLD_WINDOW),
    "ROIPooling": Case(
        [x(1, 1, 1), x(4, 1, values=0)], lambda a, r: a, {"roiOutputShape": (1, 1), "featureScale": 1.0}, gradient=(0,)
    ),
    "PastValue": Case([x(1)], lambda a: np.full_like(a, 0.25), DELAY, gradient=()),
    "FutureValue": Case([x(1), p(1)], lambda a, b: np.broadcast_to(b, a.shape), DELAY, gradient=(1,)),
    "Delay": Case([x(1), p(1)], lambda a, b: np.broadcast_to(b, a.shape), DELAY, gradient=(1,)),
    "OptimizedRNNStack": Case(
        [p(1, 4), x(1)], lambda w, a: np.tanh(a * w[0] + w[2] + w[3]),
        {"recurrentOp": "rnnTanh", "hiddenDims": 1, "numLayers": 1, "bidirectional": False},
    ),
    "EditDistanceError": Case([x(1), x(1)], lambda a, b: 0, gradient=()),
    "Gather": Case([x(1, values=0), p(1, 1)], lambda i, t: np.broadcast_to(t, (len(i), 1, 1)), gradient=(1,)),
    "OneHot": Case([x(1, values=[[0], [1], [0], [-1]])], lambda i: i == 0, {"numClass": 1}, gradient=()),
    "TopK": Case([x(1)], same, {"numItems": 1}),
    "EyeLikeOp": Case([x(1)], lambda a: np.eye(len(a), 1), gradient=()),
    "BatchNormalization": Case(
        [x(1), p(1), p(1), p(1), p(1, **POSITIVE), p(1)],
        lambda a, scale, bias, mean, variance, count: (a - mean) / np.sqrt(variance + 1e-5) * scale + bias,
        OPTIONS, gradient=(0, 1, 2),
    ),
    "PerDimMeanVarNormalization": Case([x(1), p(1), p(1)], lambda a, mean, inverse: (a - mean) * inverse),
    "PerDimMeanVarDeNormalization": Case([x(1), p(1), p(1)], lambda a, mean, inverse: a / inverse + mean),
    "ReduceElements": Case([x(1)], same, {"axis": 0, "reductionOp": "Sum"}),
    "SumElements": Case([x(1)], np.sum),
    "SumColumnElements": Case([x(1)], same),
    "MatrixL1Reg": Case([x(1)], lambda a: np.abs(a).sum()),
    "MatrixL2Reg": Case([x(1)], np.linalg.norm),
    "Reshape": Case([x(1)], same, {"shape": (1, 1), "beginAxis": 0, "endAxis": 0}),
    "LegacyReshape": Case([x(1)], same, {"numRows": 1}),
    "Slice": Case([x(1)], same, {"beginIndex": 0, "endIndex": 1, "axis": 1}),
    "RowStack": Case([x(1), x(1)], lambda a, b: np.concatenate([a, b], 1), {"axis": 1}),
    "RowRepeat": Case([x(1)], lambda a: np.tile(a, (1, 2)), {"numRepeats": 2}),
    "TransposeDimensions": Case([x(1)], same, {"axis1": 1, "axis2": 2}),
    "Transpose": Case([x(1)], same, {"axis1": 1, "axis2": 2}),
    "Diagonal": Case([p(1, 1)], same),
    "CosDistance": Case([x(1), x(1)], lambda a, b: np.sign(a * b)),
    "Softmax": Case([x(1)], ones),
    "LogSoftmax": Case([x(1)], np.zeros_like),
    "Hardmax": Case([x(1)], ones, gradient=()),
    "Trace": Case([x(1)], same),
    "ConstantOp": Case([x(1)], lambda a: np.full_like(a, 3), {"fillValue": 3}, gradient=()),
    "Assign": Case([p(1), p(1)], lambda a, b: b, gradient=(1,)),
    "Times": Case([p(1, 1), x(1)], product, PRODUCT),
    "TransposeTimes": Case([p(1, 1), x(1)], product, PRODUCT),
    "KhatriRaoProduct": Case([x(1), x(1)], product),
    "LookupTable": Case([p(1, 1), x(1)], product),
    "QuantizedTimes": Case(
        [p(1, 1), x(1, values=[[1], [-1], [1], [0]])], product, {"bitShiftA": 0, "bitShiftB": 0}, gradient=()
    ),
    # one word of one class is certain
    "ClassBasedCrossEntropyWithSoftmax": Case(
        [x(4, values=[[0, 0, 0, 1]]), x(1), p(1, 1), x(1)], lambda labels, h, w, c: 0, gradient=(1, 2, 3)
    ),
    # its own file compares the gradient, which does not depend on that of the criterion, with differences
    "NCEBasedCrossEntropyWithSoftmax": Case(
        [x(4, values=[[0, -1.5, 0, 2]]), x(1), p(1, 1), p(1, 1)], contrast, gradient=False
    ),
}  # fmt: skip


@pytest.mark.parametrize("op", CASES)
def test_case(op: str) -> None:
    CASES[op].run(op)


# --- networks of several nodes ---------------------------------------------------------------------------------------


def network_of(*nodes: Node) -> Environment:
    network = Network("double")
    for node in nodes:
        network.add(node)
    assert not validate(network).findings
    return Environment()


def source(name: str, *dims: int) -> Node:
    return Node("InputValue", name, attributes={"dims": dims, "dynamicAxis": ""}, precision="double")


def op(kind: str, *inputs: Node, **attributes: object) -> Node:
    return Node(kind, kind, list(inputs), attributes, precision="double")


def build(node: Node, environment: Environment) -> Forward:
    return KERNELS[node.op].build(node, environment)


def column(frames: int, value: float = 1.0) -> torch.Tensor:
    """`frames` frames of one element that have a gradient."""
    return torch.full((frames, 1), value, dtype=torch.float64, requires_grad=True)


def check_moves(forward: Forward, frames: int, wanted: list[float]) -> None:
    """Elements are only moved: from frames of 7, and each gradient back to where it came from."""
    given = column(frames, 7)
    found = forward(given)
    assert found.flatten().tolist() == wanted
    assert (
        torch.autograd.gradcheck(forward, [given]) if frames else not torch.autograd.grad(found.sum(), given)[0].any()
    )


def picked_frames(frames: int) -> None:
    """Where, PackedIndex, GatherPacked and ScatterPacked: of one frame this one, of none none."""
    value, condition = source("x", 1), source("c", 1)
    where = op("Where", condition)
    index = op("PackedIndex", value, where)
    picked = op("GatherPacked", index, value)
    back = op("PackedIndex", condition, where)
    back.name = "back"
    spread = op("ScatterPacked", condition, back, picked)
    environment = network_of(value, condition, where, index, picked, back, spread)
    environment.layouts[axis_of(value)] = MinibatchLayout.packed([1] * frames)
    marks = column(frames)
    times = build(where, environment)(marks)
    columns, places = build(index, environment)(marks, times), build(back, environment)(marks, times)
    for found in (times, columns):
        assert found.tolist() == [[0.0]] * frames
        assert not found.requires_grad
    check_moves(lambda v: build(picked, environment)(columns, v), frames, [7.0] * frames)
    check_moves(lambda v: build(spread, environment)(marks, places, v), frames, [7.0] * frames)


def reconciled(frames: int) -> None:
    value, other = source("x", 1), source("y", 1)
    axis = Node("DynamicAxis", "axis", precision="double")
    other.attributes["dynamicAxis"] = "axis"
    node = op("ReconcileDynamicAxis", value, other)
    environment = network_of(axis, value, other, node)
    for each in (value, other):
        environment.layouts[axis_of(each)] = MinibatchLayout.packed([1] * frames)
    check_moves(lambda v: build(node, environment)(v, column(frames)), frames, [7.0] * frames)


def unrolled_and_back(frames: int) -> None:
    """UnpackSequence, ToSequence and ToSequenceLike over sequences of one frame."""
    value, lengths, cells = source("x", 1), source("n", 1), source("cells", 1, 1)
    full, like = op("UnpackSequence", value, paddingValue=-1.0), op("ToSequence", cells, lengths, dynamicAxisName="new")
    again = op("ToSequenceLike", cells, value)
    environment = network_of(value, lengths, cells, full, like, again)
    environment.layouts[axis_of(value)] = MinibatchLayout.packed([1] * frames)
    check_moves(build(full, environment), frames, [7.0] * frames)
    check_moves(lambda v: build(like, environment)(v[:, None], column(frames)), frames, [7.0] * frames)
    check_moves(lambda v: build(again, environment)(v[:, None], column(frames)), frames, [7.0] * frames)
    empty = build(like, environment)(column(frames)[:, None], column(frames, 0))
    assert empty.shape == (0, 1)


def batch_axis(frames: int) -> None:
    constant, value = Node("LearnableParameter", "c", attributes={"dims": (1, 1)}, precision="double"), source("x", 1)
    to, back = op("ToBatchAxisNode", constant), op("UnpackBatchAxis", value)
    environment = network_of(constant, value, to, back)
    environment.layouts[axis_of(value)] = MinibatchLayout.packed([1] * frames)
    check_moves(build(back, environment), frames, [7.0] * frames)
    check_moves(build(to, environment), 1, [7.0])
    assert environment.layouts[axis_of(to)].frames == 1


def indices_of_the_largest(frames: int) -> None:
    value = source("x", 1)
    largest = op("TopK", value, numItems=1)
    indices = op("OutputMultiplexer", largest)
    environment = network_of(value, largest, indices)
    found = build(indices, environment)(build(largest, environment)(column(frames)))
    assert found.tolist() == [[0.0]] * frames
    assert not found.requires_grad


def negative_samples(frames: int) -> None:
    """With a single column the negative sample is the positive one."""
    constants = [
        Node("LearnableParameter", n, attributes={"dims": (1,), "learningRateMultiplier": 0.0}, precision="double",
             value=ArrayWeights(np.ones(1)))
        for n in ("shift", "count")
    ]  # fmt: skip
    a, b = source("a", 1), source("b", 1)
    node = op("CosDistanceWithNegativeSamples", a, b, *constants)
    environment = network_of(a, b, *constants, node)
    environment.layouts[axis_of(a)] = MinibatchLayout.of_frames(frames)
    left, right = column(frames, 2), column(frames, -3)
    found = build(node, environment)(left, right, torch.ones(1), torch.ones(1))
    assert found.tolist() == [[-1.0, -1.0]] * frames
    assert not any(g.any() for g in torch.autograd.grad(found.sum(), [left, right]))  # no angle to turn


def environment_input(frames: int) -> None:
    node = op("EnvironmentInput", propertyName="isTraining")
    environment = network_of(node)
    for training in (False, True):
        environment.training = training
        assert build(node, environment)().tolist() == [float(training)]


def dropped_out(frames: int) -> None:
    ones = torch.ones(frames, 3, requires_grad=True)
    found = dropout(MinibatchLayout.of_frames(frames))(ones)
    mask = np.where(Generator(1).uniform(3 * frames) <= 0.5, 0, 2).reshape(frames, 3)
    np.testing.assert_array_equal(found.detach(), mask)
    (gradient,) = torch.autograd.grad(found.sum(), ones)
    np.testing.assert_array_equal(gradient, mask)


def random_numbers(frames: int) -> None:
    node = make_node("RandomDistribution", [x(1)], {"distribution": "uniform", "arguments": [0, 1]})
    forward = compiled(node, layout=MinibatchLayout.of_frames(frames))
    forward.seed(1)  # type: ignore[attr-defined]
    found = forward(column(frames))
    np.testing.assert_array_equal(found, Generator(1).uniform(frames).reshape(frames, 1))
    assert not found.requires_grad


def sampled_classes(frames: int) -> None:
    """There is one class only that can be drawn, and samples have no frames."""
    weights = torch.tensor([[0.0, 0, 3, 0, 0]], dtype=torch.float64, requires_grad=True)
    found = sampler("RandomSample", 1, True)(weights)
    assert found.tolist() == [[0, 0, 1, 0, 0]]
    assert not found.requires_grad
    frequencies = sampler("RandomSampleInclusionFrequency", 1, True)(weights)
    assert frequencies.tolist() == [[0, 0, 1, 0, 0]]
    assert not frequencies.requires_grad


def queries(frames: int) -> None:
    if not frames:
        for kind in ("LambdaRank", "NDCG1Eval"):
            with pytest.raises(BsError, match="has none"):
                ranked(kind, [], [], [])
        return
    value, gradient = ranked("LambdaRank", [2], [0.5], [0])
    assert value == pytest.approx(0)
    assert gradient is not None and not gradient.any()
    assert ranked("NDCG1Eval", [2], [0.5], [0]) == (pytest.approx(100), None)


def alignments(frames: int) -> None:
    """One frame has one alignment with its label: the criterion is the softmax of that."""
    layout = MinibatchLayout.packed([1] * frames)
    z = torch.arange(float(frames * CLASSES), dtype=torch.float64).view(frames, CLASSES).requires_grad_(True)
    graph = torch.tensor(np.concatenate([graph_of(1, {0: 1}) for _ in range(frames)] or [np.zeros((0, CLASSES))]))
    value = criterion(layout, blankTokenId=BLANK)(graph, z)
    (found,) = torch.autograd.grad(value, z)
    softmax = np.exp(np.arange(CLASSES)) / np.exp(np.arange(CLASSES)).sum()
    assert value.item() == pytest.approx(-frames * np.log(softmax[1]))
    np.testing.assert_allclose(found, [softmax - np.eye(CLASSES)[1]] * frames or np.zeros((0, CLASSES)), atol=1e-12)


NETWORKS: dict[str, Callable[[int], None]] = {
    **dict.fromkeys(("Where", "PackedIndex", "GatherPacked", "ScatterPacked"), picked_frames),
    "ReconcileDynamicAxis": reconciled,
    **dict.fromkeys(("UnpackSequence", "ToSequence", "ToSequenceLike"), unrolled_and_back),
    **dict.fromkeys(("ToBatchAxisNode", "UnpackBatchAxis"), batch_axis),
    "OutputMultiplexer": indices_of_the_largest,
    "CosDistanceWithNegativeSamples": negative_samples,
    "EnvironmentInput": environment_input,
    "Dropout": dropped_out,
    "RandomDistribution": random_numbers,
    **dict.fromkeys(("RandomSample", "RandomSampleInclusionFrequency"), sampled_classes),
    **dict.fromkeys(("LambdaRank", "NDCG1Eval"), queries),
    "ForwardBackward": alignments,
}


@pytest.mark.parametrize("case", dict.fromkeys(NETWORKS.values()), ids=lambda case: case.__name__)
@pytest.mark.parametrize("frames", [1, 0])
def test_network(case: Callable[[int], None], frames: int) -> None:
    case(frames)


def test_each_operation_has_a_case() -> None:
    assert CASES.keys() | NETWORKS.keys() == KERNELS.keys()
    assert not CASES.keys() & NETWORKS.keys()


@pytest.mark.parametrize("op", NETWORKS)
def test_networks_run_what_they_stand_for(op: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each operation of the list above is built by the function that it names."""
    built: set[str] = set()
    for name, found in list(KERNELS.items()):

        def noted(node: Node, environment: Environment, found: object = found, name: str = name) -> Forward:
            built.add(name)
            return found.build(node, environment)  # type: ignore[attr-defined]

        monkeypatch.setitem(KERNELS, name, type(found)(name, noted, found.sparse, found.overwrites))
    NETWORKS[op](1)
    assert op in built
