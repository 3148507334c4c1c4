"""Functions of the CNTK v2 library as operations of `schema.ops`: their numbers, names, inputs and attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bsls.modelfile.dictionary import ALL, ALL_STATIC, DYNAMIC, ELEMENT_TYPES, FREE, INFERRED, Axis
from bsls.schema.ops.cropping import PADDING_MODES
from bsls.schema.ops.rules import NO_SEQUENCE
from bsls.shape import Dims

Attributes = Mapping[str, Any]
"""Those of a function, by their names in the file."""

Convert = Callable[[Attributes, Sequence[Dims]], dict[str, Any]]
"""From attributes and the shapes of those inputs that are variables (else ()) to the attributes of a node."""


class NotConvertible(Exception):
    """A function that has no counterpart here; the message says what it is that is missing."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its number: the operation that it is, and which of its inputs are those of the operation."""

    operation: str
    convert: Convert = lambda attributes, shapes: {}
    inputs: tuple[int, ...] | None = None  # in the order of the operation; None: as they stand


COMBINE, BLOCK, NO_OP = 44, 57, 62
"""Functions that compute nothing: their outputs are inputs, those of an inner function, or the input."""


def static_axis(axis: Axis) -> int:
    """The axis counted from 1, as operations have it."""
    if axis.number < 0 or axis.number in (DYNAMIC, ALL_STATIC, ALL):
        raise NotConvertible(f"the axis {axis.name or axis.number}")
    return axis.number + 1


def _reduction_axis(axis: Axis) -> int:
    """As ReduceElements has it: 0 for all of a sample, -1 for all, -2 for the sequence, -3 for the batch."""
    if axis.number == ALL_STATIC:
        return 0
    if axis.number == ALL:
        return -1
    if axis.number == DYNAMIC:
        return -2 if axis.ordered else -3
    return static_axis(axis)


def _axes(attributes: Attributes, key: str = "axis") -> list[Axis]:
    return list(attributes[f"{key}Vec"] if f"{key}Vec" in attributes else [attributes[key]])


def _single(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def _dims(shape: Dims) -> Dims:
    return tuple(0 if d in (INFERRED, FREE) else d for d in shape)


class Renaming:
    """Attributes of a node, `ours`, that are those of a function under other names: `ours = theirs`.

    Those that are missing are left out.
    """

    def __init__(self, **names: str) -> None:
        self.names = names

    def __call__(self, attributes: Attributes, shapes: Sequence[Dims] = ()) -> dict[str, Any]:
        found = {ours: attributes[theirs] for ours, theirs in self.names.items() if theirs in attributes}
        return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}


WINDOW = Renaming(
    strideShape="strides", dimPadding="autoPadding", dimPadLower="lowerPad", dimPadUpper="upperPad",
    dimSharing="sharing", dimDilation="dilation", transpose="transpose", ceilOut="ceilOutDim",
    poolIncludePad="includePad", maxTempMemSizeInSamples="maxTempMemSizeInSamples",
)  # fmt: skip
BATCH_NORMALIZATION = Renaming(
    spatial="spatial", normalizationTimeConstant="normalizationTimeConstant", blendTimeConstant="blendTimeConstant",
    epsilon="epsilon", disableRegularization="disableRegularization",
)  # fmt: skip
ROI_POOLING = Renaming(roiOutputShape="roiOutputShape", featureScale="spatialScale")
ONE_HOT = Renaming(numClass="numClass", isSparse="oneHotOutputSparse")
PADDING = Renaming(head="paddingHead", foot="paddingFoot", value="paddingConstantValue")
RANDOM = Renaming(rngSeed="rngSeed", rngOffset="rngOffset")
DISTRIBUTION = Renaming(
    distribution="randomDistributionType", arguments="randomDistributionArgs", shape="newShape", **RANDOM.names
)


