"""A recurrent loop as one step of a program: its nodes run frame by frame, from the beginning or from the end.

In the packed view a time step is a slice of the frames, and the sequences that go on are its first rows, so that no frame
is computed in vain. What the loop takes from outside is cut into steps once, what it leaves is joined once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from bsls.network.node import Node
from bstorch.kernels.base import Environment, axis_of, elements, has_axis, reversed_dims, shape_of
from bstorch.kernels.delays import Delay
from bstorch.kernels.times import REDUCE_SEQUENCE, weight_matrix
from bstorch.program.held import Held
from bstorch.program.layout import MinibatchLayout


@dataclass(frozen=True, slots=True)
class TimeStep:
    """Which part of the minibatch is computed: the packed frames `begin` to `end` of `layout`, those of time `time`."""

    layout: MinibatchLayout
    time: int
    begin: int
    end: int
    first: bool
    backwards: bool


class Deferred:
    """The weights of a product in a loop, whose gradient is computed when all steps have theirs: as one product in the
    place of one for each."""

    def __init__(self, matrix: Tensor, weights: Sequence[Tensor], columns: Sequence[int]) -> None:
        self.matrix = matrix
        self.noting = False
        self.values: list[Tensor] = []
        """The products of the steps."""
        self._operands: list[Tensor] = []
        self._weights = weights
        self._columns = columns

    def note(self, x: Tensor, value: Tensor) -> None:
        if not value.requires_grad:
            value.requires_grad_(True)  # the weights, which it depends on, are not seen
        self._operands.append(x.detach())
        self.values.append(value)

    def gradients(self, of_values: Sequence[Tensor | None]) -> Iterator[tuple[Tensor, Tensor]]:
        """The weights with their gradients, given those of `values`."""
        pairs = [(x, g) for x, g in zip(self._operands, of_values, strict=True) if g is not None]
        if not pairs:
            return
        x, gradient = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        for weights, part in zip(self._weights, torch.mm(x.t(), gradient).split(self._columns, 1), strict=True):
            if weights.requires_grad:
                yield weights, part.reshape(weights.shape)


class LoopProduct:
    """Times with the same weights in all steps; several of the same operand are one."""

    def __init__(self, nodes: Sequence[Node], added: Node | None = None) -> None:
        self.nodes = nodes
        self.weights = [node.inputs[0] for node in nodes]
        x = nodes[0].inputs[1]
        self._shapes = [_weight_shape(node) for node in nodes]
        self._results = [(-1, *reversed_dims(node)) for node in nodes]
        if added is not None:
            self._results = [(-1, *reversed_dims(added))]
        self._columns = [columns for _, columns in self._shapes]
        self._flat = shape_of(x).rank == 1 and all(len(shape) == 2 for shape in self._results)

    @staticmethod
    def fits(node: Node) -> bool:
        """Whether the node is such a product of a parameter, with one column of results for each frame."""
        if (
            node.op != "Times"
            or not node.inputs[0].is_parameter
            or node.attributes.get("inferInputRankToMap") == REDUCE_SEQUENCE
        ):
            return False
        weights, x = node.inputs
        if has_axis(weights) or not has_axis(x):
            return False
        return elements(node) == _weight_shape(node)[1]

    def begin(self, environment: Environment, *weights: Tensor) -> Deferred:
        """What the steps of a minibatch have in common."""
        matrices = [w.detach().reshape(shape) for w, shape in zip(weights, self._shapes, strict=True)]
        matrix = matrices[0] if len(matrices) == 1 else torch.cat(matrices, 1)
        deferred = Deferred(matrix, weights, self._columns)
        if torch.is_grad_enabled() and any(w.requires_grad for w in weights):
            environment.deferred.append(deferred)
            deferred.noting = True
        return deferred

    def __call__(self, begun: Deferred, x: Tensor, addend: Tensor | None = None) -> Any:
        """The product, or a tuple of the products."""
        if not self._flat:
            x = x.reshape(-1, self._shapes[0][0])
            addend = addend if addend is None else addend.reshape(-1, self._columns[0])
        value = torch.mm(x, begun.matrix) if addend is None else torch.addmm(addend, x, begun.matrix)
        if begun.noting:
            begun.note(x, value)
        if len(self.nodes) == 1:
            return value if self._flat else value.view(self._results[0])
        values = value.split(self._columns, 1)
        return values if self._flat else tuple(v.view(r) for v, r in zip(values, self._results, strict=True))


def _weight_shape(node: Node) -> tuple[int, int]:
    return weight_matrix(node.inputs[0], int(node.attributes.get("outputRank", 1)))  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class Inner:
    """A node of the loop with its compiled function and the nodes that it takes."""

    node: Node
    forward: Callable[..., Any]
    inputs: tuple[Node, ...]


def _with_products(nodes: Sequence[Inner], kept: Collection[Node]) -> list[Inner]:
    """The nodes with products whose weights are the same in all steps as `LoopProduct`: together those of the same
    operand, and with what is added to them."""
    products: dict[Node, list[Node]] = {}  # by operand
    users: dict[Node, list[Node]] = {}
    for inner in nodes:
        for source in inner.inputs:
            users.setdefault(source, []).append(inner.node)
        if inner.inputs == tuple(inner.node.inputs) and LoopProduct.fits(inner.node):
            products.setdefault(inner.inputs[1], []).append(inner.node)
    single = {p[0] for p in products.values() if len(p) == 1}
    added: dict[Node, tuple[Node, Node]] = {}  # of a sum, the product and the other operand
    for inner in nodes:
        node = inner.node
        if node.op != "Plus" or inner.inputs != tuple(node.inputs):
            continue
        for product, other in (inner.inputs, inner.inputs[::-1]):
            if (
                product in single
                and product is not other
                and users[product] == [node]
                and product not in kept
                and has_axis(other)
                and elements(other) == elements(product) == elements(node)
            ):
                added[node] = (product, other)
                break
    swallowed = {product for product, _ in added.values()}
    plan: list[Inner] = []
    for inner in nodes:
        node = inner.node
        if node in swallowed:
            continue
        if node in added:
            product, other = added[node]
            plan.append(Inner(node, LoopProduct([product], node), (product.inputs[1], other)))
        elif len(inner.inputs) == 2 and node in (together := products.get(inner.inputs[1], [])):
            if node is together[0]:
                plan.append(Inner(node, LoopProduct(together), (inner.inputs[1],)))
        else:
            plan.append(inner)
    return plan


class Recurrence:
    """Called with the values of `inputs`, gives those of `outputs`, over all frames of the minibatch."""

    def __init__(self, nodes: Sequence[Inner], outputs: Sequence[Node], environment: Environment) -> None:
        members = {inner.node for inner in nodes}
        self._environment = environment
        delays = [(inner, inner.forward) for inner in nodes if isinstance(inner.forward, Delay)]
        others = [inner for inner in nodes if not isinstance(inner.forward, Delay)]
        self.inputs = tuple(dict.fromkeys(i for inner in nodes for i in inner.inputs if i not in members))
        self.outputs = tuple(outputs)
        slots = {node: i for i, node in enumerate([*self.inputs, *(inner.node for inner in nodes)])}
        self._axes = list(dict.fromkeys(axis_of(inner.node) for inner in nodes))
        initial_only = {d.inputs[1] for d, _ in delays if len(d.inputs) > 1 and d.inputs[1] not in members}
        initial_only -= {i for inner in others for i in inner.inputs} | {d.inputs[0] for d, _ in delays}
        self.framewise = frozenset(i for i in self.inputs if has_axis(i) and i not in initial_only)
        """The inputs that are cut into time steps."""
        self._framewise = [slots[i] for i in self.inputs if i in self.framewise]
        whole = {
            slots[i]
            for inner in nodes
            for k, i in enumerate(inner.inputs)
            if k not in getattr(inner.forward, "pieces", ())
        }
        self._pieces = frozenset(self._framewise) - whole
        """Those of them whose users all take a `Piece` of a `Held`, too."""
        self._delays = [
            (
                delay,
                slots[inner.inputs[0]],
                slots[inner.inputs[1]] if len(inner.inputs) > 1 else None,
                slots[inner.node],
            )
            for inner, delay in delays
        ]
        self._steps: list[tuple[Callable[..., Any], tuple[int, ...], int]] = []
        self._products: list[tuple[LoopProduct, list[int], int]] = []
        kept = {*outputs, *(d.inputs[0] for d, _ in delays)}
        self._slots = len(slots)
        plan = _with_products(others, kept) if not environment.detect_anomaly else others
        for inner in plan:
            places = tuple(slots[i] for i in inner.inputs)
            if not isinstance(inner.forward, LoopProduct):
                self._steps.append((inner.forward, places, slots[inner.node]))
                continue
            product, begun = inner.forward, self._slots
            self._products.append((product, [slots[w] for w in product.weights], begun))
            self._steps.append(
                (product, (begun, *places), self._slots + 1 if len(product.nodes) > 1 else slots[inner.node])
            )
            if len(product.nodes) > 1:
                self._steps += [(itemgetter(k), (begun + 1,), slots[n]) for k, n in enumerate(product.nodes)]
            self._slots += 2
        self._outputs = [slots[n] for n in self.outputs]
        self._kept = sorted({*self._outputs, *(source for _, source, _, _ in self._delays)})
        self._backwards = any(delay.backwards for _, delay in delays)
        self._layouts: dict[int, MinibatchLayout] = {}

    def __call__(self, *values: Tensor) -> tuple[Tensor, ...]:
        layouts = self._environment.layouts
        layout = next(layouts[axis] for axis in self._axes if axis in layouts)
        before = {axis: layouts.get(axis, layout) for axis in self._axes}
        device = values[0].device if values else self._environment.device
        sizes: list[int] = layout.batch_sizes.tolist()
        base: list[Any] = [*values, *[None] * (self._slots - len(values))]
        for product, weights, slot in self._products:
            base[slot] = product.begin(self._environment, *[values[i] for i in weights])
        parts: dict[int, Sequence[Any]] = {
            slot: value.pieces(sizes)
            if slot in self._pieces and isinstance(value := values[slot], Held)
            else values[slot].split(sizes)
            for slot in self._framewise
        }
        borders = [
            self._borders(delay, layout, device, None if initial is None else values[initial])
            for delay, _, initial, _ in self._delays
        ]
        kept: dict[int, list[Tensor | None]] = {slot: list(parts.get(slot, [None] * len(sizes))) for slot in self._kept}
        starts: list[int] = layout.step_starts.tolist()
        steps = range(len(sizes))
        try:
            for number, t in enumerate(reversed(steps) if self._backwards else steps):
                size = sizes[t]
                self._environment.step = TimeStep(layout, t, starts[t], starts[t + 1], number == 0, self._backwards)
                for axis in self._axes:
                    layouts[axis] = self._frames(size)
                now = base.copy()
                for slot, pieces in parts.items():
                    now[slot] = pieces[t]
                for (delay, source, _, slot), border in zip(self._delays, borders, strict=True):
                    now[slot] = _delayed(delay, kept[source], border[t], t, size)
                for function, inputs, slot in self._steps:
                    now[slot] = function(*[now[i] for i in inputs])
                for slot, history in kept.items():
                    history[t] = now[slot]
        finally:
            self._environment.step = None
            layouts.update(before)
        joined = {slot: _joined(history, base[slot]) for slot, history in kept.items()}
        if layout.goes_on:
            for delay, source, _, _ in self._delays:
                delay.keep(layout, joined[source])
        return tuple(joined[slot] for slot in self._outputs)

    @staticmethod
    def _borders(
        delay: Delay, layout: MinibatchLayout, device: torch.device, initial: Tensor | None
    ) -> tuple[Tensor, ...]:
        return delay.borders(layout, device, initial).split(delay.border_counts(layout).tolist())

    def _frames(self, size: int) -> MinibatchLayout:
        """The layout of a single time step."""
        found = self._layouts.get(size)
        if found is None:
            found = self._layouts[size] = MinibatchLayout.of_frames(size)
        return found


def _delayed(delay: Delay, history: list[Tensor | None], border: Tensor, t: int, size: int) -> Tensor:
    source = t + delay.distance if delay.backwards else t - delay.distance
    count = size - len(border)
    if count == 0:
        return border
    value = history[source]
    assert value is not None
    if len(value) != count:
        value = value[:count]
    return value if count == size else torch.cat([value, border])


def _joined(history: list[Tensor | None], whole: Tensor | None) -> Tensor:
    if whole is not None:
        return whole
    return torch.cat([h for h in history if h is not None])
