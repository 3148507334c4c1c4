"""Operations that draw random numbers: Dropout, random numbers of a distribution, samples of classes.

The reference's numbers depend on the seed that the trainer gives each node at the start of an epoch, and run on through the
epoch's minibatches. What has a dynamic axis draws one for each element of the minibatch matrix, gap columns included, column
by column.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.base import (
    Environment,
    Forward,
    axis_of,
    dtype_of,
    elements,
    has_axis,
    kernel,
    reversed_dims,
)
from bstorch.random import Generator

if TYPE_CHECKING:
    from bstorch.program.layout import MinibatchLayout

RANDOM_OPERATIONS = frozenset({"Dropout", "RandomSample", "RandomSampleInclusionFrequency", "RandomDistribution"})
"""Operations that draw random numbers; each gets a seed of its own in every epoch."""


class RandomOperation:
    """The compiled function of a node that draws random numbers; the trainer calls `seed` at the start of an epoch.

    The node's attributes note seed and numbers drawn, which are saved with the model.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        self._node = node
        self._environment = environment
        self._generator: Generator | None = None
        self._fast: torch.Generator | None = None

    def seed(self, seed: int) -> None:
        """Begins the epoch's stream of random numbers."""
        self._node.attributes.update(rngSeed=seed, rngOffset=0)
        if self._environment.fast_random:
            self._fast = torch.Generator(self._environment.device)
            self._fast.manual_seed(seed)
        else:
            self._generator = Generator(seed)

    def state(self) -> object:
        """Where the stream is; `restore` brings it back there, so that the same numbers come again."""
        fast = None if self._fast is None else self._fast.get_state()
        return copy.copy(self._generator), fast, self._node.attributes.get("rngOffset", 0)

    def restore(self, state: object) -> None:
        """Goes back to what `state` gave, once for each."""
        assert isinstance(state, tuple)
        self._generator, fast, self._node.attributes["rngOffset"] = state
        if self._fast is not None:
            self._fast.set_state(fast)

    def kept(self) -> list[NDArray]:
        """As `state`, as arrays for a file."""
        offset = np.array(self._node.attributes.get("rngOffset", 0))
        if self._fast is not None:
            return [offset, self._fast.get_state().numpy()]
        return [offset] if self._generator is None else [offset, *self._generator.kept()]

    def take(self, kept: Sequence[NDArray]) -> None:
        """Goes on from what `kept` gave, after `seed`."""
        offset, *stream = kept
        self._node.attributes["rngOffset"] = int(offset)
        if self._fast is not None:
            self._fast.set_state(torch.from_numpy(stream[0]))
        elif self._generator is not None:
            self._generator.take(*stream)

    def _stream(self, count: int) -> Generator:
        """The reference's stream, from which `count` numbers are about to be taken."""
        if self._generator is None:
            self.seed(0)
            self._generator = self._generator or Generator(0)
        self._node.attributes["rngOffset"] += count  # type: ignore[operator]
        return self._generator


