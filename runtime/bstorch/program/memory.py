"""One message where memory runs out: which node, how much, what to do."""

from __future__ import annotations

import re

import torch

from bsls.finding import BsError
from bsls.network.node import Node

_AMOUNT = re.compile(r"allocate ([\d.]+ ?\w+)")


def out_of_memory(
    error: RuntimeError, node: Node | None, device: torch.device, *, could_recompute: bool = False
) -> BsError | None:
    """What is said of an error of torch that means too little memory, None of any other; `node` is the one that was
    computed, None on the way back; in a training that `could_recompute` values there, that is said."""
    text = str(error)
    if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in text:
        return None
    where = "the computer" if device.type == "cpu" else "the GPU"
    asked = f" when {amount[1]} more were asked for" if (amount := _AMOUNT.search(text)) else ""
    what = f"while '{node.name}' ({node.op}) was computed" if node is not None else "while gradients were computed"
    less = "lower minibatchSize, or use shorter sequences"
    return BsError(
        "out-of-memory",
        f"the memory of {where} ran out {what}{asked}",
        node.origin if node is not None else None,
        help=f"{less}; recomputeActivations = true in SGD takes less memory, too" if could_recompute else less,
    )
