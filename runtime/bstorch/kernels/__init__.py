"""Torch implementations of the operations, one file per family, joined with `schema.ops` by the operation's name."""

from bstorch.kernels import (
    convolution,
    criteria,
    cropping,
    delays,
    elementwise,
    inputs,
    noise,
    normalization,
    pooling,
    reductions,
    reshaping,
    sequences,
    similarity,
    softmax,
    times,
)
from bstorch.kernels.base import KERNELS, Environment, Forward, Kernel, get

__all__ = [
    "KERNELS",
    "Environment",
    "Forward",
    "Kernel",
    "convolution",
    "criteria",
    "cropping",
    "delays",
    "elementwise",
    "get",
    "inputs",
    "noise",
    "normalization",
    "pooling",
    "reductions",
    "reshaping",
    "sequences",
    "similarity",
    "softmax",
    "times",
]
