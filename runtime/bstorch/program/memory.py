"""One message where memory runs out: which node, how much, what to do."""

from __future__ import annotations

import re

import torch

from bsls.finding import BsError
from bsls.network.node import Node

_AMOUNT = re.compile(r"allocate ([\d.]+ ?\w+)")


def out_of_memory(error: RuntimeError, node: Node | None, device: torch.device) -> BsError | None:
    """What is said of an error of torch that means too little memory, None of any other; `node` is the one that was
    computed, None on the way back."""
    text = str(error)
    if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in text:
        return None
    where = "the computer" if device.type == "cpu" else "the GPU"
    asked = f" when {amount[1]} more were asked for" if (amount := _AMOUNT.search(text)) else ""
    what = f"while '{node.name}' ({node.op}) was computed" if node is not None else "while gradients were computed"
    return BsError(
        "out-of-memory",
        f"the memory of {where} ran out {what}{asked}",
        node.origin if node is not None else None,
        help="lower minibatchSize, or use shorter sequences",
    )
