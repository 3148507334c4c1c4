"""A loop that is an LSTM and nothing else, run by torch's fused LSTM over many time steps at once.

That wants a rectangle of time steps and sequences, so the minibatch is cut in time into a few of them: each begins with the
sequences that are still there, and what a sequence that ends within one leaves empty is computed in vain.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.loops import Loop
from bsls.network.node import Node
from bstorch.kernels.base import DTYPES, Environment, axis_of, dtype_of, elements, has_axis, shape_of
from bstorch.kernels.delays import Delay
from bstorch.kernels.times import weight_matrix
from bstorch.program.layout import Indices, MinibatchLayout
from bstorch.program.lstm import Cell
from bstorch.program.recurrence import Inner, Recurrence

CALL = 120
"""What another call of the fused LSTM costs, in frames: it brings the weights into an order of its own each time."""

# Weights are parameters of their own, so torch must copy them together in each minibatch, which it warns of.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk of memory")


@dataclass(frozen=True, slots=True)
class Layer:
    """h = LSTM (sum of W x + sum of b), as nodes."""

    cell: Cell
    last_hidden: Node
    last_state: Node
    recurrent: Node
    """The weights for the hidden state of the frame before."""
    products: tuple[tuple[Node, Node], ...]
    """The weights and values of the inputs."""
    biases: tuple[Node, ...]
    outer: frozenset[Node]
    """Nodes outside the loop that nothing but the layer needs."""


def find_layer(loop: Loop, cell: Cell, users: Mapping[Node, list[Node]], kept: Collection[Node]) -> Layer | None:
    """The layer if the loop, which holds `cell`, is one; `users` and `kept` as for `fuse_affine`."""
    members = set(loop.nodes)
    delays = [n for n in loop.nodes if n.op in ("PastValue", "FutureValue")]
    if len(delays) != 2 or len({d.op for d in delays}) != 1 or shape_of(cell.hidden).rank != 1:
        return None
    last_hidden = next((d for d in delays if d.inputs[0] is cell.hidden), None)
    last_state = next((d for d in delays if d.inputs[0] is cell.state), None)
    if (
        last_hidden is None
        or last_state is None
        or last_state is not cell.before
        or not all(_is_plain(d, cell) for d in delays)
    ):
        return None
    summands = _Summands(members, users, kept)
    summands.collect(cell.projections)
    recurrent = [n for n in summands.found if n in members]
    if len(recurrent) != 1 or not _is_product(recurrent[0], members) or recurrent[0].inputs[1] is not last_hidden:
        return None
    own = summands.inner | cell.inner | {cell.state, cell.hidden, last_hidden, last_state, recurrent[0]}
    hidden = own - {cell.hidden}
    if own != members or hidden.intersection(kept) or not all(own.issuperset(users[n]) for n in hidden):
        return None
    size = elements(cell.projections)
    products, biases, outer = [], [], set(summands.outer)
    for node in summands.found:
        if node is recurrent[0]:
            continue
        if not has_axis(node) and elements(node) == size:
            biases.append(node)
        elif _is_product(node, ()) and node not in kept and len(users[node]) == 1:
            products.append((node.inputs[0], node.inputs[1]))
            outer.add(node)
        else:
            return None
    if not products:
        return None
    return Layer(
        cell, last_hidden, last_state, recurrent[0].inputs[0], tuple(products), tuple(biases), frozenset(outer)
    )


def _is_plain(delay: Node, cell: Cell) -> bool:
    return int(delay.attributes.get("timeStep", 1)) == 1 and shape_of(delay).dims == shape_of(cell.hidden).dims  # type: ignore[call-overload]


def _is_product(node: Node, members: Collection[Node]) -> bool:
    """Whether the node is a matrix, the same for all frames, times a vector of each frame."""
    if node.op != "Times" or shape_of(node).rank != 1 or node.attributes.get("inferInputRankToMap", -1) != -1:
        return False
    weights, x = node.inputs
    if has_axis(weights) or weights in members or not has_axis(x) or x.op == "SparseInputValue":
        return False
    return weight_matrix(weights, 1) == (elements(x), elements(node))


class _Summands:
    """The operands of a tree of sums that nothing else needs."""

    def __init__(self, members: Collection[Node], users: Mapping[Node, list[Node]], kept: Collection[Node]) -> None:
        self._members, self._users, self._kept = members, users, kept
        self.found: list[Node] = []
        self.inner: set[Node] = set()
        """The sums within the loop."""
        self.outer: set[Node] = set()
        """The sums outside it."""

    def collect(self, node: Node, top: bool = True) -> None:
        size = elements(node)
        alone = top or (len(self._users[node]) == 1 and node not in self._kept)
        if node.op == "Plus" and alone and has_axis(node) and all(elements(i) == size for i in node.inputs):
            (self.inner if node in self._members else self.outer).add(node)
            for operand in node.inputs:
                self.collect(operand, False)
        else:
            self.found.append(node)


class GateRows(Function):
    """Weights [4 H x I], as the tensor (I, 4 H), as torch wants them: (4 H, I), with the gates in the order i, f, g, o."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, order: tuple[int, ...]) -> Tensor:
        ctx.order = order
        gates = weights.t().contiguous().chunk(4)
        return torch.cat([gates[k] for k in order])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        gates = gradients[0].chunk(4)
        return torch.cat([gates[ctx.order.index(k)] for k in range(4)]).t().contiguous(), None


