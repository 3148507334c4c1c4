"""Sums of criteria over minibatches: values and the samples that they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, shape_of
from bstorch.readers.base import Minibatch


@dataclass(frozen=True, slots=True)
class Criterion:
    """A summed criterion and the number of samples in it."""

    total: float = 0.0
    samples: int = 0

    @property
    def average(self) -> float:
        return self.total / self.samples if self.samples else 0.0

    def __sub__(self, other: Criterion) -> Criterion:
        return Criterion(self.total - other.total, self.samples - other.samples)

    def __add__(self, other: Criterion) -> Criterion:
        return Criterion(self.total + other.total, self.samples + other.samples)


def accumulates(node: Node) -> bool:
    """Whether the node's value is already the mean over the epoch: then it counts as one sample and is never added up."""
    return node.op == "EpochAccumulator"


class SampleCounter:
    """How many samples of a minibatch count for a criterion.

    A node on a dynamic axis counts its frames, one without those of the network's default axis.
    """

    def __init__(self, nodes: Sequence[Node], inputs: Sequence[Node], environment: Environment) -> None:
        self._environment = environment
        self._axes = [shape_of(n).axis for n in nodes]
        self._accumulating = [accumulates(n) for n in nodes]
        default = next((shape_of(i).axis for i in inputs if not i.attributes.get("dynamicAxis")), None)
        self._axes = [default if a is None else a for a in self._axes]
        self._one_axis = self._axes[0] if len(set(self._axes)) == 1 and not any(self._accumulating) else None

    def __call__(self) -> list[int]:
        """The samples of each criterion in the minibatch that was run last."""
        layouts = self._environment.layouts
        if self._one_axis is not None:
            return [layouts[self._one_axis].frames] * len(self._axes)
        return [
            1 if accumulating else 0 if axis is None or axis not in layouts else layouts[axis].frames
            for axis, accumulating in zip(self._axes, self._accumulating, strict=True)
        ]


class EpochSums:
    """Running sums over an epoch, kept in the element type on the device, as the reference adds them up."""

    def __init__(self, nodes: Sequence[Node], device: torch.device) -> None:
        self._accumulating = [accumulates(n) for n in nodes]
        self._simple = not any(self._accumulating)
        self._totals: list[Tensor] = []
        self._samples = [0] * len(nodes)
        self._device = device

    @property
    def samples(self) -> list[int]:
        """The samples of each criterion so far."""
        return list(self._samples)

    def kept(self) -> list[Tensor]:
        """The sums, as tensors."""
        return list(self._totals)

    def take(self, totals: Sequence[Tensor], samples: Sequence[int]) -> None:
        """Goes on from what `kept` and `samples` gave."""
        self._totals = [t.to(self._device) for t in totals]
        self._samples = list(samples)

    def add(self, values: Sequence[Tensor], samples: Sequence[int]) -> None:
        """Adds the criteria of a minibatch; one with a value for each frame is summed first."""
        with torch.no_grad():
            reduced = [v.detach().view(1) if v.numel() == 1 else v.detach().sum().view(1) for v in values]
            if not self._totals:
                self._totals = [torch.zeros_like(r) for r in reduced]
            if self._simple:
                torch._foreach_add_(self._totals, reduced)
            else:
                for total, value, accumulating in zip(self._totals, reduced, self._accumulating, strict=True):
                    total.copy_(value) if accumulating else total.add_(value)
        for i, count in enumerate(samples):
            self._samples[i] = count if self._accumulating[i] else self._samples[i] + count

    def read(self) -> list[Criterion]:
        """The sums so far (waits for the device)."""
        if not self._totals:
            return [Criterion() for _ in self._samples]
        totals = torch.cat(self._totals).tolist()
        return [Criterion(t, n) if n else Criterion() for t, n in zip(totals, self._samples, strict=True)]


class SinceLast:
    """The criteria of the minibatches since the last look at the sums of an epoch."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._accumulating = [accumulates(n) for n in nodes]
        self.seen = [Criterion()] * len(nodes)
        """The sums at the last look."""

    def __call__(self, sums: Sequence[Criterion]) -> list[Criterion]:
        """What `sums` have more than at the last call; means over the epoch are given as they are."""
        since = [s - last for s, last in zip(sums, self.seen, strict=True)]
        self.seen = [Criterion() if a else s for a, s in zip(self._accumulating, sums, strict=True)]
        return since


def minibatch_columns(minibatch: Minibatch, features: Sequence[str]) -> int:
    """Columns of the largest matrix of a feature, gaps included: what the reference takes for the minibatch's size."""
    names = {f.lower() for f in features}
    layouts = [layout for name, layout in minibatch.layouts.items() if name.lower() in names] or [minibatch.layout]
    return max(layout.matrix_columns for layout in layouts)
