"""BatchNormalization and the normalisation with precomputed mean and deviation.

A minibatch of N frames moves the running statistics by a factor a, which depends on the time constant T and on the frames
seen so far C: 1 for the first minibatch; N / (N + C) for T < 0; 1 - exp(-N / T) for T > 0; 1 for T = 0; 0 for T infinite.
Values are normalised with the biased variance of the minibatch, the running one takes the unbiased estimate. On the CPU
the reference uses the statistics of the minibatch alone while training, on a GPU it blends the running ones in.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, elements, kernel, shape_of
from bstorch.kernels.broadcast import broadcasting
from bstorch.kernels.criteria import away_from_zero

_SMALL = 1 << 16
"""Values of a minibatch up to which its sums are taken in double precision."""

_MAX_COUNT = 2**63
"""More than any count; a file has 64 bits for it."""


def with_exact_sums(x: Tensor, scale: Tensor, bias: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Normalisation in single precision but for the sums of its statistics: over few values their rounding would be the
    largest error of a training step. Also gives the mean and the biased variance, in double precision."""
    dims, view = (0, *range(2, x.dim())), (1, -1, *(1,) * (x.dim() - 2))
    variance, mean = torch.var_mean(x.double(), dims, correction=0)
    inverse = torch.rsqrt(variance + epsilon).to(x.dtype).view(view)
    normal = (x - mean.to(x.dtype).view(view)) * inverse
    return normal * scale.view(view) + bias.view(view), mean.detach(), variance.detach()


class BatchNormalization:
    """The compiled BatchNormalization of one node.

    Time constants are read from the node in each minibatch, since the trainer may change them between epochs.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        self._node = node
        self._environment = environment
        self._axis = axis_of(node)
        self._epsilon = float(node.attributes.get("epsilon", 1e-5))  # type: ignore[arg-type]
        dims = shape_of(node).dims
        if node.attributes.get("spatial") and dims:
            # [W x H x C]: one statistic for each channel, the last axis, which comes first in a tensor.
            self._view: tuple[int, ...] = (-1, dims[-1], max(math.prod(dims[:-1]), 1))
        else:
            self._view = (-1, elements(node))
        self._fits = len(self._view) == 3 and len(dims) > 1  # torch takes more axes as they are, in any memory format

    def _time_constant(self, name: str) -> float:
        return float(self._node.attributes.get(name, 0.0))  # type: ignore[arg-type]

    def update_factor(self, frames: int, seen: float) -> float:
        """Weight of this minibatch's statistics in the running ones."""
        constant = self._time_constant("normalizationTimeConstant")
        if constant < 0:
            return frames / (frames + seen)
        if seen == 0:
            return 1.0
        if math.isinf(constant):
            return 0.0
        return -math.expm1(-frames / constant) if constant > 0 else 1.0

    def blend_factor(self, frames: int, seen: float) -> float:
        """Weight of the running statistics in those that normalise."""
        constant = self._time_constant("blendTimeConstant")
        if seen == 0 or constant <= 0:
            return 0.0
        return 1.0 if math.isinf(constant) else constant / (constant + frames)

    def __call__(
        self, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, count: Tensor | None = None
    ) -> Tensor:
        flat = x if self._fits else x.reshape(self._view)
        scale, bias, mean, variance = (
            scale.reshape(-1),
            bias.reshape(-1),
            mean.detach().view(-1),
            variance.detach().view(-1),
        )
        if x.numel() == 0:  # nothing to learn from; torch's own backward does not return from this
            return x * scale.sum() + bias.sum()
        if not self._environment.training:
            return torch.native_batch_norm(flat, scale, bias, mean, variance, False, 0.0, self._epsilon)[0].reshape(
                x.shape
            )
        layout = self._environment.layouts[self._axis]
        seen = float(self._node.attributes.get("runCount", 0) if count is None else count)  # type: ignore[arg-type]
        update = self.update_factor(layout.frames, seen)
        blend = self.blend_factor(layout.frames, seen)
        if blend > 0 and x.device.type != "cpu":
            result = self._blended(flat, scale, bias, mean, variance, update, blend)
        else:
            gaps = layout.matrix_columns - layout.frames
            # Gap columns of the reference's matrix count as zeros.
            full = flat if gaps == 0 else torch.cat([flat, flat.new_zeros((gaps, *flat.shape[1:]))])
            result = self._normalised(full, scale, bias, mean, variance, update)
            result = result if gaps == 0 else result[: x.shape[0]]
        if update != 0 or blend != 1:
            if count is None:  # old models have no parameter for it
                self._node.attributes["runCount"] = int(min(seen + layout.frames, _MAX_COUNT))
            else:
                with torch.no_grad():
                    count.add_(layout.frames)
        return result if result.shape == x.shape else result.reshape(x.shape)

    def _normalised(
        self, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, update: float
    ) -> Tensor:
        """Normalises with the statistics of the minibatch and moves the running ones."""
        if 0 < x.numel() <= _SMALL and x.dtype == torch.float32:
            result, batch_mean, batch_variance = with_exact_sums(x, scale, bias, self._epsilon)
            if update != 0:
                n = x.numel() // scale.numel()
                with torch.no_grad():
                    mean.copy_(torch.lerp(mean.double(), batch_mean, update))
                    unbiased = batch_variance * (n / (n - 1)) if n > 1 else torch.zeros_like(batch_variance)
                    variance.copy_(torch.lerp(variance.double(), unbiased, update))
            return result
        if update == 0:
            return torch.native_batch_norm(x, scale, bias, None, None, True, 0.0, self._epsilon)[0]
        if x.numel() // scale.numel() > 1:
            return torch.native_batch_norm(x, scale, bias, mean, variance, True, update, self._epsilon)[0]
        # The unbiased variance of a single value is 0/0, which would spoil the model for good; it counts as 0 here.
        result, batch_mean, _ = torch.native_batch_norm(x, scale, bias, None, None, True, 0.0, self._epsilon)
        with torch.no_grad():
            mean.lerp_(batch_mean, update)
            variance.mul_(1.0 - update)
        return result

    def _blended(
        self, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, update: float, blend: float
    ) -> Tensor:
        dims = (0, *range(2, x.dim()))
        n = x.numel() // scale.numel()
        batch_variance, batch_mean = torch.var_mean(x, dims, correction=0)
        used_mean = mean * blend + batch_mean * (1.0 - blend)
        used_variance = variance * blend + batch_variance * (1.0 - blend)
        if update != 0:
            with torch.no_grad():
                mean.lerp_(batch_mean, update)
                variance.lerp_(batch_variance * (n / max(n - 1, 1)), update)
        shape = (1, -1, *(1,) * (x.dim() - 2))
        normal = (x - used_mean.view(shape)) * torch.rsqrt(used_variance + self._epsilon).view(shape)
        return normal * scale.view(shape) + bias.view(shape)


@kernel("BatchNormalization")
def batch_normalization(node: Node, environment: Environment) -> Forward:
    return BatchNormalization(node, environment)


@kernel("PerDimMeanVarNormalization")
def normalise(node: Node, environment: Environment) -> Forward:
    return broadcasting(node, lambda x, mean, inverse: (x - mean) * inverse)


@kernel("PerDimMeanVarDeNormalization")
def denormalise(node: Node, environment: Environment) -> Forward:
    return broadcasting(node, lambda x, mean, inverse: x / away_from_zero(inverse) + mean)
