"""Shape rules as lines of data: operands and result as shapes print, `W[...]` for a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field

from bsls.schema.ops import OPS, ShapeError, get
from bsls.shape import Dims, DynamicAxis, Shape


@dataclass
class Context:
    """One node by itself; axes are told apart by their names."""

    inputs: list[Shape]
    attributes: dict[str, object]
    parameters: set[int]
    final: bool = False
    constants: dict[int, float] = field(default_factory=dict)
    operations: dict[int, str] = field(default_factory=dict)

    def is_parameter(self, index: int) -> bool:
        return index in self.parameters

    def infer(self, index: int, dims: Dims) -> None:
        self.inputs[index] = Shape(dims)

    def reshape(self, index: int, dims: Dims) -> None:
        self.inputs[index] = Shape(dims)

    def constant(self, index: int) -> float | None:
        return self.constants.get(index)

    def axis(self, name: str) -> DynamicAxis:
        if name == "missing":
            raise ShapeError(f"there is no DynamicAxis node '{name}'")
        return DynamicAxis(name or "*")

    def new_axis(self, name: str = "") -> DynamicAxis:
        return DynamicAxis(name or "self")

    def operand(self, index: int) -> str:
        return "abcdef"[index]

    def operation(self, index: int) -> str:
        if index in self.parameters:
            return "LearnableParameter"
        return self.operations.get(index, "InputValue")


def parse(text: str) -> Shape:
    """`[3 x 4 x *]` as a shape."""
    words = [w for w in text.strip().strip("[]").split(" x ") if w]
    axis = DynamicAxis(words.pop()) if words and not words[-1].isdigit() else None
    return Shape(tuple(map(int, words)), axis)


def context(op: str, operands: str, attributes: dict[str, object], **constants: float) -> Context:
    words = [w.strip() for w in operands.split(",")] if operands else []
    defaults: dict[str, object] = {a.name: a.default for a in OPS[op].attributes if not a.required}
    return Context(
        [parse(w.lstrip("W")) for w in words],
        {**defaults, **attributes},
        {i for i, w in enumerate(words) if w.startswith("W")},
        constants={int(k[1:]): v for k, v in constants.items()},
    )


def run(ctx: Context, op: str) -> str:
    """The rule in two passes and the final one, which must change nothing; prints its shape."""
    entry = get(op)
    assert entry is not None
    for _ in range(2):
        before = entry.shape(ctx)
    ctx.final = True
    shape = entry.shape(ctx)
    assert shape == before
    return str(shape)


def shape_of(op: str, operands: str, **attributes: object) -> str:
    """The result's shape, and behind `|` those of the operands if inference changed them."""
    ctx = context(op, operands, attributes)
    given = list(ctx.inputs)
    result = run(ctx, op)
    return result if ctx.inputs == given else f"{result} | {', '.join(map(str, ctx.inputs))}"


def error_of(op: str, operands: str, **attributes: object) -> str:
    """What the rule says in the end, with its advice."""
    try:
        shape = run(context(op, operands, attributes), op)
    except ShapeError as error:
        return f"{error}; {error.help}"
    raise AssertionError(f"accepted as {shape}")