class RandomElements(RandomOperation):
    """One that draws a number for each element of its value.

    `_draw` takes the next numbers from the reference's stream, `_draw_fast` from torch's.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        super().__init__(node, environment)
        self._dims = reversed_dims(node)
        self._elements = elements(node)
        self._dtype = dtype_of(node)
        self._axis = axis_of(node) if has_axis(node) else None
        self._of_loop = torch.empty(0)

    def _draw(self, count: int) -> NDArray:
        """Numbers from 0 up to 1."""
        return self._stream(count).uniform(count, 0.0, 1.0, "float64" if self._dtype == torch.float64 else "float32")

    def _draw_fast(self, shape: tuple[int, ...]) -> Tensor:
        return torch.rand(shape, generator=self._fast, device=self._environment.device, dtype=self._dtype)

    def _numbers(self, shape: tuple[int, ...]) -> Tensor:
        """Numbers for a value of `shape`."""
        if self._fast is not None:
            return self._draw_fast(shape)
        step, device = self._environment.step, self._environment.device
        if step is None:
            return self._drawn(None if self._axis is None else self._environment.layouts[self._axis]).to(device)
        if step.first:
            # A loop draws for one column of steps after the other: those of the whole minibatch, in that order.
            self._of_loop = self._drawn(step.layout, steps=step.layout.width, backwards=step.backwards).to(device)
        return self._of_loop[step.begin : step.end]

    def _drawn(self, layout: MinibatchLayout | None, steps: int = 1, backwards: bool = False) -> Tensor:
        """Numbers for the frames of a minibatch, packed."""
        if layout is None:
            return torch.from_numpy(self._draw(self._elements)).view(self._dims)
        columns = layout.matrix_columns
        steps = max(steps, 1)
        drawn = np.concatenate([self._draw(columns // steps * self._elements) for _ in range(steps)])
        matrix = torch.from_numpy(drawn).view(columns, *self._dims)
        if backwards:
            matrix = matrix.view(layout.width, layout.rows, *self._dims).flip(0).reshape(columns, *self._dims)
        return matrix if layout.is_frames else matrix[layout.columns]


class Dropout(RandomElements):
    """The compiled Dropout of one node; the trainer also sets `rate`."""

    def __init__(self, node: Node, environment: Environment) -> None:
        super().__init__(node, environment)
        self.rate = 0.0

    def __call__(self, x: Tensor) -> Tensor:
        if not self._environment.training or self.rate <= 0.0:
            return x
        keep = 1.0 / (1.0 - self.rate)
        return x * torch.where(self._numbers(tuple(x.shape)) <= self.rate, 0.0, keep).to(x.dtype)


@kernel("Dropout")
def dropout(node: Node, environment: Environment) -> Forward:
    return Dropout(node, environment)


class Distribution(RandomElements):
    """The compiled RandomDistribution of one node."""

    def __init__(self, node: Node, environment: Environment) -> None:
        super().__init__(node, environment)
        self._kind = str(node.attributes["distribution"])
        # They are numbers of the element type.
        given = np.atleast_1d(np.asarray(node.attributes.get("arguments", ()), np.float64))
        self._arguments = torch.from_numpy(given).to(self._dtype).tolist()

    def __call__(self, *operands: Tensor) -> Tensor:
        return self._numbers(tuple(operands[0].shape) if operands else self._dims)

    def _draw(self, count: int) -> NDArray:
        dtype = "float64" if self._dtype == torch.float64 else "float32"
        if self._kind == "uniform":
            low, high = self._arguments
            return self._stream(count).uniform(count, low, high, dtype)
        if self._kind == "normal":
            drawn = count + count % 2  # an odd one is thrown away
            mean, deviation = self._arguments
            return self._stream(drawn).normal(drawn, mean, deviation, dtype)[:count]
        uniform = self._stream(count).uniform(count, 0.0, 1.0)
        if self._kind == "gumbel":
            location, scale = self._arguments
            with np.errstate(divide="ignore"):
                return (location - scale * np.log(-np.log1p(-uniform))).astype(dtype)
        rest = np.dtype(dtype).type(1 - self._arguments[0])
        return (uniform.astype(dtype) > rest).astype(dtype)

    def _draw_fast(self, shape: tuple[int, ...]) -> Tensor:
        options = {"generator": self._fast, "device": self._environment.device, "dtype": self._dtype}
        if self._kind == "normal":
            mean, deviation = self._arguments
            return torch.randn(shape, **options) * deviation + mean
        uniform = torch.rand(shape, **options)
        if self._kind == "uniform":
            low, high = self._arguments
            return uniform * (high - low) + low
        if self._kind == "gumbel":
            location, scale = self._arguments
            return location - scale * torch.log(-torch.log1p(-uniform))
        return (uniform < self._arguments[0]).to(self._dtype)


@kernel("RandomDistribution")
def random_distribution(node: Node, environment: Environment) -> Forward:
    return Distribution(node, environment)


class ClassSampler(RandomOperation):
    """Draws classes with probabilities proportional to their weights: the first whose running sum of weights is not below a
    uniform number. Without duplicates it draws until there are enough different ones."""

    def __init__(self, node: Node, environment: Environment) -> None:
        super().__init__(node, environment)
        self._size = int(node.attributes["sizeOfSampledSet"])  # type: ignore[call-overload]
        self._duplicates = bool(node.attributes["allowDuplicates"])

    def _uniform(self, count: int, high: float) -> NDArray:
        if self._fast is not None:
            drawn = torch.rand(count, generator=self._fast, device=self._environment.device, dtype=torch.float64)
            return drawn.cpu().numpy() * high
        return self._stream(count).uniform(count, 0.0, high)

    def _sums(self, weights: Tensor) -> NDArray:
        """Running sums of the weights."""
        values = weights.detach().reshape(-1).cpu().double().numpy()
        enough = 1 if self._duplicates else self._size
        if (values < 0).any() or int((values > 0).sum()) < enough:
            problem = "a weight is negative" if (values < 0).any() else f"less than {enough} weights are above 0"
            raise BsError(
                "sampling-weights",
                f"'{self._node.name}' cannot draw {self._size} of {len(values)} classes: {problem}",
                self._node.origin,
                help="give each class that may be drawn a weight above 0, the others 0",
            )
        return np.cumsum(values)

    def _sample(self, sums: NDArray) -> tuple[list[int], int]:
        """Classes, and the number of draws that were needed."""
        found: dict[int, None] = {}
        tries = 0
        while len(found) < self._size:
            # Never more than are missing: what is drawn must be used, or the stream would run ahead.
            missing = self._size - len(found)
            drawn = np.searchsorted(sums, self._uniform(missing, float(sums[-1]))).tolist()
            if self._duplicates:
                return drawn, missing
            tries += missing
            found.update(dict.fromkeys(drawn))
        return list(found), tries


class Sample(ClassSampler):
    """The compiled RandomSample of one node: one column for each class that was drawn, [classes x size]."""

    def __call__(self, weights: Tensor) -> Tensor:
        classes, _ = self._sample(self._sums(weights))
        result = torch.zeros(reversed_dims(self._node), dtype=dtype_of(self._node), device=weights.device)
        result[torch.arange(self._size), torch.tensor(classes)] = 1.0
        return result


class InclusionFrequency(ClassSampler):
    """The compiled RandomSampleInclusionFrequency of one node. It is computed anew only where the weights have changed."""

    _EXPERIMENTS = 10

    def __init__(self, node: Node, environment: Environment) -> None:
        super().__init__(node, environment)
        self._weights: Tensor | None = None
        self._value = torch.empty(0)

    def __call__(self, weights: Tensor) -> Tensor:
        if self._weights is None or not torch.equal(self._weights, weights):
            self._weights = weights.detach().clone()
            self._value = self._estimated(weights)
        return self._value

    def _estimated(self, weights: Tensor) -> Tensor:
        sums = self._sums(weights)
        tries = sum(self._sample(sums)[1] for _ in range(self._EXPERIMENTS)) / self._EXPERIMENTS
        p = weights.detach().double().reshape(-1) / float(sums[-1])
        value = p * self._size if self._duplicates else -torch.expm1(tries * torch.log1p(-p))
        return value.to(weights.dtype).view(reversed_dims(self._node))


@kernel("RandomSample")
def random_sample(node: Node, environment: Environment) -> Forward:
    return Sample(node, environment)


@kernel("RandomSampleInclusionFrequency")
def inclusion_frequency(node: Node, environment: Environment) -> Forward:
    return InclusionFrequency(node, environment)
