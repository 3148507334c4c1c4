"""What all learners share: clipping, regularisation, noise, in the reference's order and arithmetic, and their state.

One update with gradient g (summed over the N samples of the minibatch), rate lr per sample and momentum m of the whole
minibatch (all rounded to the element type):

1. clip g to N times the threshold, by value or by norm; 2. g += L2 N W; 3. the rule of the learner; 4. add noise to W;
5. shrink W towards 0 by lr L1 N.

A gradient of which only some rows exist (weights times a sparse input) moves only those rows, where the rule allows it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bsls.config.sgd import SGDSettings, float32
from bsls.network.network import Network
from bsls.network.node import Node


@dataclass(frozen=True, slots=True)
class Around:
    """What is done before and after the rule: limits of gradients, weights of the two norms per sample, noise.

    `skipped` parameters are not regularised.
    """

    clipping_threshold: float = math.inf
    clip_by_truncation: bool = True
    l1: float = 0.0
    l2: float = 0.0
    skipped: frozenset[Node] = frozenset()
    noise_deviation: float = 0.0

    @classmethod
    def of(cls, settings: SGDSettings, network: Network) -> Around:
        """What the settings ask for."""
        skipped: set[Node] = set()
        for node in network:
            off = settings.skip_batch_normalization or node.attributes.get("disableRegularization")
            if node.op == "BatchNormalization" and off:
                skipped.update(node.inputs[1:3])
        return cls(
            settings.clipping_threshold,
            settings.clip_by_truncation,
            settings.l1_weight,
            settings.l2_weight,
            frozenset(skipped),
            settings.noise_deviation,
        )


@dataclass(slots=True)
class Group:
    """Parameters that are updated alike, with their states and their places among all."""

    multiplier: float
    regularised: bool
    places: list[int] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)

    def part(self, places: Sequence[int]) -> Group:
        """Those at some places of this group."""
        parameters, states = ([values[i] for i in places] for values in (self.parameters, self.states))
        return Group(self.multiplier, self.regularised, [self.places[i] for i in places], parameters, states)


@dataclass(frozen=True, slots=True)
class Step:
    """One update: `rate` per sample (with the group's multiplier) and `momentum` of the minibatch, in the element type."""

    samples: int
    rate: float
    momentum: float
    decay: float
    """The weight of W that is to be added to the gradient."""


class Learner(ABC):
    """Changes parameters by their gradients, and keeps a state of `parts` numbers for each of their elements.

    States are tensors (parts, *dims of the parameter), or like the parameter where there is one part.
    """

    parts: ClassVar[int] = 1

    def __init__(self, nodes: Sequence[Node], tensors: Sequence[Tensor], around: Around | None = None) -> None:
        self.nodes = list(nodes)
        self.tensors = list(tensors)
        self.states = [torch.zeros(self._state_shape(t), dtype=t.dtype, device=t.device) for t in tensors]
        self.counts = [0.0] * len(self.nodes)
        """A number for each parameter that a checkpoint keeps."""
        self._around = around or Around()
        self.random = torch.Generator(tensors[0].device if tensors else "cpu")
        """What noise is drawn with."""
        self._groups = self._grouped()

    def _state_shape(self, tensor: Tensor) -> tuple[int, ...]:
        return tuple(tensor.shape) if self.parts == 1 else (self.parts, *tensor.shape)

    def _grouped(self) -> list[Group]:
        groups: dict[tuple[float, bool, torch.dtype], Group] = {}
        for i, (node, tensor, state) in enumerate(zip(self.nodes, self.tensors, self.states, strict=True)):
            multiplier = float(node.attributes.get("learningRateMultiplier", 1.0))  # type: ignore[arg-type]
            regularised = node not in self._around.skipped
            group = groups.setdefault((multiplier, regularised, tensor.dtype), Group(multiplier, regularised))
            group.places.append(i)
            group.parameters.append(tensor)
            group.states.append(state)
        return list(groups.values())

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers, for noise."""
        return self._around.noise_deviation > 0

    def begin(self, epoch: int) -> None:
        """Prepares for `epoch` (from 0): its noise does not depend on the epochs before it."""
        if self.draws:
            self.random.manual_seed(epoch)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], samples: int, rate: float, momentum_per_sample: float) -> None:
        """Changes the parameters by the gradients of a minibatch of `samples` samples; `rate` is per sample."""
        momentum = momentum_per_sample**samples
        for group in self._groups:
            step = self._step_of(group, samples, rate, momentum)
            found = [gradients[i] for i in group.places]
            if any(g is None or g.is_sparse for g in found):
                self._step_apart(group, found, step)
            else:
                self._step_dense(group, found, step)  # type: ignore[arg-type]

    def _step_of(self, group: Group, samples: int, rate: float, momentum: float) -> Step:
        rate = rate * group.multiplier
        decay = self._around.l2 * samples if group.regularised else 0.0
        if group.parameters[0].dtype != torch.float64:
            rate, momentum = float32(rate), float32(momentum)
        return Step(samples, rate, momentum, decay)

    def _step_apart(self, group: Group, gradients: list[Tensor | None], step: Step) -> None:
        """The update of a group in which some gradients are sparse or missing (a missing one is zero)."""
        dense: list[int] = []
        for i, gradient in enumerate(gradients):
            if gradient is not None and gradient.is_sparse:
                if step.decay == 0 and self._step_rows(group.part([i]), gradient.coalesce(), step):
                    continue
                gradients[i] = gradient.to_dense()  # every row changes
            elif gradient is None:
                gradients[i] = torch.zeros_like(group.parameters[i])
            dense.append(i)
        if dense:
            self._step_dense(group.part(dense), [gradients[i] for i in dense], step)  # type: ignore[misc]

    def _step_dense(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        if self._around.clipping_threshold != math.inf:
            gradients = [self._clipped(g, step.samples) for g in gradients]
        self.update(group, gradients, step)
        self._finish(group, step)

    def _step_rows(self, group: Group, gradient: Tensor, step: Step) -> bool:
        rows, values = gradient.indices()[0], gradient.values()
        if self._around.clipping_threshold != math.inf:
            values = self._clipped(values, step.samples)
        if not self.update_rows(group, rows, values, step):
            return False
        self._finish(group, step)
        return True

    @abstractmethod
    def update(self, group: Group, gradients: list[Tensor], step: Step) -> None:
        """The rule: changes parameters and states; the decay is still to be added to the gradients, which are left as they
        are."""

    def update_rows(self, group: Group, rows: Tensor, values: Tensor, step: Step) -> bool:
        """The rule for the only parameter of the group, which has gradients (`values`) at some rows; False where it
        changes all rows."""
        return False

    def _clipped(self, gradient: Tensor, samples: int) -> Tensor:
        limit = self._around.clipping_threshold * samples
        if self._around.clip_by_truncation:
            return gradient.clamp(-limit, limit)
        norm = float(torch.linalg.vector_norm(gradient))
        return gradient * (limit / norm) if norm > limit else gradient

    def _finish(self, group: Group, step: Step) -> None:
        """What comes after the rule: noise, and the shrinking of L1."""
        if self._around.noise_deviation > 0:
            for parameter in group.parameters:
                noise = torch.randn(
                    parameter.shape, generator=self.random, dtype=parameter.dtype, device=parameter.device
                )
                parameter.add_(noise, alpha=self._around.noise_deviation)
        if self._around.l1 > 0 and group.regularised:
            shrink = step.rate * self._around.l1 * step.samples
            for parameter in group.parameters:
                parameter.copy_(functional.softshrink(parameter, shrink))

    # --- state -------------------------------------------------------------------------------------------------------

    def stored(self) -> list[np.ndarray]:
        """The state as a checkpoint holds it: one matrix for each parameter, columns by rows, part below part."""
        # A matrix's rows are the first dimension, which comes last here.
        return [
            s.reshape(-1, t.shape[-1] if t.dim() else 1).cpu().numpy()
            for s, t in zip(self.states, self.tensors, strict=True)
        ]

    @torch.no_grad()
    def restore(self, stored: Sequence[np.ndarray], counts: Sequence[float] | None = None) -> bool:
        """Takes the state of a checkpoint; False, with nothing changed, where it does not fit the parameters.

        One part where there should be several is what the reference writes before the first update.
        """
        if len(stored) != len(self.states) or any(
            a.size not in (s.numel(), t.numel()) for s, t, a in zip(self.states, self.tensors, stored, strict=True)
        ):
            return False
        for state, array in zip(self.states, stored, strict=True):
            if array.size == state.numel():
                state.copy_(torch.tensor(array).view(state.shape))
            else:
                state.zero_()
        if counts is not None:
            self.counts[:] = counts
        return True

    def restart(self) -> None:
        """Forgets all that was."""
        for state in self.states:
            state.zero_()
        self.counts[:] = [0.0] * len(self.counts)


def with_decay(gradients: list[Tensor], group: Group, step: Step) -> list[Tensor]:
    """The gradients with the part of the L2 norm."""
    return list(torch._foreach_add(gradients, group.parameters, alpha=step.decay)) if step.decay > 0 else gradients
