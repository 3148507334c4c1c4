"""The cell of an LSTM, recognised in a loop, with as few operations as can be: of the library or written out by hand.

With the sum z of the projections, cut into four parts, and the cell state c' of the frame before:

    c = sigmoid(f) .* c' + sigmoid(i) .* tanh(g)        h = sigmoid(o) .* tanh(c)

where f, i, g and o are slices of z in any order. What else is done with c and h does not matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import shape_of
from bstorch.kernels.reshaping import slices


@dataclass(frozen=True, slots=True)
class Cell:
    """A recognised cell; `parts` are the numbers of the slices f, i, g, o of `projections`."""

    projections: Node
    before: Node
    state: Node
    hidden: Node
    inner: frozenset[Node]
    """Nodes that nothing but the cell needs."""
    parts: tuple[int, int, int, int]

    def __call__(self, z: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """The new state and the hidden state."""
        parts = z.chunk(4, -1)
        f, i, g, o = (parts[k] for k in self.parts)
        state = torch.addcmul(torch.sigmoid(f) * before, torch.sigmoid(i), torch.tanh(g))
        return state, torch.sigmoid(o) * torch.tanh(state)


def find_cells(nodes: Collection[Node], users: Mapping[Node, list[Node]], kept: Collection[Node]) -> Iterator[Cell]:
    """The cells among the nodes of a loop; `users` and `kept` as for `fuse_affine`."""
    for node in nodes:
        cell = _cell(node)
        if (
            cell is not None
            and {cell.projections, cell.state}.issubset(nodes)
            and not cell.inner.intersection(kept)
            and all((cell.inner | {cell.state, cell.hidden}).issuperset(users[n]) for n in cell.inner)
        ):
            yield cell


def _cell(hidden: Node) -> Cell | None:
    if (found := _gated(hidden)) is None:
        return None
    output, squashed = found
    if squashed.op != "Tanh" or (state := squashed.inputs[0]).op != "Plus":
        return None
    for forgetting, adding in (state.inputs, state.inputs[::-1]):
        kept, added = _gated(forgetting), _gated(adding)
        if kept is None or added is None or added[1].op != "Tanh":
            continue
        (forget, before), (enter, candidate) = kept, added
        cuts = [forget.inputs[0], enter.inputs[0], candidate.inputs[0], output.inputs[0]]
        parts = [_part(cut) for cut in cuts]
        sources = {cut.inputs[0] for cut in cuts if cut.inputs}
        same = {shape_of(n).dims for n in (hidden, state, before, *cuts)}
        if len(sources) == 1 and len(same) == 1 and sorted(p for p in parts if p is not None) == [0, 1, 2, 3]:
            inner = frozenset({output, squashed, forgetting, adding, forget, enter, candidate, *cuts})
            f, i, g, o = (p for p in parts if p is not None)
            return Cell(sources.pop(), before, state, hidden, inner, (f, i, g, o))
    return None


def _gated(node: Node) -> tuple[Node, Node] | None:
    """The Sigmoid and the other operand of their product."""
    if node.op != "ElementTimes":
        return None
    a, b = node.inputs
    return (a, b) if a.op == "Sigmoid" else (b, a) if b.op == "Sigmoid" else None


def _part(node: Node) -> int | None:
    """Which quarter of the first axis of its operand a Slice is."""
    if node.op != "Slice" or len(cuts := slices(node)) != 1:
        return None
    axis, begin, _, stride = cuts[0]
    size, whole = shape_of(node).dims[0], shape_of(node.inputs[0]).dims
    begin = begin + whole[0] if begin < 0 else begin
    if axis != 1 or stride != 1 or whole[0] != 4 * size or begin % size or any(d != 1 for d in whole[1:]):
        return None
    return begin // size
