"""Names of nodes: the worked examples that were run with CNTK 2.7. Inputs are left out on the right."""

from __future__ import annotations

import pytest
from networks import evaluate

P = "LearnableParameter"
INPUTS = {"InputValue", "SparseInputValue"}
HEAD = "x = Input (3)\ny = Input (3)\n"

EXAMPLES: list[tuple[str, dict[str, str]]] = [
    ("W = ParameterTensor {(2:3)}\nb = ParameterTensor {2}\nz = Sigmoid (W * x + b)",
     {"W": P, "b": P, "z._.PlusArgs[0]": "Times", "z._": "Plus", "z": "Sigmoid"}),
    ("z = Constant (2) .* x", {"z.ElementTimesArgs[0]": P, "z": "ElementTimes"}),
    ("z = Plus (x, 1)", {"inputs.arr[1].res": P, "z": "Plus"}),
    ("z = Plus (x, 1)\na = Plus (z, 2)", {"inputs.arr[1].res": P, "_inputs.arr[1].res": P, "z": "Plus", "a": "Plus"}),
    ("z = Log (1 + Exp (x))", {"_z._": P, "z._.PlusArgs[1]": "Exp", "z._": "Plus", "z": "Log"}),
    ("z = Plus (Sigmoid (x), Tanh (x) * 2)",
     {"z._": "Sigmoid", "z.y.TimesArgs[0]": "Tanh", "_z.y": P, "z.y": "ElementTimes", "z": "Plus"}),
    ("r = {z = 2 * x}\no = r.z", {"r.z": P, "o": "ElementTimes"}),
    ("r = {z = x / 2 ; w = 1 / Sigmoid (x)}\no = r.z + r.w",
     {"_r.z": P, "r.z": "ElementTimes", "r.w.DivArgs[1]": "Sigmoid", "r.w": "Reciprocal", "o": "Plus"}),
    ("r = {a = Sigmoid (x) ; b = Tanh (a)}\noutputNodes = (r.b)", {"r.a": "Sigmoid", "r.b": "Tanh"}),
    ("A = {B = {c = Sigmoid (x) ; d = Tanh (c)} ; e = Exp (B.d)}\nz = A.e", {"A.B.c": "Sigmoid", "A.B.d": "Tanh", "z": "Exp"}),
    ("A = {c = Sigmoid (x)}\nB = {d = A.c}\nz = Exp (B.d)", {"A.c": "Sigmoid", "z": "Exp"}),
    ("f (a, b) = Sigmoid (a) + b\nz = f (Tanh (x), Log (x))",
     {"z.a": "Tanh", "z.PlusArgs[0]": "Sigmoid", "z.b": "Log", "z": "Plus"}),
    ("f (a) = {p = Sigmoid (a) ; q = Tanh (p)}.q\nz = f (Exp (x))", {"z.a": "Exp", "z.p": "Sigmoid", "z": "Tanh"}),
    ("f (a) = {p = Sigmoid (a) ; q = Tanh (p)}\nr = f (x)\nz = Exp (r.q)", {"r.p": "Sigmoid", "r.q": "Tanh", "z": "Exp"}),
    ("f (a) = Sigmoid (a)\nz = f (f (Tanh (x)))", {"z.a.a": "Tanh", "z.a": "Sigmoid", "z": "Sigmoid"}),
    ("L = {f (v) = {W = ParameterTensor {(3:3)} ; y = W * v}.y}\nz = L.f (x)", {"z.W": P, "z": "Times"}),
    ("f = (q => Sigmoid (Tanh (q)))\nz = f (Exp (x))", {"z.q": "Exp", "z._": "Tanh", "z": "Sigmoid"}),
    ("f = Sigmoid >> Tanh\nz = f (Exp (x))", {"z._": "Exp", "z.arg": "Sigmoid", "z": "Tanh"}),
    ("f (a, c = Constant (5)) = a .* c\nz = f (x)\na = f (z)", {"f.c": P, "z": "ElementTimes", "a": "ElementTimes"}),
    ("h[i:1..3] = if i == 1 then Sigmoid (x) else Sigmoid (h[i-1])\nz = h[3]",
     {"h[1]": "Sigmoid", "h[2]": "Sigmoid", "z": "Sigmoid"}),
    ("a = (Sigmoid (x) : Tanh (x))\nz = a[0] + a[1]", {"a[0]": "Sigmoid", "a[1]": "Tanh", "z": "Plus"}),
    ("f[i:0..1] (v) = if i == 0 then Sigmoid (v) else Tanh (v)\nz = f[1] (f[0] (x))", {"z.v": "Sigmoid", "z": "Tanh"}),
    ("z = Sigmoid (x < y) + (x >= Tanh (y))",
     {"z.PlusArgs[0]._": "Less", "z.PlusArgs[0]": "Sigmoid", "z.PlusArgs[1].GTArgs[1]": "Tanh", "z.PlusArgs[1]": "GreaterEqual",
      "z": "Plus"}),
    ("r = {z = if x > 0 then Tanh (x) else 2}\no = r.z",
     {"_r.z.if": P, "r.z.if": "Greater", "r.z.then": "Tanh", "r.z": P, "o": "If"}),
    ("z = Splice (Sigmoid (x) : Tanh (x))", {"z._[0]": "Sigmoid", "z._[1]": "Tanh", "z": "RowStack"}),
    ("z = Parallel ((Sigmoid : Tanh), Splice) (x)", {"z._[0]": "Sigmoid", "z._[1]": "Tanh", "z": "RowStack"}),
    ("z = MergeBinary ((Sigmoid : Tanh), Plus) (x, x)", {"z._": "Sigmoid", "z.y": "Tanh", "z": "Plus"}),
    ("z = Round (x)", {"z._.y": P, "z._": "Plus", "z": "Floor"}),
    ("a = Softmax (x, axis = 1)", {"a.Z.r": "ReduceElements", "a.P._": "Minus", "a": "Exp"}),
    ("ce = CrossEntropyWithSoftmax (y, Sigmoid (x))", {"ce.outProbVectorSequence": "Sigmoid", "ce": "CrossEntropyWithSoftmax"}),
    ("e = ClassificationError (y, Sigmoid (x), topN = 2)",
     {"e.outVectorSequence": "Sigmoid", "inputs.inputs[2]": P, "e": "ClassificationError"}),
    ("b = Sigmoid (x)\na = b\nc = b\nZ = b", {"c": "Sigmoid"}),
    ("z = Sigmoid (-(x + x))", {"z._._negate": "Plus", "z._": "Negate", "z": "Sigmoid"}),
    ("r = {z = !(x + x)}\no = r.z", {"r.z": P, "r.z._not": "Plus", "o": "Minus"}),
    ("r = {a = x + 1 ; b = a * 2 ; c = b - 3}\nz = r.c",
     {"_r.a": P, "r.a": "Plus", "_r.b": P, "r.b": "ElementTimes", "r.c": P, "z": "Minus"}),
    ("z = Sigmoid (1 + 2 * x)",
     {"_z._": P, "_z._.PlusArgs[1]": P, "z._.PlusArgs[1]": "ElementTimes", "z._": "Plus", "z": "Sigmoid"}),
    ("h[i:0..1] = {a = Sigmoid (x) ; b = Tanh (a)}\nz = h[1].b", {"h[1].a": "Sigmoid", "z": "Tanh"}),
    ("h[i:0..1] = array [0..1] (j => Sigmoid (x))\nz = h[1][0] + h[0][1]",
     {"h[1][0]": "Sigmoid", "h[0][1]": "Sigmoid", "z": "Plus"}),
    ("L (n) = {W = ParameterTensor {(n:3)} ; apply (v) = W * v}.apply\nf = L (3)\nz = f (x)\na = f (Exp (x))",
     {"f.W": P, "z": "Times", "a.v": "Exp", "a": "Times"}),
    ("z = DenseLayer {2} (DenseLayer {3} (x))",
     {"z.x.arrayOfFunctions[0].W": P, "z.x.arrayOfFunctions[0].b": P, "z.x.x.PlusArgs[0]": "Times", "z.x.x": "Plus",
      "z.arrayOfFunctions[0].W": P, "z.arrayOfFunctions[0].b": P, "z.x.PlusArgs[0]": "Times", "z": "Plus"}),
    ("z = DenseLayer {2, activation = (q => Sigmoid (q) .* q)} (x)",
     {"z.arrayOfFunctions[0].W": P, "z.arrayOfFunctions[0].b": P, "z.q.PlusArgs[0]": "Times", "z.q": "Plus",
      "z.ElementTimesArgs[0]": "Sigmoid", "z": "ElementTimes"}),
    ("m = Sequential (ReLU : Softmax : Tanh : (q => q + q) : Dropout)\nz = m (x)",
     {"z._.q.z.z": "RectifiedLinear", "z._.q.z": "Softmax", "z._.q": "Tanh", "z._": "Plus", "z": "Dropout"}),
    ("S (n, v) = if n == 0 then v else Sigmoid (S (n - 1, v))\nz = S (3, x)", {"z._._": "Sigmoid", "z._": "Sigmoid", "z": "Sigmoid"}),
    ("z = Times (ParameterTensor {(2:3)}, x)", {"z.x": P, "z": "Times"}),
    ("z = BS.Boolean.If (x, 1, 2)", {"inputs.arr[1].res": P, "inputs.arr[2].res": P, "z": "If"}),
    ("z = x + BS.Constants.One", {"BS.Constants.One": P, "z": "Plus"}),
    ("outputNodes = (Sigmoid (x) : Tanh (x))", {"outputNodes[0]": "Sigmoid", "outputNodes[1]": "Tanh"}),
    ("outputNodes = Sigmoid (x)", {"outputNodes": "Sigmoid"}),
    ("z = a && y\na = Less (x, y)", {"a": "Less", "z": "ElementTimes"}),
    # layers
    ("z = DenseLayer {4, activation = ReLU} (x)",
     {"z.arrayOfFunctions[0].W": P, "z._.PlusArgs[0]": "Times", "z.arrayOfFunctions[0].b": P, "z._": "Plus", "z": "RectifiedLinear"}),
    ("model = Sequential (DenseLayer {4, activation = ReLU} : LinearLayer {2})\nz = model (x)",
     {"model.arrayOfFunctions[0].arrayOfFunctions[0].W": P, "model.arrayOfFunctions[0].arrayOfFunctions[0].b": P,
      "z.x._.PlusArgs[0]": "Times", "z.x._": "Plus", "z.x": "RectifiedLinear", "model.arrayOfFunctions[1].W": P,
      "model.arrayOfFunctions[1].b": P, "z.PlusArgs[0]": "Times", "z": "Plus"}),
    ("z = LayerStack {2, i => DenseLayer {2}} (x)",
     {"z.arrayOfFunctions[0].arrayOfFunctions[0].W": P, "z.arrayOfFunctions[0].arrayOfFunctions[0].b": P,
      "z.x.x.PlusArgs[0]": "Times", "z.x.x": "Plus", "z.arrayOfFunctions[1].arrayOfFunctions[0].W": P,
      "z.arrayOfFunctions[1].arrayOfFunctions[0].b": P, "z.x.PlusArgs[0]": "Times", "z": "Plus"}),
    ("z = EmbeddingLayer {3} (x)", {"z.E": P, "z": "Times"}),
    ("z = BatchNormalizationLayer {} (x)",
     {"z.scale": P, "z.bias": P, "z.runMean": P, "z.runVariance": P, "z.runCount": P, "z": "BatchNormalization"}),
    ("z = LayerNormalizationLayer {} (x)",
     {"z.mean.r": "ReduceElements", "z.x0": "Minus", "z.std.z._": "ElementTimes", "z.std.z.r": "ReduceElements", "z.std": "Sqrt",
      "z.xHat.y": "Reciprocal", "z.xHat": "ElementTimes", "z.gain": P, "z.val.PlusArgs[0]": "ElementTimes", "z.bias": P, "z": "Plus"}),
    ("z = StabilizerLayer {} (x)",
     {"z.param": P, "_z.beta.DivArgs[0]._.PlusArgs[1]._": P, "z.beta.DivArgs[0]._.PlusArgs[1]._": "ElementTimes",
      "z.beta.DivArgs[0]._.PlusArgs[1]": "Exp", "_z.beta.DivArgs[0]._": P, "z.beta.DivArgs[0]._": "Plus",
      "z.beta.DivArgs[0]": "Log", "_z.beta": P, "z.beta": "ElementTimes", "z": "ElementTimes"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_names(text: str, expected: dict[str, str]) -> None:
    names = {name: op for name, op in evaluate(HEAD + text).names.items() if op not in INPUTS}
    assert names == expected


@pytest.mark.parametrize(("text", "names"), [
    ("x = Input (3)\nz = x\na = z", ["z"]),
    ("x = Input (3)\nz = Sigmoid (x)\nq = {a = x}", ["x", "z"]),  # members of records give no names
    ("m = Input (1)\n_u = m\nQ = m", ["m"]),  # capitals, then _, then small letters: the last one stays
    ("x = Input (3)\nr = {z = Sigmoid (x)}\nq = r.z + {z = Tanh (x)}.z", ["q", "q.PlusArgs[1].z", "r.z", "x"]),
    ("x = Input (3)\nr = {A = Sigmoid (x) ; a = Tanh (x)}\nq = r.A + r.a", ["_r.a", "q", "r.A", "x"]),
    ("(new ComputationNetwork {x = Input (3) ; z = Sigmoid (x)})", ["x", "z"]),
    ("({n = new ComputationNetwork [x = Input (3) ; r = {z = Sigmoid (x)} ; q = Tanh (r.z)]}.n)", ["q", "r.z", "x"]),
    ("[x = Input (3)]", ["x"]),
    ("{}", []),
])  # fmt: skip
def test_which_name_stays(text: str, names: list[str]) -> None:
    assert sorted(evaluate(text).names) == names


@pytest.mark.parametrize(("text", "at"), [
    ("x = Input (3)\nz = 2 * x", "2 * x"),
    ("x = Input (3)\nz = x / 2", "x / 2"),
    ("x = Input (3)\nz = !x", "!x"),
    ("x = Input (3)\nz = x > 0", "x > 0"),
    ("x = Input (3)\nz = x && true", "x && true"),
    ("x = Input (3)\nz = if x then 1 else x", "if x then 1 else x"),
    ("x = Input (3)\nX = Input (3)", "Input (3)"),
    ("x = Input (3)\nz = Sigmoid (x)\nZ = Tanh (x)", "Sigmoid (x)"),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_plain_names_must_differ(text: str, at: str, strict: bool) -> None:
    outcome = evaluate(text, strict=strict)
    assert outcome.said == [f"duplicate-name: {at}"]
    assert outcome.findings[0].related or "Constant" in outcome.findings[0].help


def test_many_equal_names_are_made_unique_quickly() -> None:
    names = evaluate("x = Input (3)\nf (n, v) = if n == 0 then v else f (n - 1, Sigmoid (v))\nz = f (1000, x)").names
    assert len(names) == 1001
    assert "_" * 998 + "z.v" in names
