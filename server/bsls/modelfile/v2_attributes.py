"""Operations of `schema.ops` as functions of the CNTK v2 library: the inverse of `v2_operations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bsls.modelfile.dictionary import ALL, ALL_STATIC, DYNAMIC, ELEMENT_TYPES, INFERRED, Axis, Single, Size  # fmt: skip
from bsls.modelfile.v2_operations import (
    BATCH_NORMALIZATION,
    DISTRIBUTION,
    FUNCTIONS,
    ONE_HOT,
    PADDING,
    RANDOM,
    ROI_POOLING,
    WINDOW,
    NotConvertible,
    Renaming,
)  # fmt: skip
from bsls.network.node import Node
from bsls.schema import ops
from bsls.schema.ops.cropping import NOT_SET, PADDING_MODES
from bsls.schema.ops.rules import NO_SEQUENCE
from bsls.shape import Dims, Shape

UNKNOWN_AXES = Axis(2**31 - 3, "UnknownAxes", False)
DEFAULT_AXIS, BATCH_AXIS = Axis(DYNAMIC, "defaultDynamicAxis", True), Axis(DYNAMIC, "defaultBatchAxis", False)

NUMBERS = {function.operation: number for number, function in reversed(FUNCTIONS.items())}
"""Numbers of functions by operation; of several the first."""

NUMBERS |= dict.fromkeys(("MaxPooling", "AveragePooling"), NUMBERS["Pooling"])
del NUMBERS["CustomProxyOpNode"]  # of which a network does not know what the library demands


def attributes_of(node: Node) -> dict[str, Any]:
    """The attributes of the function that `node` is, with the types that the library demands.

    Raises NotConvertible for what no function has.
    """
    op = ops.get(node.op)
    if (
        op is not None and op.stored and "kernelShape" in node.attributes and node.shape
    ):  # completed to the image's rank
        stored = op.stored(node.attributes, [i.shape or Shape(()) for i in node.inputs], node.shape)
        node = node.copy(attributes=node.attributes | dict(stored))
    if (write := _WRITERS.get(node.op)) is not None:
        return write(node)
    convert = FUNCTIONS[NUMBERS[node.op]].convert
    return _renamed(node, convert) if isinstance(convert, Renaming) else {}


def dynamic_axes(name: str) -> list[Axis]:
    """The dynamic axes of a variable whose axis is called `name` here."""
    if name.startswith(NO_SEQUENCE):  # files that the library itself wrote number these two
        return [BATCH_AXIS]
    return [DEFAULT_AXIS if not name or name.startswith("*") else Axis(DYNAMIC, name, True), BATCH_AXIS]


def _renamed(node: Node, renaming: Renaming) -> dict[str, Any]:
    return {k: _typed(k, node.attributes[ours]) for ours, k in renaming.names.items() if ours in node.attributes}


def _typed(key: str, value: Any) -> Any:
    """A value as the library has the attribute `key`."""
    if isinstance(value, tuple):
        return [_typed(key, item) for item in value] if key in _LISTS else value
    if isinstance(value, bool):
        return value
    if key in _SIZES:
        return Size(value)
    if key in _SINGLES:
        return Single(value)
    return float(value) if key in _DOUBLES else value


_LISTS = {"sharing", "autoPadding", "TokensToIgnore", "paddingHead", "paddingFoot", "randomDistributionArgs"}
_SIZES = {
    "rngSeed", "rngOffset", "numSamples", "outputRank", "maxTempMemSizeInSamples", "numLayers", "hiddenSize",
    "BlankTokenId", "TokensToIgnore", "numClass", "numItems", "paddingHead", "paddingFoot",
}  # fmt: skip
_SINGLES = {
    "SubstitutionPenalty", "DeletionPenalty", "InsertionPenalty", "HSmoothingWeight", "FrameDropThresh",
    "SeqGammarAMF", "SeqGammarLMF", "SeqGammarBMMIFactor", "SeqGammarWordPen",
}  # fmt: skip
_DOUBLES = {
    "normalizationTimeConstant", "blendTimeConstant", "epsilon", "spatialScale", "sequenceUnpackPaddingValue",
    "paddingConstantValue", "fillValue", "randomDistributionArgs",
}  # fmt: skip


def _static(axis: Any) -> Axis:
    if axis < 1:
        raise NotConvertible(f"the axis {axis}")
    return Axis(axis - 1, f"staticAxisIdx={axis - 1}", False)


def _transpose(node: Node) -> dict[str, Any]:
    permutation: Any = node.attributes.get("permutation")
    if permutation:
        return {"axisVec": [_static(axis + 1) for axis in permutation]}
    return {name: _static(node.attributes[name]) for name in ("axis1", "axis2")}


def _slice(node: Node) -> dict[str, Any]:
    values: list[Any] = [node.attributes.get(name, 1) for name in ("axis", "beginIndex", "endIndex", "stride")]
    names = ["axis", "beginIndex", "endIndex", "sliceStrides"]
    if not isinstance(values[0], tuple):
        return {"axis": _sliced(values[0]), **dict(zip(names[1:], values[1:], strict=True))}
    axes, *numbers = ([*v] if isinstance(v, tuple) else [v] * len(values[0]) for v in values)
    found = {f"{name}Vec": items for name, items in zip(names[1:], numbers, strict=True)}
    return {"axisVec": [_sliced(axis) for axis in axes], **found}


def _sliced(axis: Any) -> Axis:
    if axis == -1:
        raise NotConvertible("a slice in time")
    return _static(axis)


def _reshape(node: Node) -> dict[str, Any]:
    shape: Any = node.attributes["shape"]
    begin, end = node.attributes.get("beginAxis", 1), node.attributes.get("endAxis", 0)
    found: dict[str, Any] = {"newShape": _inferred(shape)}
    if begin == 0:  # behind the last axis
        operand = node.inputs[0].shape
        if not operand:
            raise NotConvertible("a place behind axes of which it is not known how many there are")
        begin = len(operand.dims) + 1
    if begin != 1:
        found["beginAxis"] = _static(begin)
    if end != 0:
        found["endAxis"] = _static(end)
    return found


def _inferred(dims: Dims) -> Dims:
    return tuple(d or INFERRED for d in dims)


def _reduce(node: Node) -> dict[str, Any]:
    axis = node.attributes["axis"]
    axes = {"axisVec": [_reduced(a) for a in axis]} if isinstance(axis, tuple) else {"axis": _reduced(axis)}
    return {
        **axes,
        "reductionOpName": node.attributes["reductionOp"],
        "reductionKeepDimensions": node.attributes.get("keepDimensions", True),
    }


def _reduced(axis: Any) -> Axis:
    """As the axis of ReduceElements says it: 0 for all of a sample, -1 for all, -2 for the sequence, -3 for the batch."""
    special = {
        0: Axis(ALL_STATIC, "AllStaticAxes", False),
        -1: Axis(ALL, "AllAxes", False),
        -2: _SEQUENCE,
        -3: BATCH_AXIS,
    }
    return special[axis] if axis in special else _static(axis)


_SEQUENCE = Axis(DYNAMIC, "__operandSequenceAxis", True)


def _pooling(node: Node) -> dict[str, Any]:
    _require_chw(node)
    kernel = "unpoolingWindowShape" if node.op == "MaxUnpooling" else "poolingWindowShape"
    names = ("strides", "autoPadding", "lowerPad", "upperPad", "ceilOutDim", "includePad")
    found = {name: value for name, value in _renamed(node, WINDOW).items() if name in names}
    return {"poolingType": _pool(node), kernel: node.attributes["kernelShape"], **found}


def _old_pooling(node: Node) -> dict[str, Any]:
    """MaxPooling and AveragePooling have a window of two axes, and no padding."""
    _require_chw(node)
    width, height, across, down = (
        int(node.attributes[name])  # type: ignore[call-overload]
        for name in ("windowWidth", "windowHeight", "horizontalSubsample", "verticalSubsample")
    )
    return {
        "poolingType": Size(node.op == "AveragePooling"),
        "poolingWindowShape": (width, height, 1),
        "strides": (across, down, 1),
        "autoPadding": [False],
        "lowerPad": (0,),
        "upperPad": (0,),
        "ceilOutDim": False,
        "includePad": False,
    }


def _pool(node: Node) -> Size:
    return Size(node.attributes.get("pool") == "average")


def _require_chw(node: Node) -> None:
    layout = node.attributes.get("imageLayout", "CHW")
    if layout != "CHW":
        raise NotConvertible(f"the image layout {layout}")


def _convolution(node: Node) -> dict[str, Any]:
    _require_chw(node)
    found = _renamed(node, WINDOW)
    for name in ("ceilOutDim", "includePad"):  # of poolings
        found.pop(name, None)
    found["kernelShape"] = node.attributes["kernelShape"]
    return {**found, "outputShape": node.attributes.get("dimOutputShape", (0,)), "groups": Size(1)}


def _batch_normalization(node: Node) -> dict[str, Any]:
    engine = node.attributes.get("useCntkEngine", True)
    return {**_renamed(node, BATCH_NORMALIZATION), "useCuDNNEngine": not engine}


def _delay(node: Node) -> dict[str, Any]:
    return {"offset": Size(node.attributes.get("timeStep", 1))}  # type: ignore[call-overload]


def _dropout(node: Node) -> dict[str, Any]:
    """The rate is a setting of the training."""
    return {"dropoutRate": 0.0, **_random(node)}


def _random(node: Node) -> dict[str, Any]:
    return {"rngSeed": Size(0), "rngOffset": Size(0), **_renamed(node, RANDOM)}


def _sample(node: Node) -> dict[str, Any]:
    convert = FUNCTIONS[NUMBERS[node.op]].convert
    assert isinstance(convert, Renaming)
    return {**_renamed(node, convert), **_random(node)}


def _distribution(node: Node) -> dict[str, Any]:
    """With an operand the shape is that of the operand."""
    found = {**_renamed(node, DISTRIBUTION), **_random(node)}
    if node.inputs:
        del found["newShape"]
    else:
        found["newDataType"] = data_type(node.precision)
    return found


def _roi_pooling(node: Node) -> dict[str, Any]:
    return {"poolingType": _pool(node), **_renamed(node, ROI_POOLING)}


def _where(node: Node) -> dict[str, Any]:
    return {"newDynamicAxes": dynamic_axes(str(node.attributes["dynamicAxisName"]))}


def _one_hot(node: Node) -> dict[str, Any]:
    axis: Any = node.attributes["axis"]
    return {**_renamed(node, ONE_HOT), "onehotAxis": Axis(axis, f"staticAxisIdx={axis}", False)}


def _crop(node: Node) -> dict[str, Any]:
    offsets: list[Any] = [node.attributes[name] for name in ("xOffset", "yOffset")]
    given = len(node.inputs) == 2 and NOT_SET not in offsets
    return {"offset": [Size(offset) for offset in offsets]} if given else {}


def _padding(node: Node) -> dict[str, Any]:
    return {**_renamed(node, PADDING), "paddingMode": Size(PADDING_MODES.index(str(node.attributes["mode"])))}


def _cast(node: Node) -> dict[str, Any]:
    """A v1 file has what it is cast to only as the precision of the node."""
    return {"newDataType": data_type(str(node.attributes.get("precision", node.precision)))}


def data_type(precision: str) -> int:
    """The number of the element type; of `half,float` that of the result. Raises NotConvertible for an unknown one."""
    own = {"float16": "half"}.get(precision, precision.partition(",")[0])
    for number, type in ELEMENT_TYPES.items():
        if type.precision == own:
            return number
    raise NotConvertible(f"the precision {precision}")


_WRITERS: dict[str, Callable[[Node], dict[str, Any]]] = {
    "TransposeDimensions": _transpose,
    "Where": _where,
    "Slice": _slice,
    "Dropout": _dropout,
    "Reshape": _reshape,
    "Pooling": _pooling,
    "MaxUnpooling": _pooling,
    "MaxPooling": _old_pooling,
    "AveragePooling": _old_pooling,
    "ROIPooling": _roi_pooling,
    "Convolution": _convolution,
    "ConvolutionSequenceShape": _convolution,
    "BatchNormalization": _batch_normalization,
    "PastValue": _delay,
    "FutureValue": _delay,
    "ReduceElements": _reduce,
    "RandomSample": _sample,
    "RandomSampleInclusionFrequency": _sample,
    "RandomDistribution": _distribution,
    "RowStack": lambda node: {"axis": _static(node.attributes["axis"])},
    "OneHot": _one_hot,
    "Crop": _crop,
    "Padding": _padding,
    "Cast": _cast,
}  # fmt: skip
