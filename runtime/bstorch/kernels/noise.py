"""Operations that draw random numbers: Dropout.

The reference's masks depend on the seed that the trainer gives each node at the start of an epoch, and run on through the
epoch's minibatches: one number for each element of the minibatch matrix, gap columns included, column by column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, dtype_of, elements, has_axis, kernel, reversed_dims
from bstorch.random import Generator

if TYPE_CHECKING:
    from bstorch.program.layout import MinibatchLayout


class Dropout:
    """The compiled Dropout of one node; the trainer sets `rate` and calls `seed` at the start of an epoch.

    The node's attributes note seed and numbers drawn, which are saved with the model.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        self.rate = 0.0
        self._node = node
        self._environment = environment
        self._dims = reversed_dims(node)
        self._elements = elements(node)
        self._dtype = dtype_of(node)
        self._axis = axis_of(node) if has_axis(node) else None
        self._generator: Generator | None = None
        self._fast: torch.Generator | None = None
        self._of_loop = torch.empty(0)

    def seed(self, seed: int) -> None:
        """Begins the epoch's stream of random numbers."""
        self._node.attributes.update(rngSeed=seed, rngOffset=0)
        if self._environment.fast_random:
            self._fast = torch.Generator(self._environment.device)
            self._fast.manual_seed(seed)
        else:
            self._generator = Generator(seed)

    def __call__(self, x: Tensor) -> Tensor:
        if not self._environment.training or self.rate <= 0.0:
            return x
        return x * self._mask(x)

    def _mask(self, x: Tensor) -> Tensor:
        keep = 1.0 / (1.0 - self.rate)
        if self._fast is not None:
            numbers = torch.rand(x.shape, generator=self._fast, device=x.device, dtype=x.dtype)
        else:
            numbers = self._reference_numbers(x)
        return torch.where(numbers <= self.rate, 0.0, keep).to(x.dtype)

    def _reference_numbers(self, x: Tensor) -> Tensor:
        step = self._environment.step
        if step is None:
            return self._drawn(None if self._axis is None else self._environment.layouts[self._axis]).to(x.device)
        if (
            step.first
        ):  # a loop draws for one column of steps after the other: those of the whole minibatch, in that order
            self._of_loop = self._drawn(step.layout, step.backwards).to(x.device)
        return self._of_loop[step.begin : step.end]

    def _drawn(self, layout: MinibatchLayout | None, backwards: bool = False) -> Tensor:
        """Uniform numbers for the frames of a minibatch, packed."""
        if self._generator is None:
            self.seed(0)
        columns = 1 if layout is None else layout.matrix_columns
        self._node.attributes["rngOffset"] += columns * self._elements  # type: ignore[operator]
        dtype = "float64" if self._dtype == torch.float64 else "float32"
        assert self._generator is not None
        drawn = torch.from_numpy(self._generator.uniform(columns * self._elements, 0.0, 1.0, dtype))
        if layout is None:
            return drawn.view(self._dims)
        matrix = drawn.view(columns, *self._dims)
        if backwards:
            matrix = matrix.view(layout.width, layout.rows, *self._dims).flip(0).reshape(columns, *self._dims)
        return matrix if layout.is_frames else matrix[layout.columns]


@kernel("Dropout")
def dropout(node: Node, environment: Environment) -> Forward:
    return Dropout(node, environment)
