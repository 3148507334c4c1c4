"""An epoch under way: how far it is, when its state is due to be saved, what that state is taken of and given back to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bsls.config.sgd import Every
from bstorch.kernels.noise import RandomOperation
from bstorch.program.program import Program
from bstorch.training.criteria import EpochSums
from bstorch.training.inside import Inside
from bstorch.training.learners.base import Learner
from bstorch.training.lines import MinibatchLines
from bstorch.training.subminibatches import Subminibatches


@dataclass(slots=True)
class Course:
    """An epoch (from 0) under way, at `rate` per sample in minibatches of at most `size` samples."""

    epoch: int
    rate: float
    size: int
    sums: EpochSums
    lines: MinibatchLines
    parts: Subminibatches
    position: int = 0
    """Samples of the reader so far."""


class Due:
    """Says when the state within an epoch is due to be saved."""

    def __init__(self, every: Every) -> None:
        self._every = every
        self._done = 0
        self._last = time.monotonic()

    def __call__(self) -> bool:
        """Counts a minibatch; whether to save behind it."""
        self._done += 1
        if self._every.minibatches:
            return self._done % self._every.minibatches == 0
        if not self._every.seconds or time.monotonic() - self._last < self._every.seconds:
            return False
        self._last = time.monotonic()
        return True


class Machine:
    """All that changes while minibatches are computed; `random` are the operations that draw numbers."""

    def __init__(self, program: Program, learner: Learner, random: Sequence[RandomOperation]) -> None:
        self._program = program
        self._learner = learner
        self._random = random

    @property
    def shapes(self) -> dict[str, list[tuple[int, ...]]]:
        """Those of parameters and learner, as `inside.fits` compares them."""
        return {
            "parameters": [tuple(t.shape) for t in self._parameters()],
            "learner": [tuple(s.shape) for s in self._learner.states],
        }

    @property
    def numbers(self) -> str:
        """How random numbers are drawn, which must not change within an epoch; nothing where none are."""
        environment = self._program.environment
        if not self._random and not self._learner.draws:
            return ""
        return f"{'fast' if environment.fast_random else 'reference'} ones on {environment.device.type}"

    def state(self, course: Course) -> tuple[dict[str, Any], dict[str, list[NDArray]]]:
        """The figures and arrays of an `Inside`."""
        environment, parts = self._program.environment, course.parts.kept()
        groups = {
            "parameters": _arrays(self._parameters()),
            "learner": _arrays(self._learner.states),
            "counts": [np.array(self._learner.counts)],
            "noise": _arrays([self._learner.random.get_state()] if self._learner.draws else []),
            "sums": _arrays(course.sums.kept()),
            **{f"random{i}": operation.kept() for i, operation in enumerate(self._random)},
            **{f"kept{i}": _arrays(s.kept()) for i, s in enumerate(environment.stateful)},
            **{f"part{n}.{i}": _arrays(kept) for n, found in parts.items() for i, kept in enumerate(found)},
        }
        nodes = self._program.network
        lines = {
            "parts": {number: len(found) for number, found in parts.items()},
            "numbers": self.numbers,
            "samples": course.sums.samples,
            "position": course.position,
            "traced": {n.name: count for n, count in environment.traced.items()},
            "runs": {n.name: n.attributes["runCount"] for n in nodes if "runCount" in n.attributes},
            **course.lines.kept(),
        }
        return lines, groups

    @torch.no_grad()
    def take(self, within: Inside, course: Course) -> None:
        """Goes on from what `state` gave."""
        environment, lines = self._program.environment, within.lines
        tensors = {name: [torch.from_numpy(a) for a in arrays] for name, arrays in within.groups.items()}
        for tensor, value in zip(self._parameters(), tensors["parameters"], strict=True):
            tensor.copy_(value)
        for tensor, value in zip(self._learner.states, tensors["learner"], strict=True):
            tensor.copy_(value)
        self._learner.counts[:] = within.groups["counts"][0].tolist()
        if tensors["noise"]:
            self._learner.random.set_state(tensors["noise"][0])
        for i, operation in enumerate(self._random):
            operation.take(within.groups[f"random{i}"])
        on_device = {name: [t.to(environment.device) for t in found] for name, found in tensors.items()}
        for i, stateful in enumerate(environment.stateful):
            stateful.take(on_device[f"kept{i}"])
        course.parts.take(
            {int(n): [on_device[f"part{n}.{i}"] for i in range(count)] for n, count in lines["parts"].items()}
        )
        for node in self._program.network:
            if node.name in lines["traced"]:
                environment.traced[node] = lines["traced"][node.name]
            if node.name in lines["runs"]:
                node.attributes["runCount"] = lines["runs"][node.name]
        course.sums.take(tensors["sums"], lines["samples"])
        course.position = lines["position"]
        course.lines.take(lines, within.minibatches)

    def _parameters(self) -> list[Tensor]:
        """All of them, by name; a network has another order when it comes from a model file."""
        parameters = self._program.parameters
        return [parameters[n] for n in sorted(parameters, key=lambda n: n.name)]


def _arrays(tensors: Sequence[Tensor]) -> list[NDArray]:
    return [t.detach().cpu().numpy() for t in tensors]
