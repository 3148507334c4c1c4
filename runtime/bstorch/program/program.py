"""A network compiled for execution, and its values and gradients on minibatches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from bsls.finding import BsError
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.queries import learnable_parameters
from bsls.shape import DynamicAxis
from bstorch.kernels.base import Environment, dtype_of, has_axis, reversed_dims, shape_of
from bstorch.kernels.times import REDUCE_SEQUENCE
from bstorch.program.anomaly import check_finite
from bstorch.program.checkpointing import checkpointed, plan
from bstorch.program.compiling import COMPILED, Compiling, Region, compiled
from bstorch.program.held import Held
from bstorch.program.lowering import Lowering, detached
from bstorch.program.memory import out_of_memory
from bstorch.program.parameters import Parameters
from bstorch.program.stretch import Step, last_uses
from bstorch.readers.base import Minibatch, SparseBatch


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

    With a `criterion`, `gradients` also computes the gradients of the learnable parameters below it, and of the
    `graded_inputs`. Values of dynamic axes come from the minibatch's layouts. Raises BsError where the network holds what
    cannot be executed.
    """

    def __init__(
        self,
        network: Network,
        roots: Sequence[Node],
        parameters: Parameters,
        environment: Environment | None = None,
        criterion: Node | None = None,
        graded_inputs: Sequence[Node] = (),
    ) -> None:
        self.network = network
        self.roots = list(roots)
        self.parameters = parameters
        self.environment = environment or Environment(device=parameters.device)
        self.criterion = criterion
        self.graded_inputs = list(graded_inputs)
        self.input_gradients: Sequence[Tensor | None] = []
        """What `gradients` found last for `graded_inputs`, in the form of their values; None where none flows there."""
        self.learnable = learnable_parameters(network, criterion) if criterion is not None else []
        self._tensors = [parameters[n] for n in self.learnable]
        self._place_of = {tensor: i for i, tensor in enumerate(self._tensors)}
        for tensor in self._tensors:
            tensor.requires_grad_(True)
        self.lowered = lowered = Lowering(network, self.roots, parameters, self.environment, criterion)
        self.order, self.compiled, self.with_gradient = lowered.order, lowered.compiled, lowered.with_gradient
        self._slots, self._base = lowered.slots, lowered.base
        graded = [(n, s) for n, s in lowered.steps if n in lowered.below_criterion]
        self._graded = [s for _, s in graded]
        self._rest = [s for n, s in lowered.steps if n not in lowered.below_criterion]
        self.segments = 0
        """How many parts of it are computed again on the way back."""
        self.regions = 0
        """How many parts of it are compiled."""
        if self.environment.recompute:
            self._graded, self.segments = self._recomputed(graded)
        elif self.environment.compile and not self.environment.detect_anomaly:
            self._graded = self._compiled(graded)
            self.regions = sum(isinstance(f, Region) for f, _, _ in self._graded)
        self._all = [s for _, s in lowered.steps]
        self._freed = self._last_uses(self._all)
        self._freed_with_gradient = self._last_uses(self._graded + self._rest)
        self._root_slots = [self._slots[r] for r in self.roots]
        self._inputs = [self._input(n) for n in self.order if n.is_input]
        self._names: dict[str, str] = {}

    # --- compiling ---------------------------------------------------------------------------------------------------

    def _recomputed(self, steps: list[tuple[Node, Step]]) -> tuple[list[Step], int]:
        """The steps in segments that are computed again on the way back, and the number of these."""
        loops = {loop.nodes[-1]: loop.nodes for loop in self.lowered.loops}
        planned = [
            plan(node, step, loops.get(node, ()), self.compiled, [self._slots[i] for i in node.inputs])
            for node, step in steps
        ]
        return checkpointed(planned, self._needed_after(), self.environment, self._new_place)

    def _compiled(self, steps: list[tuple[Node, Step]]) -> list[Step]:
        """The steps, with some of them compiled."""
        loops = {node for loop in self.lowered.loops for node in loop.nodes}
        sparse = {n for n in self.order if n.is_input and self.lowered.takes_sparse(n)}

        def may(node: Node, step: Step) -> bool:
            fused = self.lowered.fused.get(node)
            inputs, swallowed = (fused.inputs, fused.swallowed) if fused is not None else (tuple(node.inputs), ())
            plain = step[0] is not detached and node not in loops
            return (
                plain
                and COMPILED.issuperset(n.op for n in (node, *swallowed))
                and not any(n.attributes.get("inferInputRankToMap") == REDUCE_SEQUENCE for n in (node, *swallowed))
                and sparse.isdisjoint(inputs)
                and self.lowered.held.isdisjoint((node, *inputs))
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

    def _last_uses(self, steps: list[Step]) -> list[tuple[int, ...]]:
        """After each step, the places whose values nobody needs any more."""
        keep = {i for i, value in enumerate(self._base) if value is not None}
        keep.update(self._slots[r] for r in (*self.roots, *([] if self.criterion is None else [self.criterion])))
        return last_uses(steps, keep)

    def _input(self, node: Node) -> _Input:
        dims = reversed_dims(node)
        view = None if len(dims) == 1 else (-1, *dims)
        return _Input(node, self._slots[node], view, dtype_of(node), self.lowered.takes_sparse(node))

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
        leaves = self._leaves(values)
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
            self.input_gradients = [None] * len(leaves)
            return self._done(roots), [None] * len(self._tensors)
        if loss.numel() != 1:
            loss = loss.sum()
        try:
            steps = [v for d in deferred for v in d.values]
            found = list(torch.autograd.grad(loss, [*self._tensors, *leaves, *steps], allow_unused=True))
            parameters, own = len(self._tensors), len(self._tensors) + len(leaves)
            self.input_gradients = found[parameters:own]
            of_steps = iter(found[own:])
            del found[parameters:]
            for product in deferred:
                for weights, gradient in product.gradients(list(islice(of_steps, len(product.values)))):
                    if (place := self._place_of.get(weights)) is not None:
                        known = found[place]
                        found[place] = gradient if known is None else known.to_dense() + gradient
        except RuntimeError as error:
            self._explain(error, None)
            raise
        return self._done(roots), [g if g is None or g.is_sparse else g.contiguous() for g in found]

    def _leaves(self, values: list[Tensor | SparseBatch | None]) -> list[Tensor]:
        """Puts values from which gradients are found in the places of `graded_inputs`."""
        leaves: list[Tensor] = []
        for node in self.graded_inputs:
            value = values[self._slots[node]]
            if isinstance(value, SparseBatch):
                value = value.dense().view(-1, *reversed_dims(node))
            assert value is not None
            leaves.append(value.detach().requires_grad_(True))
            values[self._slots[node]] = leaves[-1]
        return leaves

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
        node = next((n for n, (f, _, _) in self.lowered.steps if f is function), None)
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


def _dense(value: Tensor | SparseBatch | Held | None) -> Tensor:
    assert value is not None
    return value if isinstance(value, Tensor) else value.dense()
