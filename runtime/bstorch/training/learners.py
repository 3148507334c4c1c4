"""The update of the parameters: clipping, regularisation and momentum, in the reference's order and arithmetic.

One update with gradient g (summed over the N samples of the minibatch), rate lr per sample and momentum m of the whole
minibatch (all rounded to the element type):

1. clip g to N times the threshold, by value or by norm; 2. g += L2 N W; 3. s = m s + (1 - m) lr g, W -= s, or the
Nesterov form W -= m s + (1 - m) lr g; 4. add noise to W; 5. shrink W towards 0 by lr L1 N.

A gradient of which only some rows exist (weights times a sparse input) moves only those rows, and their state keeps the
gradient without the rate: s = m s + (1 - m) g, W -= lr s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bsls.config.sgd import SGDSettings, float32
from bsls.network.network import Network
from bsls.network.node import Node


@dataclass(slots=True)
class Regularisation:
    """Weights per sample of the two norms; `skipped` parameters are not regularised."""

    l1: float = 0.0
    l2: float = 0.0
    skipped: frozenset[Node] = frozenset()


@dataclass(slots=True)
class _Group:
    """Parameters that are updated alike."""

    multiplier: float
    regularised: bool
    places: list[int] = field(default_factory=list)
    parameters: list[Tensor] = field(default_factory=list)
    states: list[Tensor] = field(default_factory=list)


class MomentumLearner:
    """Gradient descent with unit-gain momentum (`gradUpdateType = none`)."""

    def __init__(
        self,
        nodes: Sequence[Node],
        tensors: Sequence[Tensor],
        *,
        nesterov: bool = False,
        clipping_threshold: float = math.inf,
        clip_by_truncation: bool = True,
        regularisation: Regularisation | None = None,
        noise_deviation: float = 0.0,
    ) -> None:
        self.nodes = list(nodes)
        self.tensors = list(tensors)
        self.states = [torch.zeros_like(t, requires_grad=False) for t in tensors]
        self.counts = [0.0] * len(self.nodes)
        self._nesterov = nesterov
        self._threshold = clipping_threshold
        self._truncate = clip_by_truncation
        self._regularisation = regularisation or Regularisation()
        self._noise = noise_deviation
        self._random = torch.Generator(tensors[0].device if tensors else "cpu")
        self._groups = self._grouped()

    @classmethod
    def of(
        cls, settings: SGDSettings, network: Network, nodes: Sequence[Node], tensors: Sequence[Tensor]
    ) -> MomentumLearner:
        """The learner that the settings ask for."""
        skipped: set[Node] = set()
        for node in network:
            off = settings.skip_batch_normalization or node.attributes.get("disableRegularization")
            if node.op == "BatchNormalization" and off:
                skipped.update(node.inputs[1:3])
        return cls(
            nodes,
            tensors,
            nesterov=settings.nesterov,
            clipping_threshold=settings.clipping_threshold,
            clip_by_truncation=settings.clip_by_truncation,
            regularisation=Regularisation(settings.l1_weight, settings.l2_weight, frozenset(skipped)),
            noise_deviation=settings.noise_deviation,
        )

    def _grouped(self) -> list[_Group]:
        groups: dict[tuple[float, bool, torch.dtype], _Group] = {}
        for i, (node, tensor, state) in enumerate(zip(self.nodes, self.tensors, self.states, strict=True)):
            multiplier = float(node.attributes.get("learningRateMultiplier", 1.0))  # type: ignore[arg-type]
            regularised = node not in self._regularisation.skipped
            group = groups.setdefault((multiplier, regularised, tensor.dtype), _Group(multiplier, regularised))
            group.places.append(i)
            group.parameters.append(tensor)
            group.states.append(state)
        return list(groups.values())

    def begin(self, epoch: int) -> None:
        """Prepares for `epoch` (from 0): its noise does not depend on the epochs before it."""
        if self._noise > 0:
            self._random.manual_seed(epoch)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor | None], samples: int, rate: float, momentum_per_sample: float) -> None:
        """Changes the parameters by the gradients of a minibatch of `samples` samples; `rate` is per sample."""
        momentum = momentum_per_sample**samples
        for group in self._groups:
            found = [gradients[i] for i in group.places]
            if any(g is None or g.is_sparse for g in found):
                self._step_apart(group, found, samples, rate, momentum)
            else:
                self._step_dense(group, found, group.parameters, group.states, samples, rate, momentum)  # type: ignore[arg-type]

    def _step_apart(
        self, group: _Group, gradients: list[Tensor | None], samples: int, rate: float, momentum: float
    ) -> None:
        """The update of a group in which some gradients are sparse or missing (a missing one is zero)."""
        dense: list[tuple[Tensor, Tensor, Tensor]] = []
        for gradient, parameter, state in zip(gradients, group.parameters, group.states, strict=True):
            if gradient is None:
                dense.append((torch.zeros_like(parameter), parameter, state))
            elif gradient.is_sparse:
                self._step_sparse(group, gradient.coalesce(), parameter, state, samples, rate, momentum)
            else:
                dense.append((gradient, parameter, state))
        if dense:
            found, parameters, states = (list(column) for column in zip(*dense, strict=True))
            self._step_dense(group, found, parameters, states, samples, rate, momentum)

    def _numbers(self, group: _Group, rate: float, momentum: float) -> tuple[float, float, float]:
        """Rate, momentum, and (1 - momentum) * rate in the element type."""
        rate = rate * group.multiplier
        if group.parameters[0].dtype == torch.float64:
            return rate, momentum, (1.0 - momentum) * rate
        rate, momentum = float32(rate), float32(momentum)
        return rate, momentum, float32(float32(1.0 - momentum) * rate)

    def _step_dense(
        self,
        group: _Group,
        gradients: list[Tensor],
        parameters: list[Tensor],
        states: list[Tensor],
        samples: int,
        rate: float,
        momentum: float,
    ) -> None:
        rate, momentum, gain = self._numbers(group, rate, momentum)
        if self._threshold != math.inf:
            gradients = [self._clipped(g, samples) for g in gradients]
        decay = self._regularisation.l2 * samples if group.regularised else 0.0
        if momentum > 0 and not self._nesterov:
            # One pass over memory. torch computes s = m s + (1 - dampening) (g + decay W), W -= lr s.
            gradients = [g if g.is_contiguous() else g.contiguous() for g in gradients]
            torch._fused_sgd_(
                parameters, gradients, states, weight_decay=decay, momentum=momentum, lr=1.0, dampening=1.0 - gain,
                nesterov=False, maximize=False, is_first_step=False,
            )  # fmt: skip
        else:
            if decay > 0:
                gradients = list(torch._foreach_add(gradients, parameters, alpha=decay))
            torch._foreach_mul_(states, momentum)
            torch._foreach_add_(states, gradients, alpha=gain)
            if self._nesterov:
                torch._foreach_add_(parameters, states, alpha=-momentum)
                torch._foreach_add_(parameters, gradients, alpha=-gain)
            else:
                torch._foreach_sub_(parameters, states)
        self._finish(group, parameters, samples, rate)

    def _step_sparse(
        self,
        group: _Group,
        gradient: Tensor,
        parameter: Tensor,
        state: Tensor,
        samples: int,
        rate: float,
        momentum: float,
    ) -> None:
        if self._regularisation.l2 > 0 and group.regularised:  # it changes every row
            self._step_dense(group, [gradient.to_dense()], [parameter], [state], samples, rate, momentum)
            return
        rate, momentum, _ = self._numbers(group, rate, momentum)
        rows, values = gradient.indices()[0], gradient.values()
        if self._threshold != math.inf:
            values = self._clipped(values, samples)
        if momentum == 0:
            parameter.index_add_(0, rows, values, alpha=-rate)
        else:
            smooth = state[rows].mul_(momentum).add_(values, alpha=1.0 - momentum)
            state[rows] = smooth
            # The reference leaves out the rate in its sparse Nesterov step, which diverges; this is the dense form.
            move = smooth.mul(momentum).add_(values, alpha=1.0 - momentum) if self._nesterov else smooth
            parameter.index_add_(0, rows, move, alpha=-rate)
        self._finish(group, [parameter], samples, rate)

    def _clipped(self, gradient: Tensor, samples: int) -> Tensor:
        limit = self._threshold * samples
        if self._truncate:
            return gradient.clamp(-limit, limit)
        norm = float(torch.linalg.vector_norm(gradient))
        return gradient * (limit / norm) if norm > limit else gradient

    def _finish(self, group: _Group, parameters: list[Tensor], samples: int, rate: float) -> None:
        """What comes after the step: noise, and the shrinking of L1."""
        if self._noise > 0:
            for parameter in parameters:
                noise = torch.randn(
                    parameter.shape, generator=self._random, dtype=parameter.dtype, device=parameter.device
                )
                parameter.add_(noise, alpha=self._noise)
        if self._regularisation.l1 > 0 and group.regularised:
            shrink = rate * self._regularisation.l1 * samples
            for parameter in parameters:
                parameter.copy_(functional.softshrink(parameter, shrink))

    # --- state -------------------------------------------------------------------------------------------------------

    def stored(self) -> list[np.ndarray]:
        """The state as a checkpoint holds it: one matrix for each parameter, columns by rows."""
        return [_matrix(s).cpu().numpy() for s in self.states]

    @torch.no_grad()
    def restore(self, stored: Sequence[np.ndarray]) -> bool:
        """Takes the state of a checkpoint; False, with nothing changed, where it does not fit the parameters."""
        if len(stored) != len(self.states) or any(
            s.numel() != a.size for s, a in zip(self.states, stored, strict=True)
        ):
            return False
        for state, array in zip(self.states, stored, strict=True):
            state.copy_(torch.tensor(array).view(state.shape))
        return True


def _matrix(tensor: Tensor) -> Tensor:
    """A tensor as the matrix that the reference stores: rows are the first dimension, which comes last here."""
    if tensor.dim() == 0:
        return tensor.view(1, 1)
    return tensor.reshape(-1, tensor.shape[-1])
