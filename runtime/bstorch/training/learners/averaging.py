"""The mean of the factors by which an adaptive rule scales the elements of a gradient."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def mean_factor(factors: Tensor, unrolled: int = 1) -> Tensor | float:
    """The mean over all elements, as the reference adds it up on the CPU: one after the other in the element type,
    `unrolled` of them at a time. On other devices the plain mean."""
    if factors.device.type != "cpu":
        return factors.double().mean()
    flat = factors.reshape(-1).numpy()
    if not len(flat):
        return 1.0
    whole = len(flat) - len(flat) % unrolled
    parts = flat[:whole].reshape(-1, unrolled)
    summands = parts[:, 0].copy()
    for k in range(1, unrolled):
        summands += parts[:, k]
    total = np.add.accumulate(np.concatenate([summands, flat[whole:]]))[-1]
    return float(total / flat.dtype.type(len(flat)))