@dataclass(frozen=True, slots=True)
class Rectangles:
    """How a minibatch is cut: `parts` are time steps and sequences of each rectangle, `sources` the packed frame at each of
    their places, `places` the place of each packed frame; both None where that is the packed order itself."""

    parts: list[tuple[int, int]]
    sources: Tensor | None
    places: Tensor | None

    @classmethod
    def of(cls, layout: MinibatchLayout, backwards: bool) -> Rectangles:
        """For a loop from the beginning of the sequences to their end or, `backwards`, the other way."""
        sizes = layout.batch_sizes
        cuts = _cuts(sizes)
        parts = [(b - a, int(sizes[a])) for a, b in pairwise(cuts)]
        if not backwards and sum(t * b for t, b in parts) == layout.frames:
            return cls(parts, None, None)
        starts = layout.step_starts
        lengths = np.sort(layout.lengths)[::-1]
        sources: list[Indices] = []
        places = np.empty(layout.frames, np.int64)
        done = 0
        for a, (steps, count) in zip(cuts[:-1], parts, strict=True):
            time, row = np.divmod(np.arange(steps * count), count)
            time += a
            there = time < lengths[row]
            turned = lengths[row] - 1 - time if backwards else time
            frames = np.where(there, starts[np.maximum(turned, 0)] + row, 0)
            places[frames[there]] = done + np.nonzero(there)[0]
            sources.append(frames)
            done += steps * count
        return cls(parts, torch.from_numpy(np.concatenate(sources)), torch.from_numpy(places))


def _cuts(sizes: Indices) -> list[int]:
    """The time steps at which rectangles begin, and the end: as cheap as can be."""
    borders = [0, *(np.nonzero(np.diff(sizes))[0] + 1).tolist(), len(sizes)]
    heights = sizes[borders[:-1]].tolist()
    n = len(heights)
    cost: list[float] = [0.0] * (n + 1)
    following = [n] * (n + 1)
    for i in range(n - 1, -1, -1):
        begin, height = borders[i], heights[i]
        cost[i], following[i] = min((CALL + height * (borders[j] - begin) + cost[j], j) for j in range(i + 1, n + 1))
    cuts, i = [0], 0
    while i < n:
        i = following[i]
        cuts.append(borders[i])
    return cuts


