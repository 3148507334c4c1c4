"""Operations element by element: of one operand, of two and three with broadcasting."""

from __future__ import annotations

from bsls.schema.ops.base import Op
from bsls.schema.ops.rules import broadcast, broadcast_all, unary

_UNARY = {
    "Abs": "Absolute value |x|; its gradient at 0 is 0.",
    "Acos": "Arc cosine of x, for x from -1 to 1.",
    "Asin": "Arc sine of x, for x from -1 to 1.",
    "Asinh": "Inverse of the hyperbolic sine, log(x + sqrt(x^2 + 1)).",
    "Atan": "Arc tangent of x.",
    "Atanh": "Inverse of the hyperbolic tangent, log((1 + x) / (1 - x)) / 2, for x between -1 and 1.",
    "Cosh": "Hyperbolic cosine (e^x + e^-x) / 2.",
    "Cosine": "Cosine of x.",
    "Exp": "e^x.",
    "ExponentialLinearUnit": "x where x >= 0, else e^x - 1.",
    "Floor": "The largest whole number that is not above x. It passes no gradient.",
    "LabelsToGraph": "x itself, marked as the labels of a connectionist temporal classification criterion.",
    "Log": "Natural logarithm of x. Below 1e-37, zero and negative numbers included, the result is -85.1.",
    "Negate": "-x.",
    "Pass": "x itself.",
    "Reciprocal": "1 / x, and 0 where x is 0.",
    "RectifiedLinear": "max(x, 0).",
    "Sigmoid": "Logistic function 1 / (1 + e^-x).",
    "Sin": "Sine of x.",
    "Sinh": "Hyperbolic sine (e^x - e^-x) / 2.",
    "Sqrt": "Square root of x, and 0 where x is negative.",
    "StableSigmoid": "Logistic function 1 / (1 + e^-x), computed from e^-|x| so that it cannot overflow.",
    "StopGradient": "x itself; no gradient flows back through it.",
    "StraightThrough": "1 where x > 0, else -1. The gradient passes unchanged where |x| <= 1 and is 0 elsewhere.",
    "Tan": "Tangent of x.",
    "Tanh": "Hyperbolic tangent of x.",
}

_BINARY = {
    "Plus": "x + y, element by element. Shapes are aligned at the first axis; an axis of size 1, or a missing one, is "
    "repeated, and an operand without a dynamic axis is used for every frame.",
    "Minus": "x - y, element by element, with broadcasting as in Plus.",
    "ElementTimes": "x * y, element by element, with broadcasting as in Plus.",
    "LogPlus": "log(e^x + e^y), element by element, computed as max + log(1 + e^(min - max)), with broadcasting.",
    "Pow": "x^y, element by element, with broadcasting: 1 where y is 0, else 0 where x is 0; not a number where x is negative "
    "and y is no whole number. The gradient to y is 0 where x is not positive.",
    "Less": "1 where x < y, else 0, element by element, with broadcasting. It passes no gradient.",
    "Equal": "1 where x = y, else 0, element by element, with broadcasting. It passes no gradient.",
    "Greater": "1 where x > y, else 0, element by element, with broadcasting. It passes no gradient.",
    "GreaterEqual": "1 where x >= y, else 0, element by element, with broadcasting. It passes no gradient.",
    "NotEqual": "1 where x and y differ, else 0, element by element, with broadcasting. It passes no gradient.",
    "LessEqual": "1 where x <= y, else 0, element by element, with broadcasting. It passes no gradient.",
}
_OLD_NAMES = {"ElementTimes": ("ColumnElementTimes", "RowElementTimes", "Scale")}

_NO_SCRIPT: dict[str, str] = dict.fromkeys(
    ("Asinh", "Atanh"), "CNTK 2.7 cannot make it from a script, nor read it from a model file."
)
_LIBRARY_ONLY = ("Atan", "ExponentialLinearUnit", "Pow", "Tan")

OPS: tuple[Op, ...] = (
    *(
        Op(name, ("x",), unary, doc, reference_limits=_NO_SCRIPT.get(name, ""), in_scripts=name not in _LIBRARY_ONLY)
        for name, doc in _UNARY.items()
    ),
    *(
        Op(name, ("x", "y"), broadcast, doc, old_names=_OLD_NAMES.get(name, ()), in_scripts=name not in _LIBRARY_ONLY)
        for name, doc in _BINARY.items()
    ),
    Op(
        "If",
        ("condition", "then", "else"),
        broadcast_all,
        "then where condition is not 0, else the third operand; element by element, with broadcasting.",
    ),
    Op(
        "Clip",
        ("min", "max", "x"),
        broadcast_all,
        "x limited to the range from min to max; element by element, with broadcasting. The gradient passes where x is "
        "inside the range.",
    ),
)
