"""Leaves that take their value from the run itself; what the reader fills and parameters are bound by the program."""

from __future__ import annotations

import torch

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, dtype_of, kernel


@kernel("EnvironmentInput")
def environment_input(node: Node, environment: Environment) -> Forward:
    dtype = dtype_of(node)
    return lambda: torch.full((1,), float(environment.training), dtype=dtype, device=environment.device)
