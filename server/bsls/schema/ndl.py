"""The functions of NDL: names, arguments and options, as they differ from the operations that they make.

What is not said here, NDL shares with `schema.ops`: a function has the name, the inputs and the attributes of its
operation, whose defaults it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bsls.schema.ops.base import Attribute
from bsls.schema.ops.rules import IMAGE_LAYOUTS

Kind = Literal["node", "integer", "number", "shape", "word"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One of the arguments that are known by their place."""

    name: str
    kind: Kind = "node"


@dataclass(frozen=True, slots=True)
class Form:
    """One way to call a function. `rest` is what any number of further arguments are.

    The `key` of an option is its name in NDL where the attribute has another one.
    """

    arguments: tuple[Argument, ...] = ()
    rest: Argument | None = None
    options: tuple[Attribute, ...] = ()

    def fits(self, count: int) -> bool:
        """Whether it takes `count` arguments."""
        return count == len(self.arguments) or (self.rest is not None and count > len(self.arguments))

    def argument(self, index: int) -> Argument:
        return self.arguments[index] if index < len(self.arguments) else self.rest or self.arguments[-1]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: the operation it makes, another name for it, and its forms (none: all arguments are inputs)."""

    name: str
    alternate: str = ""
    op: str = ""
    forms: tuple[Form, ...] = ()

    @property
    def operation(self) -> str:
        return self.op or self.name


def _nodes(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(n) for n in names)


def _integers(*names: str) -> tuple[Argument, ...]:
    return tuple(Argument(n, "integer") for n in names)


def _layout(default: str) -> Attribute:
    return Attribute("imageLayout", "string", default, "Order of the axes of an image.", IMAGE_LAYOUTS)


TAG = Attribute("tag", "string", "", "The group that the node belongs to.")
TAGS = ("feature", "label", "criterion", "criteria", "evaluation", "eval", "output")
"""What `tag` may be, beside any word that begins with eval and the old multiSeq, which means nothing."""

GROUP_LISTS = {
    "featureNodes": "feature", "labelNodes": "label", "criterionNodes": "criterion", "evalNodes": "evaluation",
    "outputNodes": "output", "criteriaNodes": "criterion",
}  # fmt: skip
"""Names of arrays that mark groups of nodes, in the order in which they are looked at; capitals do not matter."""

_PRECISION = Attribute("precision", "string", "", "Precision of the values.", ("float", "double", "float16"))
_AXIS = Attribute("dynamicAxis", "string", "", "Name of the dynamic axis.")
_INPUT = Form(_integers("dimension"), _integers("dimension")[0], (_AXIS, _PRECISION))
_IMAGE = _integers("imageWidth", "imageHeight", "imageChannels")
_IMAGE_INPUT = (
    Form(_IMAGE, options=(_AXIS, _layout("HWC"))),
    Form((*_IMAGE, *_integers("numImages")), options=(_AXIS, _layout("HWC"))),
)

INITIALIZERS = ("uniform", "gaussian", "fixedValue", "fromFile", "heNormal", "bilinear")
"""Values of `init`; capitals do not matter."""

_PARAMETER = (
    Attribute("learningRateMultiplier", "number", 1.0, "Factor on the learning rate; 0 for a constant."),
    Attribute("needGradient", "boolean", True, "false: a constant."),
    Attribute("needsGradient", "boolean", True, "The same as needGradient."),
    Attribute("computeGradient", "boolean", True, "The same as needGradient."),
    Attribute("init", "string", "uniform", "Kind of initial values.", INITIALIZERS),
    Attribute("initValueScale", "number", 1.0, "Factor on random initial values."),
    Attribute("value", "number", 0.0, "Initial value; used only with init = fixedValue."),
    Attribute("initFromFilePath", "string", "", "Text file with a matrix; used only with init = fromFile."),
    Attribute("initOnCPUOnly", "boolean", False, "Draw random values on the CPU (always done)."),
    Attribute("randomSeed", "integer", -1, "Seed; negative: the next number of a counter."),
    Attribute("kernelWidth", "integer", 0, "Width of the kernel; used only with init = bilinear."),
    Attribute("kernelHeight", "integer", 0, "Height of the kernel; used only with init = bilinear."),
)

_DELAY = (
    Attribute("timeStep", "integer", 1, "Distance in frames, at least 1."),
    Attribute("delayTime", "integer", 1, "The old name of timeStep."),
    Attribute("defaultHiddenActivation", "number", 0.1, "Value beyond the ends.", key="defaultHiddenActivity"),
)
_DELAYS = (
    Form((Argument("rows", "integer"), Argument("x")), options=_DELAY),
    Form((Argument("rows", "integer"), Argument("cols", "integer"), Argument("x")), options=_DELAY),
)

_WINDOW = (
    Attribute("strideShape", "shape", (1,), "Steps of the window.", key="stride"),
    Attribute("dimPadding", "booleans", (True,), "Whether to pad, per axis.", key="autoPadding"),
    Attribute("dimPadLower", "shape", (0,), "Cells to add before the first.", key="lowerPad"),
    Attribute("dimPadUpper", "shape", (0,), "Cells to add behind the last.", key="upperPad"),
    _layout("CHW"),
)
_KERNEL = Argument("kernelShape", "shape")
_MEMORY = Attribute("maxTempMemSizeInSamples", "integer", 0, "Samples to process at a time; 0: all.")
_CONVOLUTION = (
    Form(
        (*_nodes("W", "x"), *_integers("kernelWidth", "kernelHeight", "outputChannels", "horizontalSubsample", "verticalSubsample")),
        options=(Attribute("zeroPadding", "boolean", False, "Pad with zeros."), _layout("HWC"), _MEMORY),
    ),
    Form(
        (*_nodes("W", "x"), _KERNEL),
        options=(
            Attribute("mapCount", "shape", (0,), "Number of output channels."),
            *_WINDOW,
            Attribute("dimSharing", "booleans", (True,), "Whether weights are shared, per axis.", key="sharing"),
            Attribute("transpose", "boolean", False, "Compute the transposed convolution."),
            Attribute("dimOutputShape", "shape", (0,), "Output shape of a transposed one.", key="outputShape"),
            _MEMORY,
        ),
    ),
)  # fmt: skip
_IMAGE_POOLING = (
    Form(
        (Argument("x"), *_integers("windowWidth", "windowHeight", "horizontalSubsample", "verticalSubsample")),
        options=(_layout("HWC"),),
    ),
)
_NORMALIZATION = (
    Attribute("spatial", "boolean", False, "One mean and variance per map of a convolution."),
    Attribute("normalizationTimeConstant", "number", 0.0, "Time constant of the running statistics."),
    Attribute("blendTimeConstant", "number", 0.0, "Weight of the running statistics."),
    Attribute("epsilon", "number", 1e-5, "Added to the variance."),
    Attribute("engine", "string", "cntk", "Which implementation.", ("cntk", "cudnn")),
    _layout("CHW"),
    Attribute("disableRegularization", "boolean", False, "No regularisation of scale and bias."),
    Attribute("eval", "boolean", False, "An old option without effect."),
)
_STATISTICS = _nodes("x", "scale", "bias", "runMean", "runVariance")

_PLAIN = (
    "Abs Acos Asin Asinh Atan Atanh Clip CrossEntropy DiagTimes Diagonal Dropout EditDistanceError ElementTimes Equal Exp "
    "Floor ForwardBackward Greater GreaterEqual Hardmax InvStdDev LabelsToGraph LatticeSequenceWithSoftmax Less LessEqual "
    "Log LogPlus LogSoftmax LookupTable Mean Minus Negate NotEqual Pass Plus ROIPooling Reciprocal ReconcileDynamicAxis "
    "RowStack Sigmoid Sin Sinh Softmax Sqrt StopGradient SumColumnElements SumElements Tan Tanh Times TransposeTimes "
    "ColumnElementTimes RowElementTimes Scale"
)
_ALTERNATES = {
    "ClassBasedCrossEntropyWithSoftmax": "CBCEWithSM", "ClassificationError": "ErrorPrediction",
    "CosDistance": "CosDist", "CosDistanceWithNegativeSamples": "CosWithNegSamples", "Cosh": "", "Cosine": "Cos",
    "CrossEntropyWithSoftmax": "CEWithSM", "DummyCriterion": "", "If": "", "KhatriRaoProduct": "ColumnwiseCrossProduct",
    "Logistic": "", "MatrixL1Reg": "L1Reg", "MatrixL2Reg": "L2Reg", "RectifiedLinear": "ReLU",
    "PerDimMeanVarDeNormalization": "PerDimMVDeNorm", "PerDimMeanVarNormalization": "PerDimMVNorm",
    "SequenceWithSoftmax": "SEWithSM", "SquareError": "SE",
}  # fmt: skip

FUNCTIONS: tuple[Function, ...] = (
    Function("InputValue", "Input", forms=(_INPUT,)),
    Function("SparseInputValue", "SparseInput", forms=(_INPUT,)),
    Function("ImageInput", "Image", "InputValue", _IMAGE_INPUT),
    Function("SparseImageInput", "SparseImage", "SparseInputValue", _IMAGE_INPUT),
    Function(
        "LearnableParameter", "Parameter",
        forms=(Form(_integers("dimension"), _integers("dimension")[0], _PARAMETER),),
    ),
    Function(
        "ImageParameter", op="LearnableParameter",
        forms=(Form(_IMAGE, _integers("dimension")[0], (*_PARAMETER, _layout("HWC"))),),
    ),
    Function(
        "Constant", "Const", "LearnableParameter",
        (Form((Argument("value", "number"),), options=(
            Attribute("rows", "integer", 1, "Number of rows."), Attribute("cols", "integer", 1, "Number of columns."),
        )),),
    ),
    Function("RowSlice", op="Slice", forms=(Form((*_integers("start", "count"), Argument("x"))),)),
    Function("RowRepeat", forms=(Form((Argument("x"), Argument("numRepeats", "integer"))),)),
    Function(
        "Reshape", op="LegacyReshape",
        forms=(Form(
            (Argument("x"), Argument("numRows", "integer")),
            options=(*(Attribute(a.name, "integer", 0, "Size of an image.") for a in _IMAGE), _layout("HWC")),
        ),),
    ),
    Function("PastValue", "Delay", forms=_DELAYS),
    Function("FutureValue", forms=_DELAYS),
    Function("Convolution", "Convolve", forms=_CONVOLUTION),
    Function("Pooling", forms=(Form((Argument("x"), Argument("pool", "word"), _KERNEL), options=_WINDOW),)),
    Function("MaxUnpooling", forms=(Form((*_nodes("x", "poolInput"), _KERNEL), options=_WINDOW),)),
    Function("MaxPooling", forms=_IMAGE_POOLING),
    Function("AveragePooling", forms=_IMAGE_POOLING),
    Function(
        "BatchNormalization",
        forms=(
            Form(_STATISTICS, options=_NORMALIZATION),
            Form((*_STATISTICS, Argument("runCount")), options=_NORMALIZATION),
        ),
    ),
    Function(
        "Crop",
        forms=(
            Form(_nodes("x", "reference")),
            Form((*_nodes("x", "reference"), *_integers("xOffset", "yOffset"))),
            Form(_nodes("x", "reference", "equivalentX", "equivalentReference")),
        ),
    ),
    Function("Cast", forms=(Form((Argument("x"),), options=(_PRECISION,)),)),
    Function("Transpose", op="TransposeDimensions"),
    *(Function(name) for name in _PLAIN.split()),
    *(Function(name, alternate) for name, alternate in _ALTERNATES.items()),
)  # fmt: skip
"""All functions of NDL."""

_BY_NAME = {name.lower(): f for f in FUNCTIONS for name in (f.name, f.alternate) if name}


def find(name: str) -> Function | None:
    """The function called `name`, whatever its capitals."""
    return _BY_NAME.get(name.lower())


def names() -> list[str]:
    """All names of functions, for suggestions."""
    return [name for f in FUNCTIONS for name in (f.name, f.alternate) if name]
