"""A network lowered to steps: which functions run in which order on which values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.loops import Loop, evaluation_order_with_loops, recurrent_loops
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import nodes_with_gradient
from bsls.schema.execution import obstacle
from bstorch import kernels
from bstorch.kernels.base import Environment, Forward, has_axis, reversed_dims
from bstorch.kernels.delays import Delay
from bstorch.kernels.noise import RANDOM_OPERATIONS
from bstorch.program.anomaly import watched
from bstorch.program.attention import fuse_attention
from bstorch.program.duplicates import Duplicates
from bstorch.program.fusion import EVERYWHERE, IN_LOOPS, Fused
from bstorch.program.held import Held
from bstorch.program.hold import Hold, find_hold, framewise, held_nodes, scattered
from bstorch.program.lstm import Cell, find_cells
from bstorch.program.lstm_layer import FusedLSTM, Layer, find_layer
from bstorch.program.parameters import Parameters
from bstorch.program.recurrence import Inner, Recurrence
from bstorch.program.stretch import Step
from bstorch.program.window import fuse_window
from bstorch.readers.base import SparseBatch

NEVER_CONSTANT = frozenset(
    {"Assign", "BatchNormalization", "Dropout", "EnvironmentInput", "EpochAccumulator", "Trace"} | RANDOM_OPERATIONS
)
"""Operations whose value changes from minibatch to minibatch even if their inputs do not."""
CHANGED_INPUTS = {"Assign": (0,), "BatchNormalization": (3, 4, 5)}
"""Inputs that an operation changes: what is assigned to, running statistics."""


class Lowering:
    """The nodes below `roots` and the criterion as `steps`, each with the node that it computes.

    What depends on constants alone is computed here, and neighbouring operations run as one where that is known to be
    faster. Raises BsError where the network holds what cannot be executed.
    """

    def __init__(
        self,
        network: Network,
        roots: Sequence[Node],
        parameters: Parameters,
        environment: Environment,
        criterion: Node | None,
    ) -> None:
        self._parameters = parameters
        self._environment = environment
        self._roots = roots
        self._criterion = criterion
        wanted = list(roots) if criterion is None else [criterion, *(r for r in roots if r is not criterion)]
        self.loops = recurrent_loops(network, wanted)
        self.order = evaluation_order_with_loops(network, self.loops, wanted)
        self.compiled: dict[Node, Forward] = {}
        """What was compiled for each node that runs on its own (not as part of another)."""
        self.below_criterion = set() if criterion is None else set(network.evaluation_order([criterion]))
        self.with_gradient = nodes_with_gradient([n for n in self.order if n in self.below_criterion])
        """Nodes below the criterion through which a gradient flows."""
        self.slots = {node: i for i, node in enumerate(self.order)}
        """The place of each node's value."""
        self.base: list[Tensor | SparseBatch | None] = [parameters.get(node) for node in self.order]
        """The values that are there before the first step."""
        self.steps = self._compile()

    def _compile(self) -> list[tuple[Node, Step]]:
        kept = set(self._roots) | ({self._criterion} if self._criterion is not None else set())
        loops = {node: loop for loop in self.loops for node in loop.nodes}
        watching = self._environment.detect_anomaly  # then each node is looked at
        own = self._with_value_of_its_own(loops)
        merged = Duplicates([] if watching else self.order, own, self.below_criterion)
        first = merged.first
        users: dict[Node, list[Node]] = {n: [] for n in self.order}
        for node in self.order:
            if node not in first:
                for source in node.inputs:
                    users[first.get(source, source)].append(node)
        for node, other in first.items():
            self.slots[node] = self.slots[other]
            users[node] = users[other]
            if node in kept:
                kept.add(other)
        self.users = users
        # A loop has products of its own; what it takes from outside is computed for all frames at once.
        fused: dict[Node, Fused] = {}
        for node in [] if watching else self.order:
            if node in first:
                continue
            fusions = (fuse_attention, *(IN_LOOPS if node in loops else (*EVERYWHERE, fuse_window)))
            made = (fuse(node, users, kept, self._environment) for fuse in fusions)
            if (found := next((f for f in made if f is not None), None)) is not None:
                fused[node] = found
        swallowed = {i for f in fused.values() for i in f.swallowed}
        self.fused = fused
        cells = {lo: [] if watching else list(find_cells(lo.nodes, users, kept)) for lo in self.loops}
        layers = {lo: f for lo, c in cells.items() if len(c) == 1 and (f := find_layer(lo, c[0], users, kept))}
        of_layers = swallowed.union(*(layer.outer for layer in layers.values()))
        holds = {} if watching else {lo: f for lo in self.loops if (f := find_hold(lo, users, kept))}
        self.held = held_nodes(self.order, {choice for choice, _ in holds.values()})
        self.held |= {node for node, other in first.items() if other in self.held}
        constants = self._constants()
        self._zeros = {n for n in constants if n.is_parameter and not self._parameters[n].any()}
        steps: list[tuple[Node, Step]] = []
        for node in self.order:
            if (
                node in self._parameters
                or node.is_input
                or node in of_layers
                or node in first
                or node.op == "DynamicAxis"
            ):
                continue
            if (loop := loops.get(node)) is not None:
                if node is loop.nodes[-1]:
                    steps += self._loop(loop, cells[loop], layers.get(loop), holds.get(loop), kept, swallowed)
                continue
            inputs, forward = self._forward(node)
            forward = merged.with_axes(node, forward, self._environment)
            slots = tuple(self.slots[i] for i in inputs)
            if node in constants:
                with torch.no_grad():
                    self.base[self.slots[node]] = forward(*[self.base[i] for i in slots])
            else:
                steps.append((node, (forward, slots, self.slots[node])))
                if (lost := self._overwritten(node)) is not None:
                    steps.append((node, (detached, (lost,), lost)))
        return steps

    def _with_value_of_its_own(self, in_loops: Collection[Node]) -> set[Node]:
        """The nodes that may be no duplicates of others: the order in which gradients are added up stays as it is."""
        found = {*self.with_gradient, *in_loops}
        for node in self.order:
            kernel = kernels.get(node.op)
            if (
                node.op in NEVER_CONSTANT
                or node.op == "TopK"
                or (kernel is not None and kernel.overwrites(node) is not None)
            ):
                found.add(node)
        return found

    def _forward(self, node: Node, in_loop: bool = False) -> tuple[tuple[Node, ...], Forward]:
        """Inputs and function of a node; the function takes whatever values these have. A loop has the frames of a step."""
        inputs, forward, sparse = self._kernel(node, self.fused.get(node))
        if node.op == "ElementTimes" and any(i in self._zeros for i in inputs):
            forward = _of_no_gradient(forward)
        held: Collection[int] = range(len(inputs)) if in_loop else ()
        if node in self.held and node.op == "ScatterPacked":
            forward = scattered(node, self._environment)
        elif node in self.held and node.op != "If":
            held = [i for i, n in enumerate(inputs) if n in self.held]
            forward = framewise(forward, held[0])
        forward = self._with_dense_inputs(forward, inputs, sparse, held)
        if self._environment.detect_anomaly and not isinstance(forward, Delay):  # a delay only hands on
            forward = watched(node, forward)
        return inputs, forward

    def _loop(
        self,
        loop: Loop,
        cells: list[Cell],
        layer: Layer | None,
        hold: tuple[Node, Node] | None,
        kept: set[Node],
        swallowed: set[Node],
    ) -> list[tuple[Node, Step]]:
        """A loop as one step, whose values for the nodes outside are then taken apart."""
        members = set(loop.nodes)
        left_out = swallowed.union(*(c.inner | {c.state, c.hidden} for c in cells))
        states = {c.state: c for c in cells}
        inner: list[Inner] = []
        for node in loop.nodes:
            if (cell := states.get(node)) is not None:
                both = Node("LSTMCell", node.name, [cell.projections, cell.before])
                both.shape = node.shape
                inner.append(Inner(both, cell, (cell.projections, cell.before)))
                inner.append(Inner(cell.state, itemgetter(0), (both,)))
                inner.append(Inner(cell.hidden, itemgetter(1), (both,)))
            elif node not in left_out:
                inputs, forward = self._forward(node, in_loop=True)
                inner.append(Inner(node, forward, inputs))
        outputs = [
            i.node
            for i in inner
            if i.node in members and (i.node in kept or not members.issuperset(self.users[i.node]))
        ]
        recurrence = Recurrence(inner, outputs, self._environment)
        function: Callable[..., Any] = recurrence
        needed = recurrence.inputs
        if hold is not None:
            function = Hold(*hold, recurrence, self._environment)
        elif layer is not None:
            before: list[Inner] = []
            for node in self.order:
                if node in layer.outer and node not in swallowed:
                    inputs, forward = self._forward(node)
                    before.append(Inner(node, forward, inputs))
            function = FusedLSTM(layer, before, recurrence, self._environment)
            needed = function.inputs
        takes_held = [i for i, n in enumerate(needed) if hold or (layer is None and n in recurrence.framewise)]
        function = self._with_dense_inputs(function, needed, (), takes_held)
        place = len(self.base)
        self.base.append(None)
        steps: list[tuple[Node, Step]] = [(loop.nodes[-1], (function, tuple(self.slots[i] for i in needed), place))]
        return steps + [(n, (itemgetter(k), (place,), self.slots[n])) for k, n in enumerate(outputs)]

    def _with_dense_inputs(
        self,
        forward: Callable[..., Any],
        inputs: tuple[Node, ...],
        sparse: Collection[int],
        held: Collection[int] = (),
    ) -> Callable[..., Any]:
        """`forward` with values made dense that are sparse or `Held`, but for inputs that may be so."""
        views = {
            i: (-1, *reversed_dims(n))
            for i, n in enumerate(inputs)
            if (n.op == "SparseInputValue" and i not in sparse) or (n in self.held and i not in held)
        }
        if not views:
            return forward

        def densified(*values: Tensor | SparseBatch | Held) -> Any:
            return forward(
                *(
                    v if isinstance(v, Tensor) or i not in views else v.dense().view(views[i])
                    for i, v in enumerate(values)
                )
            )

        return densified

    def _overwritten(self, node: Node) -> int | None:
        """The place of the input whose gradient the node overwrites: nodes behind it must not contribute."""
        found = kernels.get(node.op)
        index = found.overwrites(node) if found is not None and node in self.with_gradient else None
        if index is None or node.inputs[index] not in self.with_gradient:
            return None
        return self.slots[node.inputs[index]]

    def _kernel(self, node: Node, fused: Fused | None) -> tuple[tuple[Node, ...], Forward, tuple[int, ...]]:
        """Inputs and function of a node, and the inputs that may be sparse."""
        if fused is not None:
            return fused.inputs, fused.forward, fused.sparse
        found = kernels.get(node.op)
        if found is None:
            raise BsError(
                "unsupported-operation", f"'{node.name}' {obstacle(node.op, [i.op for i in node.inputs])}", node.origin
            )
        forward = found.build(node, self._environment)
        self.compiled[node] = forward
        return tuple(node.inputs), forward, found.sparse

    def _constants(self) -> set[Node]:
        """Nodes whose values never change during the run."""
        changing = {
            n.inputs[i]
            for n in self.order
            if (changed := CHANGED_INPUTS.get(n.op))
            for i in changed
            if i < len(n.inputs)
        }
        constant: set[Node] = set()
        for node in self.order:
            if node.is_parameter:
                if not node.is_learnable and node not in changing:
                    constant.add(node)
            elif (
                node.inputs
                and not has_axis(node)
                and node.op not in NEVER_CONSTANT
                and constant.issuperset(node.inputs)
            ):
                constant.add(node)
        return constant

    def takes_sparse(self, node: Node) -> bool:
        """Whether the value may be sparse.

        A dense input of the network has a dense gradient in the reference even if the reader's stream is sparse, so it stays
        sparse only where it is nothing but labels.
        """
        if node.op == "SparseInputValue":
            return True
        return node not in self._roots and all(_only_labels(node, user) for user in self.users[node])


def _only_labels(node: Node, user: Node) -> bool:
    found = kernels.get(user.op)
    return found is not None and 0 in found.sparse and [i for i, n in enumerate(user.inputs) if n is node] == [0]


def _of_no_gradient(forward: Forward) -> Forward:
    """A product with zero: it would only hand on zeros."""
    return lambda *values: forward(*(v.detach() for v in values))


def detached(value: Tensor | Held) -> Tensor:
    """The value, behind which no gradient flows."""
    return (value if isinstance(value, Tensor) else value.dense()).detach()