class FusedLSTM:
    """Called with the values of `inputs`, gives the hidden states of all frames, as the only element.

    The same goes step by step, by `before` (the nodes of the layer outside the loop) and `recurrence`, for sequences that
    are cut off, whose state must be kept, and where torch has no fused LSTM.
    """

    def __init__(self, layer: Layer, before: Sequence[Inner], recurrence: Recurrence, environment: Environment) -> None:
        self._before = before
        self._recurrence = recurrence
        needed = [i for inner in before for i in inner.inputs] + list(recurrence.inputs)
        self.inputs = tuple(dict.fromkeys(n for n in needed if n not in layer.outer))
        place = {node: i for i, node in enumerate(self.inputs)}
        self._environment = environment
        self._axis = axis_of(layer.cell.hidden)
        self._size = elements(layer.cell.hidden)
        self._double = dtype_of(layer.cell.hidden) == DTYPES["double"]
        f, i, g, o = layer.cell.parts
        self._order = (i, f, g, o)
        self._products = [(place[w], place[x], weight_matrix(w, 1)) for w, x in layer.products]
        self._biases = [place[b] for b in layer.biases]
        self._recurrent = place[layer.recurrent]
        self._delays = [
            (Delay(node, environment), place[node.inputs[1]] if len(node.inputs) > 1 else None)
            for node in (layer.last_hidden, layer.last_state)
        ]
        self._backwards = self._delays[0][0].backwards

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        layout = self._environment.layouts[self._axis]
        device = values[0].device
        if layout.goes_on or layout.frames == 0 or (device.type == "cpu" and not self._on_cpu()):
            return self._stepwise(values)
        weights, recurrent, bias = self._weights(values)
        parameters = [weights, recurrent, bias, torch.zeros_like(bias)]
        x = [values[i].reshape(-1, reduced) for _, i, (reduced, _) in self._products]
        x = x[0] if len(x) == 1 else torch.cat(x, 1)
        hidden, state = (
            self._initial(delay, layout, device, None if i is None else values[i]) for delay, i in self._delays
        )
        train = torch.is_grad_enabled() and any(v.requires_grad for v in (x, *parameters))
        if device.type != "cpu":
            return (self._packed(x, hidden, state, parameters, layout, train),)
        cut = Rectangles.of(layout, self._backwards)
        if cut.sources is not None:
            x = x.index_select(0, cut.sources)
        outputs: list[Tensor] = []
        for piece, (steps, count) in zip(x.split([t * b for t, b in cut.parts]), cut.parts, strict=True):
            before = (hidden[:, :count].contiguous(), state[:, :count].contiguous())
            output, hidden, state = torch.lstm(
                piece.view(steps, count, -1), before, parameters, True, 1, 0.0, train, False, False
            )
            outputs.append(output.reshape(steps * count, self._size))
        result = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        return (result if cut.places is None else result.index_select(0, cut.places),)

    def _packed(
        self, x: Tensor, hidden: Tensor, state: Tensor, parameters: list[Tensor], layout: MinibatchLayout, train: bool
    ) -> Tensor:
        """What takes packed sequences as they are: the libraries of GPUs."""
        turn = None
        if self._backwards:
            last = np.sort(layout.lengths)[::-1] - 1
            row = np.arange(layout.frames) - layout.step_starts[layout.frame_time]
            turn = torch.from_numpy(layout.step_starts[last[row] - layout.frame_time] + row).to(x.device)
            x = x.index_select(0, turn)
        sizes = torch.from_numpy(layout.batch_sizes)
        output, _, _ = torch.lstm(x, sizes, (hidden, state), parameters, True, 1, 0.0, train, False)
        return output if turn is None else output.index_select(0, turn)

    def _stepwise(self, values: Sequence[Tensor]) -> tuple[Tensor, ...]:
        known = dict(zip(self.inputs, values, strict=True))
        for inner in self._before:
            known[inner.node] = inner.forward(*[known[i] for i in inner.inputs])
        return self._recurrence(*[known[i] for i in self._recurrence.inputs])

    def _on_cpu(self) -> bool:
        return not self._double and torch.backends.mkldnn.is_available()

    def _weights(self, values: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Weights of the input and of the hidden state, bias: as torch wants them."""
        order, rows = self._order, 4 * self._size
        inputs = [GateRows.apply(values[i].reshape(shape), order) for i, _, shape in self._products]
        recurrent = GateRows.apply(values[self._recurrent].reshape(-1, rows), order)
        bias = recurrent.new_zeros(rows)
        if self._biases:
            total = sum(
                (values[i].reshape(1, rows) for i in self._biases[1:]), values[self._biases[0]].reshape(1, rows)
            )
            bias = GateRows.apply(total, order).view(-1)
        return inputs[0] if len(inputs) == 1 else torch.cat(inputs, 1), recurrent, bias

    def _initial(self, delay: Delay, layout: MinibatchLayout, device: torch.device, initial: Tensor | None) -> Tensor:
        """The state before the first frame that is computed: (1, sequences, H), the longest sequence first."""
        borders = delay.borders(layout, device, initial)
        if delay.backwards and initial is not None:
            time = np.repeat(np.arange(len(layout.batch_sizes)), counts := delay.border_counts(layout))
            first = (layout.batch_sizes - counts)[time]
            row = first + np.arange(len(time)) - np.repeat(np.cumsum(counts) - counts, counts)
            borders = borders.index_select(0, torch.from_numpy(np.argsort(row)).to(device))
        return borders.unsqueeze(0)