def _transpose(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    if "axisVec" in attributes:
        return {"axis1": 0, "axis2": 0, "permutation": tuple(static_axis(a) - 1 for a in attributes["axisVec"])}
    return {name: static_axis(attributes[name]) for name in ("axis1", "axis2")}


def _slice(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    axes = [-1 if axis.number == DYNAMIC else static_axis(axis) for axis in _axes(attributes)]

    def of(key: str, default: int | None = None) -> Any:
        values = attributes.get(f"{key}Vec", attributes.get(key))
        if values is None and default is not None:
            return _single([default] * len(axes))
        return tuple(values) if isinstance(values, list) else values

    return {
        "axis": _single(axes), "beginIndex": of("beginIndex"), "endIndex": of("endIndex"), "stride": of("sliceStrides", 1)
    }  # fmt: skip


def _reshape(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    begin, end = attributes.get("beginAxis"), attributes.get("endAxis")
    return {
        "shape": _dims(attributes["newShape"]),
        "beginAxis": 1 if begin is None else static_axis(begin),
        "endAxis": 0 if end is None else static_axis(end),
    }


def _squeeze(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    if "axis" not in attributes:
        raise NotConvertible("a Squeeze of all or of several axes")
    axis = static_axis(attributes["axis"])
    return {"shape": (), "beginAxis": axis, "endAxis": axis + 1}


def _reduce(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {
        "axis": _single([_reduction_axis(axis) for axis in _axes(attributes)]),
        "reductionOp": attributes["reductionOpName"],
        "keepDimensions": attributes.get("reductionKeepDimensions", True),
    }


def _pooling(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    window = attributes.get("poolingWindowShape", attributes.get("unpoolingWindowShape"))
    return {**WINDOW(attributes), "kernelShape": window, "pool": _pool(attributes)}


def _pool(attributes: Attributes) -> str:
    return "average" if attributes["poolingType"] == 1 else "max"


def _convolution(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    """The window is as large as the weights say, along as many axes as the operand has, which not all files tell."""
    if attributes.get("groups", 1) != 1:
        raise NotConvertible(f"a convolution in {attributes['groups']} groups")
    weights = _dims(shapes[0])
    strides = len(attributes["strides"])
    rank = strides if 1 < strides <= len(weights) else len(weights) - 1
    rank = min(len(attributes.get("kernelShape", ())), len(weights)) or rank
    maps = weights[rank:]
    output = _dims(attributes.get("outputShape", (0,)))
    return {
        **WINDOW(attributes),
        "kernelShape": weights[:rank],
        "mapCount": (1,) * (rank - len(maps)) + maps,
        "dimOutputShape": output or (0,),
    }


def _batch_normalization(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {**BATCH_NORMALIZATION(attributes), "useCntkEngine": not attributes.get("useCuDNNEngine", False)}


def _delay(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {"timeStep": attributes["offset"], "shape": (0,), "defaultHiddenActivation": 0.0}


def _roi_pooling(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {**ROI_POOLING(attributes), "pool": _pool(attributes)}


def _where(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    axis = attributes["newDynamicAxes"][0]
    return {"dynamicAxisName": axis.name if axis.ordered else NO_SEQUENCE}


def _one_hot(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {**ONE_HOT(attributes), "axis": attributes["onehotAxis"].number}


def _crop(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    offsets = attributes.get("offset")
    return {} if offsets is None else {"xOffset": float(offsets[0]), "yOffset": float(offsets[1])}


def _padding(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {**PADDING(attributes), "mode": PADDING_MODES[attributes["paddingMode"]]}


def _distribution(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {"arguments": (), "shape": (), **DISTRIBUTION(attributes)}


def _cast(attributes: Attributes, shapes: Sequence[Dims]) -> dict[str, Any]:
    return {"precision": ELEMENT_TYPES[attributes["newDataType"]].precision}


_SAMPLE = Renaming(sizeOfSampledSet="numSamples", allowDuplicates="allowDuplicates", **RANDOM.names)

FUNCTIONS: dict[int, Function] = {
    0: Function("Negate"),
    1: Function("Sigmoid"),
    2: Function("Tanh"),
    3: Function("RectifiedLinear"),
    4: Function("Exp"),
    5: Function("Log"),
    6: Function("Sqrt"),
    7: Function("Floor"),
    8: Function("Abs"),
    9: Function("Reciprocal"),
    10: Function("Softmax"),
    11: Function("Hardmax"),
    12: Function("TransposeDimensions", _transpose),
    13: Function("Where", _where),
    14: Function("Slice", _slice),
    15: Function("Dropout", RANDOM),
    16: Function("Reshape", _reshape),
    17: Function("Pooling", _pooling),
    18: Function("SumElements"),
    19: Function("Plus"),
    20: Function("Minus"),
    21: Function("ElementTimes"),
    22: Function("Equal"),
    23: Function("NotEqual"),
    24: Function("Less"),
    25: Function("LessEqual"),
    26: Function("Greater"),
    27: Function("GreaterEqual"),
    28: Function("PackedIndex"),
    29: Function("GatherPacked", inputs=(1, 0)),
    30: Function("ScatterPacked", inputs=(2, 1, 0)),
    31: Function("Times", Renaming(outputRank="outputRank", inferInputRankToMap="inferInputRankToMap")),
    32: Function("TransposeTimes", Renaming(outputRank="outputRank")),
    33: Function("Convolution", _convolution),
    34: Function("SquareError"),
    35: Function("CrossEntropyWithSoftmax", inputs=(1, 0)),
    36: Function("ClassificationError", inputs=(1, 0, 2)),
    37: Function("PastValue", _delay),
    38: Function("FutureValue", _delay),
    39: Function("ReduceElements", _reduce),
    40: Function("BatchNormalization", _batch_normalization),
    41: Function("Clip", inputs=(1, 2, 0)),
    42: Function("If"),
    43: Function("RowStack", lambda attributes, shapes: {"axis": static_axis(attributes["axis"])}),
    45: Function("RandomSample", _SAMPLE),
    46: Function("RandomSampleInclusionFrequency", _SAMPLE),
    47: Function("ROIPooling", _roi_pooling),
    48: Function("Logistic", inputs=(1, 0, 2)),
    49: Function(
        "OptimizedRNNStack",
        Renaming(bidirectional="bidirectional", numLayers="numLayers", hiddenDims="hiddenSize", recurrentOp="recurrentOp"),
        (1, 0),
    ),
    50: Function("ReconcileDynamicAxis"),
    51: Function("LogSoftmax"),
    52: Function("LogPlus"),
    53: Function("CosDistance"),
    54: Function("Sin"),
    55: Function("Cosine"),
    56: Function("Pass"),
    58: Function("MaxUnpooling", _pooling),
    59: Function("LambdaRank", inputs=(1, 0, 2)),
    60: Function("NDCG1Eval", inputs=(1, 0, 2)),
    61: Function(
        "EditDistanceError",
        Renaming(
            subPen="SubstitutionPenalty", delPen="DeletionPenalty", insPen="InsertionPenalty",
            squashInputs="SquashInputs", tokensToIgnore="TokensToIgnore",
        ),
    ),
    NO_OP: Function("Pass"),
    63: Function("LabelsToGraph"),
    64: Function("StopGradient"),
    65: Function("ExponentialLinearUnit"),
    66: Function("ForwardBackward", Renaming(delayConstraint="DelayConstraint", blankTokenId="BlankTokenId")),
    67: Function("CosDistanceWithNegativeSamples"),
    68: Function("OneHot", _one_hot),
    69: Function("Pow"),
    70: Function("ToSequence", Renaming(dynamicAxisName="sequenceAxis")),
    71: Function("ToSequenceLike"),
    72: Function(
        "UnpackSequence",
        Renaming(paddingValue="sequenceUnpackPaddingValue", suppressMaskOutput="sequenceUnpackSuppressMaskOutput"),
    ),
    73: Function("Assign"),
    74: Function("Gather"),
    75: Function("StableSigmoid"),
    76: Function("RandomDistribution", _distribution),
    77: Function("Sinh"),
    78: Function("Cosh"),
    79: Function("UnpackBatchAxis"),
    80: Function("ToBatchAxisNode"),
    81: Function("Asin"),
    82: Function("Acos"),
    83: Function("Padding", _padding),
    84: Function("Crop", _crop),
    85: Function("Atanh"),
    86: Function("Asinh"),
    87: Function("TopK", Renaming(numItems="numItems")),
    88: Function("Reshape", _squeeze),
    89: Function("ConstantOp", Renaming(fillValue="fillValue")),
    90: Function(
        "LatticeSequenceWithSoftmax",
        Renaming(
            symListPath="SymListPath", phonePath="PhonePath", stateListPath="StateListPath",
            transProbPath="TransProbPath", latticeConfigPath="LatticeConfigPath", hSmoothingWeight="HSmoothingWeight",
            frameDropThresh="FrameDropThresh", doReferenceAlign="DoReferenceAlign", seqGammarUsesMBR="SeqGammarUsesMBR",
            seqGammarAMF="SeqGammarAMF", seqGammarLMF="SeqGammarLMF", seqGammarBMMIFactor="SeqGammarBMMIFactor",
            seqGammarWordPen="SeqGammarWordPen",
        ),
    ),
    91: Function("Cast", _cast),
    92: Function("EyeLikeOp", Renaming(isOutputSparse="OutputSparse")),
    93: Function("CustomProxyOpNode"),
    94: Function("StraightThrough"),
    95: Function("Tan"),
    96: Function("Atan"),
    97: Function("ConvolutionSequenceShape", _convolution),
}  # fmt: skip
"""By their numbers in files."""
