"""Shapes of node values: tensor dimensions (first one fastest in memory) and the dynamic axis of the minibatch."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

Dims = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DynamicAxis:
    """A sequence axis of the minibatch; two nodes share it if they have the same one. Prints as its name (`*`)."""

    name: str = "*"


@dataclass(frozen=True, slots=True)
class Shape:
    """Shape of a node's value: `dims` of one sample, 0 where a dimension is not known yet, and the dynamic axis.

    `axis` is None for what does not depend on the minibatch (parameters, criteria). Prints as the reference prints it:
    `[4 x 3 x *]`, `[1]`, `[]`.
    """

    dims: Dims
    axis: DynamicAxis | None = None

    @property
    def rank(self) -> int:
        return len(self.dims)

    @property
    def elements(self) -> int:
        """Number of elements of one sample (0 if a dimension is unknown)."""
        return prod(self.dims)

    @property
    def known(self) -> bool:
        return 0 not in self.dims

    def dim(self, axis: int) -> int:
        """Dimension `axis` counted from 0; 1 beyond the rank."""
        return self.dims[axis] if axis < len(self.dims) else 1

    def __str__(self) -> str:
        words = " x ".join(map(str, self.dims))
        if self.axis is not None:
            words = f"{words} x {self.axis.name}" if words else self.axis.name
        return f"[{words}]"
