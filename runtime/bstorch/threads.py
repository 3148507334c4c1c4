"""How many threads compute: what the user says, else as many as the work is worth.

Handing small tensors from thread to thread costs more than computing them, above all on a machine that does other things.
"""

from __future__ import annotations

import os
from math import prod

import torch

from bsls.config.section import Section
from bsls.network.network import Network
from bstorch.determinism import is_deterministic

SMALL_WORK = 10_000_000
"""Multiplications of a minibatch below which one thread is faster."""

_chosen = False


def follow_thread_setting(config: Section) -> None:
    """`numCPUThreads`: that many threads; below 0, that many fewer than there are processors; 0, it is left to us.

    One in any case where the run shall repeat itself.
    """
    global _chosen
    wanted = 1 if is_deterministic(config) else config.get_integer("numCPUThreads", 0)
    _chosen = wanted != 0
    if _chosen:
        torch.set_num_threads(max(1, wanted if wanted > 0 else (os.cpu_count() or 1) + wanted))


def suit_threads(network: Network, samples: int) -> None:
    """One thread for small minibatches of `samples`, else all processors; unless the user or the environment has chosen."""
    if _chosen or "OMP_NUM_THREADS" in os.environ:
        return
    torch.set_num_threads(1 if work_of_sample(network) * samples < SMALL_WORK else os.cpu_count() or 1)


def work_of_sample(network: Network) -> int:
    """About how many multiplications a sample takes: a value of a parameter is used once, that of a filter at each place of
    the smaller one of the two pictures."""
    values = sum(n.shape.elements for n in network.parameters if n.shape is not None)
    for node in network:
        if node.op != "Convolution" or not node.inputs[0].is_parameter:
            continue
        filters, *pictures = (n.shape for n in (node.inputs[0], node.inputs[1], node))
        if filters is not None:
            places = min(prod(p.dims[:-1]) for p in pictures if p is not None)
            values += filters.elements * max(places - 1, 0)
    return values
