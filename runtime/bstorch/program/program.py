"""A network compiled for execution: which functions run in which order on which values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.loops import Loop, evaluation_order_with_loops, recurrent_loops
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import learnable_parameters, nodes_with_gradient
from bsls.schema.execution import obstacle
from bsls.shape import DynamicAxis
from bstorch import kernels
from bstorch.kernels.base import Environment, Forward, dtype_of, has_axis, reversed_dims, shape_of
from bstorch.kernels.delays import Delay
from bstorch.kernels.noise import RANDOM_OPERATIONS
from bstorch.kernels.times import REDUCE_SEQUENCE
from bstorch.program.anomaly import check_finite, watched
from bstorch.program.attention import fuse_attention
from bstorch.program.checkpointing import checkpointed, plan
from bstorch.program.compiling import COMPILED, Compiling, Region, compiled
from bstorch.program.duplicates import Duplicates
from bstorch.program.fusion import EVERYWHERE, IN_LOOPS, Fused
from bstorch.program.held import Held
from bstorch.program.hold import Hold, find_hold, framewise, held_nodes, scattered
from bstorch.program.lstm import Cell, find_cells
from bstorch.program.lstm_layer import FusedLSTM, Layer, find_layer
from bstorch.program.memory import out_of_memory
from bstorch.program.parameters import Parameters
from bstorch.program.recurrence import Inner, Recurrence
from bstorch.program.stretch import Step, last_uses
from bstorch.program.window import fuse_window
from bstorch.readers.base import Minibatch, SparseBatch

NEVER_CONSTANT = frozenset(
    {"Assign", "BatchNormalization", "Dropout", "EnvironmentInput", "EpochAccumulator", "Trace"} | RANDOM_OPERATIONS
)
"""Operations whose value changes from minibatch to minibatch even if their inputs do not."""
CHANGED_INPUTS = {"Assign": (0,), "BatchNormalization": (3, 4, 5)}
"""Inputs that an operation changes: what is assigned to, running statistics."""


@dataclass(frozen=True, slots=True)
class _Input:
    """How an input node gets its value from a minibatch."""

    node: Node
    slot: int
    view: tuple[int, ...] | None  # of a dense value; None where it has the right dims
    dtype: torch.dtype
    sparse: bool  # a SparseBatch may stay one


class Program:
    """The nodes below `roots`, ready to run on minibatches.

    With a `criterion`, `gradients` also computes the gradients of the learnable parameters below it. What depends on
    constants alone is computed once, and neighbouring operations run as one where that is known to be faster. Values of
    dynamic axes come from the minibatch's layouts. Raises BsError where the network holds what cannot be executed.
    """

    def __init__(
        self,
        network: Network,
        roots: Sequence[Node],
        parameters: Parameters,
        environment: Environment | None = None,
        criterion: Node | None = None,
    ) -> None:
        self.network = network
        self.roots = list(roots)
        self.parameters = parameters
        self.environment = environment or Environment(device=parameters.device)
        self.criterion = criterion
        wanted = self.roots if criterion is None else [criterion, *(r for r in self.roots if r is not criterion)]
        self._loops = recurrent_loops(network, wanted)
        self.order = evaluation_order_with_loops(network, self._loops, wanted)
        self.compiled: dict[Node, Forward] = {}
        """What was compiled for each node that runs on its own (not as part of another)."""
        below_criterion = set() if criterion is None else set(network.evaluation_order([criterion]))
        self.with_gradient = nodes_with_gradient([n for n in self.order if n in below_criterion])
        """Nodes below the criterion through which a gradient flows."""
        self.learnable = learnable_parameters(network, criterion) if criterion is not None else []
        self._slots = {node: i for i, node in enumerate(self.order)}
        self._base: list[Tensor | SparseBatch | None] = [None] * len(self.order)
        for node in self.order:
            if node in parameters:
                self._base[self._slots[node]] = parameters[node]
        self._tensors = [parameters[n] for n in self.learnable]
        self._place_of = {tensor: i for i, tensor in enumerate(self._tensors)}
        for tensor in self._tensors:
            tensor.requires_grad_(True)
        steps = self._steps = self._compile()
        self._graded = [s for n, s in steps if n in below_criterion]
        self._rest = [s for n, s in steps if n not in below_criterion]
        self.segments = 0
        """How many parts of it are computed again on the way back."""
        self.regions = 0
        """How many parts of it are compiled."""
        graded = [(n, s) for n, s in steps if n in below_criterion]
        if self.environment.recompute:
            self._graded, self.segments = self._recomputed(graded)
        elif self.environment.compile and not self.environment.detect_anomaly:
            self._graded = self._compiled(graded)
            self.regions = sum(isinstance(f, Region) for f, _, _ in self._graded)
        self._all = [s for _, s in steps]
        self._freed = self._last_uses(self._all)
        self._freed_with_gradient = self._last_uses(self._graded + self._rest)
        self._root_slots = [self._slots[r] for r in self.roots]
        self._inputs = [self._input(n) for n in self.order if n.is_input]
        self._names: dict[str, str] = {}

    # --- compiling ---------------------------------------------------------------------------------------------------

    def _compile(self) -> list[tuple[Node, Step]]:
        kept = set(self.roots) | ({self.criterion} if self.criterion is not None else set())
        loops = {node: loop for loop in self._loops for node in loop.nodes}
        watching = self.environment.detect_anomaly  # then each node is looked at
        merged = Duplicates([] if watching else self.order, self._with_value_of_its_own(loops))
        first = merged.first
        users: dict[Node, list[Node]] = {n: [] for n in self.order}
        for node in self.order:
            if node not in first:
                for source in node.inputs:
                    users[first.get(source, source)].append(node)
        for node, other in first.items():
            self._slots[node] = self._slots[other]
            users[node] = users[other]
            if node in kept:
                kept.add(other)
        self._users = users
        # A loop has products of its own; what it takes from outside is computed for all frames at once.
        fused: dict[Node, Fused] = {}
        for node in [] if watching else self.order:
            if node in first:
                continue
            fusions = (fuse_attention, *(IN_LOOPS if node in loops else (*EVERYWHERE, fuse_window)))
            made = (fuse(node, users, kept, self.environment) for fuse in fusions)
            if (found := next((f for f in made if f is not None), None)) is not None:
                fused[node] = found
        swallowed = {i for f in fused.values() for i in f.swallowed}
        self._fused = fused
        cells = {lo: [] if watching else list(find_cells(lo.nodes, users, kept)) for lo in self._loops}
        layers = {lo: f for lo, c in cells.items() if len(c) == 1 and (f := find_layer(lo, c[0], users, kept))}
        of_layers = swallowed.union(*(layer.outer for layer in layers.values()))
        holds = {} if watching else {lo: f for lo in self._loops if (f := find_hold(lo, users, kept))}
        self._held = held_nodes(self.order, {choice for choice, _ in holds.values()})
        self._held |= {node for node, other in first.items() if other in self._held}
        constants = self._constants()
        self._zeros = {n for n in constants if n.is_parameter and not self.parameters[n].any()}
        steps: list[tuple[Node, Step]] = []
        for node in self.order:
            if (
                node in self.parameters
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
            forward = merged.with_axes(node, forward, self.environment)
            slots = tuple(self._slots[i] for i in inputs)
            if node in constants:
                with torch.no_grad():
                    self._base[self._slots[node]] = forward(*[self._base[i] for i in slots])
            else:
                steps.append((node, (forward, slots, self._slots[node])))
                if (lost := self._overwritten(node)) is not None:
                    steps.append((node, (_detached, (lost,), lost)))
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

    def _recomputed(self, steps: list[tuple[Node, Step]]) -> tuple[list[Step], int]:
        """The steps in segments that are computed again on the way back, and the number of these."""
        loops = {loop.nodes[-1]: loop.nodes for loop in self._loops}
        planned = [
            plan(node, step, loops.get(node, ()), self.compiled, [self._slots[i] for i in node.inputs])
            for node, step in steps
        ]
        return checkpointed(planned, self._needed_after(), self.environment, self._new_place)

    def _compiled(self, steps: list[tuple[Node, Step]]) -> list[Step]:
        """The steps, with some of them compiled."""
        loops = {node for loop in self._loops for node in loop.nodes}
        sparse = {n for n in self.order if n.is_input and self._takes_sparse(n)}

        def may(node: Node, step: Step) -> bool:
            fused = self._fused.get(node)
            inputs, swallowed = (fused.inputs, fused.swallowed) if fused is not None else (tuple(node.inputs), ())
            plain = step[0] is not _detached and node not in loops
            return (
                plain
                and COMPILED.issuperset(n.op for n in (node, *swallowed))
                and not any(n.attributes.get("inferInputRankToMap") == REDUCE_SEQUENCE for n in (node, *swallowed))
                and sparse.isdisjoint(inputs)
                and self._held.isdisjoint((node, *inputs))
            )

        framed = {self._slots[n] for n in self.order if has_axis(n)}
        marked = [(step, may(node, step)) for node, step in steps]
        compiling = Compiling(self.environment.say)
        return compiled(marked, framed, self._needed_after(), self._new_place, compiling)

    def _needed_after(self) -> set[int]:
        """The places that are looked at when the steps with gradients are done."""
        ends = [] if self.criterion is None else [self.criterion]
        return {self._slots[n] for n in (*self.roots, *ends)} | {i for _, inputs, _ in self._rest for i in inputs}

    def _new_place(self) -> int:
        self._base.append(None)
        return len(self._base) - 1

    def _forward(self, node: Node, in_loop: bool = False) -> tuple[tuple[Node, ...], Forward]:
        """Inputs and function of a node; the function takes whatever values these have. A loop has the frames of a step."""
        inputs, forward, sparse = self._kernel(node, self._fused.get(node))
        if node.op == "ElementTimes" and any(i in self._zeros for i in inputs):
            forward = _of_detached(forward)
        held: Collection[int] = range(len(inputs)) if in_loop else ()
        if node in self._held and node.op == "ScatterPacked":
            forward = scattered(node, self.environment)
        elif node in self._held and node.op != "If":
            held = [i for i, n in enumerate(inputs) if n in self._held]
            forward = framewise(forward, held[0])
        forward = self._with_dense_inputs(forward, inputs, sparse, held)
        if self.environment.detect_anomaly and not isinstance(forward, Delay):  # a delay only hands on
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
            if i.node in members and (i.node in kept or not members.issuperset(self._users[i.node]))
        ]
        recurrence = Recurrence(inner, outputs, self.environment)
        function: Callable[..., Any] = recurrence
        needed = recurrence.inputs
        if hold is not None:
            function = Hold(*hold, recurrence, self.environment)
        elif layer is not None:
            before: list[Inner] = []
            for node in self.order:
                if node in layer.outer and node not in swallowed:
                    inputs, forward = self._forward(node)
                    before.append(Inner(node, forward, inputs))
            function = FusedLSTM(layer, before, recurrence, self.environment)
            needed = function.inputs
        takes_held = [i for i, n in enumerate(needed) if hold or (layer is None and n in recurrence.framewise)]
        function = self._with_dense_inputs(function, needed, (), takes_held)
        place = len(self._base)
        self._base.append(None)
        steps: list[tuple[Node, Step]] = [(loop.nodes[-1], (function, tuple(self._slots[i] for i in needed), place))]
        return steps + [(n, (itemgetter(k), (place,), self._slots[n])) for k, n in enumerate(outputs)]

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
            if (n.op == "SparseInputValue" and i not in sparse) or (n in self._held and i not in held)
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
        return self._slots[node.inputs[index]]

    def _kernel(self, node: Node, fused: Fused | None) -> tuple[tuple[Node, ...], Forward, tuple[int, ...]]:
        """Inputs and function of a node, and the inputs that may be sparse."""
        if fused is not None:
            return fused.inputs, fused.forward, fused.sparse
        found = kernels.get(node.op)
        if found is None:
            raise BsError(
                "unsupported-operation", f"'{node.name}' {obstacle(node.op, [i.op for i in node.inputs])}", node.origin
            )
        forward = found.build(node, self.environment)
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

    def _last_uses(self, steps: list[Step]) -> list[tuple[int, ...]]:
        """After each step, the places whose values nobody needs any more."""
        keep = {i for i, value in enumerate(self._base) if value is not None}
        keep.update(self._slots[r] for r in (*self.roots, *([] if self.criterion is None else [self.criterion])))
        return last_uses(steps, keep)

    def _input(self, node: Node) -> _Input:
        dims = reversed_dims(node)
        view = None if len(dims) == 1 else (-1, *dims)
        return _Input(node, self._slots[node], view, dtype_of(node), self._takes_sparse(node))

    def _takes_sparse(self, node: Node) -> bool:
        """Whether the value may be sparse.

        A dense input of the network has a dense gradient in the reference even if the reader's stream is sparse, so it stays
        sparse only where it is nothing but labels.
        """
        if node.op == "SparseInputValue":
            return True
        return node not in self.roots and all(_only_labels(node, user) for user in self._users[node])

    # --- running -----------------------------------------------------------------------------------------------------

    def forward(self, minibatch: Minibatch) -> list[Tensor]:
        """The values of the roots, without gradients."""
        values = self._bind(minibatch)
        function = None
        try:
            with torch.no_grad():
                for (function, inputs, output), freed in zip(self._all, self._freed, strict=True):
                    values[output] = function(*[values[i] for i in inputs])
                    for slot in freed:
                        values[slot] = None
        except RuntimeError as error:
            self._explain(error, function)
            raise
        return self._done([_dense(values[i]) for i in self._root_slots])

    def gradients(self, minibatch: Minibatch) -> tuple[list[Tensor], list[Tensor | None]]:
        """The values of the roots, and the gradients of the criterion, summed over the frames, for `learnable`.

        A gradient is None where none flows to the parameter, and sparse where only some rows have one.
        """
        assert self.criterion is not None
        self.environment.deferred.clear()  # what was computed again on the way back has noted its products, too
        values = self._bind(minibatch)
        function = None
        try:
            freed = iter(self._freed_with_gradient)
            for function, inputs, output in self._graded:
                values[output] = function(*[values[i] for i in inputs])
                for slot in next(freed):
                    values[slot] = None
            with torch.no_grad():
                for function, inputs, output in self._rest:
                    values[output] = function(*[values[i] for i in inputs])
                    for slot in next(freed):
                        values[slot] = None
        except RuntimeError as error:
            self._explain(error, function)
            raise
        roots = [_dense(values[i]) for i in self._root_slots]
        loss = values[self._slots[self.criterion]]
        assert isinstance(loss, Tensor)
        values.clear()  # what the gradients need is freed by and by on the way back
        deferred = self.environment.deferred.copy()
        self.environment.deferred.clear()
        if not loss.requires_grad:
            return self._done(roots), [None] * len(self._tensors)
        if loss.numel() != 1:
            loss = loss.sum()
        try:
            steps = [v for d in deferred for v in d.values]
            found = list(torch.autograd.grad(loss, [*self._tensors, *steps], allow_unused=True))
            of_steps = iter(found[len(self._tensors) :])
            del found[len(self._tensors) :]
            for product in deferred:
                for weights, gradient in product.gradients(list(islice(of_steps, len(product.values)))):
                    if (place := self._place_of.get(weights)) is not None:
                        known = found[place]
                        found[place] = gradient if known is None else known.to_dense() + gradient
        except RuntimeError as error:
            self._explain(error, None)
            raise
        return self._done(roots), [g if g is None or g.is_sparse else g.contiguous() for g in found]

    def _done(self, roots: list[Tensor]) -> list[Tensor]:
        """Ends a minibatch: parameters get the values that were assigned to them."""
        if assignments := self.environment.assignments:
            roots = [r.clone() for r in roots]  # one may be such a parameter
            with torch.no_grad():
                for parameter, value in assignments:
                    parameter.copy_(value.view_as(parameter))
            assignments.clear()
        return roots

    def _explain(self, error: RuntimeError, function: Callable[..., Any] | None) -> None:
        """Raises BsError where memory ran out in a step."""
        node = next((n for n, (f, _, _) in self._steps if f is function), None)
        could = self.criterion is not None and not self.environment.recompute
        found = out_of_memory(error, node, self.environment.device, could_recompute=could)
        if found is not None:
            raise found from error

    def _bind(self, minibatch: Minibatch) -> list[Tensor | SparseBatch | None]:
        """The values before the first step: parameters, constants, and the inputs from the minibatch."""
        device = self.environment.device
        if device.type != "cpu":
            minibatch = minibatch.to(device)
        values = self._base.copy()
        layouts = self.environment.layouts
        layouts.clear()
        if self.environment.detect_anomaly:
            for node in self.order:
                if node in self.parameters:
                    check_finite(node, values[self._slots[node]])
        for entry in self._inputs:
            name = self._names.get(entry.node.name) or self._stream(entry.node, minibatch)
            value = minibatch.values[name]
            if isinstance(value, SparseBatch):
                if not entry.sparse:
                    value = value.dense()
                elif value.values.dtype != entry.dtype:
                    value = replace(value, values=value.values.to(entry.dtype))
            if isinstance(value, Tensor):
                if value.dtype != entry.dtype:
                    value = value.to(entry.dtype)
                if entry.view is not None:
                    value = value.view(entry.view)
            if self.environment.detect_anomaly:
                check_finite(entry.node, value, help="the data hold such a number")
            values[entry.slot] = value
            self._lay_out(entry.node, minibatch, name)
        return values

    def _stream(self, node: Node, minibatch: Minibatch) -> str:
        """The stream of the minibatch for an input: names ignore case."""
        for name in minibatch.values:
            if name.lower() == node.name.lower():
                self._names[node.name] = name
                return name
        raise BsError(
            "input-not-in-reader",
            f"the network has an input '{node.name}', but the reader delivers no such stream",
            node.origin,
            help=f'add {node.name} = {{ dim = ... ; format = "dense" }} to the reader\'s input block',
        )

    def _lay_out(self, node: Node, minibatch: Minibatch, name: str) -> None:
        axis, layout = shape_of(node).axis, minibatch.layouts[name]
        assert isinstance(axis, DynamicAxis)
        known = self.environment.layouts.setdefault(axis, layout)
        if known is not layout and not known.same_as(layout):
            raise BsError(
                "sequence-lengths",
                f"input '{node.name}' has sequences of other lengths than the inputs that share its dynamic axis",
                node.origin,
                help="give it a dynamic axis of its own, or as many samples in each sequence",
            )


def _only_labels(node: Node, user: Node) -> bool:
    found = kernels.get(user.op)
    return found is not None and 0 in found.sparse and [i for i, n in enumerate(user.inputs) if n is node] == [0]


def _of_detached(forward: Forward) -> Forward:
    """A product with zero: it would only hand on zeros."""
    return lambda *values: forward(*(v.detach() for v in values))


def _detached(value: Tensor | Held) -> Tensor:
    return _dense(value).detach()


def _dense(value: Tensor | SparseBatch | Held | None) -> Tensor:
    assert value is not None
    return value if isinstance(value, Tensor) else value.dense()
