"""EditDistanceError: how many edits make the labels of one sequence those of another.

Of each frame the largest element is the label; labels that follow one another may count once, some may not count at all.
Substitutions, deletions and insertions have prices; the cheapest way is looked for, but its edits are counted, not its
price. The sum over all sequences is given for each label of the first operand, times the frames of the minibatch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, Forward, axis_of, kernel
from bstorch.kernels.criteria import samples
from bstorch.program.layout import Indices


@kernel("EditDistanceError")
def edit_distance_error(node: Node, environment: Environment) -> Forward:
    first, second, axis = samples(node, 0), samples(node, 1), axis_of(node.inputs[0])
    prices = tuple(float(node.attributes.get(p, 1.0)) for p in ("subPen", "delPen", "insPen"))  # type: ignore[arg-type]
    squash = bool(node.attributes.get("squashInputs", False))
    ignored = np.atleast_1d(np.asarray(node.attributes.get("tokensToIgnore", ()), np.int64))

    def error(a: Tensor, b: Tensor) -> Tensor:
        layout = environment.layouts[axis]
        order, ends = layout.by_sequence, np.cumsum(layout.lengths)[:-1]
        edits = tokens = 0
        labels = [first(a).argmax(1).cpu()[order].numpy(), second(b).argmax(1).cpu()[order].numpy()]
        for x, y in zip(*(np.split(s, ends) for s in labels), strict=True):
            said, meant = _tokens(x, squash, ignored), _tokens(y, squash, ignored)
            edits += _edits(said.tolist(), meant.tolist(), *prices)
            tokens += len(said)
        value = edits * layout.frames / tokens if tokens else 0.0
        return torch.full((1,), value, dtype=a.dtype, device=a.device)

    return error


def _tokens(labels: Indices, squash: bool, ignored: Indices) -> Indices:
    if squash and len(labels):
        labels = labels[np.append(True, labels[1:] != labels[:-1])]
    return labels[~np.isin(labels, ignored)]


def _edits(x: list[int], y: list[int], substitution: float, deletion: float, insertion: float) -> int:
    """Number of edits on the cheapest way; where several cost the same, a substitution comes first, then an insertion."""
    row = [(j * insertion, j) for j in range(len(y) + 1)]
    for i, label in enumerate(x, 1):
        above, row = row, [(i * deletion, i)]
        for j, other in enumerate(y, 1):
            if label == other:
                row.append(above[j - 1])
                continue
            removed, added, changed = above[j][0] + deletion, row[j - 1][0] + insertion, above[j - 1][0] + substitution
            if changed <= removed and changed <= added:
                row.append((changed, above[j - 1][1] + 1))
            elif removed < added:
                row.append((removed, above[j][1] + 1))
            else:
                row.append((added, row[j - 1][1] + 1))
    return row[-1][1]
