"""One operation of a network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from bsls.shape import Dims, Shape
from bsls.source import Span

if TYPE_CHECKING:
    import numpy as np

GROUPS = ("feature", "label", "criterion", "evaluation", "output")
"""The five sets of nodes that a network marks."""

ELEMENT_SIZES = {"float": 4, "double": 8, "half": 2}
"""Bytes of one element by the precision of its node."""


class Weights(Protocol):
    """Values of a parameter, read when asked for."""

    @property
    def dims(self) -> Dims: ...

    def array(self) -> np.ndarray:
        """The values as float32 or float64 array whose shape is `dims` reversed.

        Column-major [2 x 3] is row-major (3, 2): the same memory.
        """
        ...


@dataclass(slots=True)
class ArrayWeights:
    """Weights that are in memory."""

    values: np.ndarray  # shape: dims reversed

    @property
    def dims(self) -> Dims:
        return tuple(reversed(self.values.shape))

    def array(self) -> np.ndarray:
        return self.values


@dataclass(eq=False, slots=True)
class Node:
    """A node: operation, name, inputs, attributes (names as in `schema.ops`), and what validation found.

    `shape` is None until the network was validated. `value` holds the weights of a LearnableParameter that was loaded;
    a fresh one has None and is initialised from its attributes. `origin` is the expression that made the node, `calls`
    the calls around it, innermost first.
    """

    op: str
    name: str
    inputs: list[Node] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)
    precision: str = "float"
    tags: list[str] = field(default_factory=list)
    shape: Shape | None = None
    value: Weights | None = None
    origin: Span | None = None
    calls: tuple[Span, ...] = ()

    def copy(self, **changes: Any) -> Node:
        """Another node with the same inputs; weights are shared. `changes` are fields that are to differ."""
        own = {"inputs": list(self.inputs), "attributes": dict(self.attributes), "tags": list(self.tags)}
        return replace(self, **(own | changes))

    @property
    def is_parameter(self) -> bool:
        return self.op == "LearnableParameter"

    @property
    def is_learnable(self) -> bool:
        """A parameter that training changes."""
        return self.is_parameter and float(self.attributes.get("learningRateMultiplier", 1.0)) > 0  # type: ignore[arg-type]

    @property
    def is_input(self) -> bool:
        return self.op in ("InputValue", "SparseInputValue")

    @property
    def element_size(self) -> int:
        """Bytes of one element of the value (for Cast: of its result)."""
        return ELEMENT_SIZES[self.precision.partition(",")[0]]

    @property
    def prototype(self) -> str:
        """`z = Plus (a, b) : [3 x *], [3] -> [3 x *]`, as the reference prints it."""
        names = ", ".join(i.name for i in self.inputs)
        shapes = ", ".join(str(i.shape) if i.shape else "[]" for i in self.inputs)
        if self.op == "RowRepeat":
            names, shapes = (f"{text}, numRepeats={self.attributes.get('numRepeats')}" for text in (names, shapes))
        call = f"{self.op} ({names})" if self.inputs else f"{self.op}()"
        return f"{self.name} = {call} : {shapes} -> {self.shape or '[]'}"

    def __repr__(self) -> str:
        return f"Node({self.name} = {self.op})"
