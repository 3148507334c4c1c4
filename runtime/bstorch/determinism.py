"""`forceDeterministicAlgorithms`: the same run again gives the same numbers again, to the last bit, also on a GPU.

The key counts at the top of the config, where the reference looks for it. As there, one CPU thread computes then, whatever
`numCPUThreads` says, since more of them may add up in another order.
"""

from __future__ import annotations

import os

import torch

from bsls.config.section import Section

KEY = "forceDeterministicAlgorithms"
LINE = "WARNING: forceDeterministicAlgorithms flag is specified. Using 1 CPU thread for processing."
"""What the log says of it."""
_WORKSPACE = ":16:8"
"""The one workspace of cuBLAS with which both plain products and the LSTM of cuDNN always add up in the same order."""


def is_deterministic(config: Section) -> bool:
    """Whether the config asks for it."""
    return config.get_boolean(KEY, False)


def follow_determinism(config: Section) -> None:
    """Has torch use algorithms that repeat themselves; with a warning where an operation has none.

    A run without the key takes back what one before it in the same process has set. Before anything is computed, since
    cuBLAS looks at its environment variable but once.
    """
    wanted = is_deterministic(config)
    if not wanted and not torch.are_deterministic_algorithms_enabled():
        return
    torch.use_deterministic_algorithms(wanted, warn_only=True)
    # Memory that nobody has written to would be filled, which costs time; no kernel reads such memory.
    torch.utils.deterministic.fill_uninitialized_memory = not wanted  # type: ignore[attr-defined]
    torch.backends.cudnn.deterministic = wanted
    torch.backends.cudnn.benchmark = False
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _WORKSPACE)
