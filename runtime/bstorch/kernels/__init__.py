"""Torch implementations of the operations, one file per family, joined with `schema.ops` by the operation's name."""

from bstorch.kernels import (
    criteria,
    delays,
    elementwise,
    inputs,
    noise,
    normalization,
    reductions,
    reshaping,
    sequences,
    softmax,
    times,
)
from bstorch.kernels.base import KERNELS, Environment, Forward, Kernel, get

__all__ = [
    "KERNELS",
    "Environment",
    "Forward",
    "Kernel",
    "criteria",
    "delays",
    "elementwise",
    "get",
    "inputs",
    "noise",
    "normalization",
    "reductions",
    "reshaping",
    "sequences",
    "softmax",
    "times",
]
