"""Operations that serve computing itself: Trace, constants, assignments."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from bsls.network.node import Node
from bsls.schema.ops import OPS
from bstorch.kernels.base import Environment, Forward, kernel, shape_of
from bstorch.program.layout import sequences
from bstorch.text_output import Format, TextOutput, Warner, read_labels, unescaped

_TEXTS = {
    "sequence_separator": "sequenceSeparator",
    "sequence_prologue": "sequencePrologue",
    "sequence_epilogue": "sequenceEpilogue",
    "element_separator": "elementSeparator",
    "sample_separator": "sampleSeparator",
}


class _Shown(Function):
    """The operand, whose gradient is shown."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, trace: Trace) -> Tensor:
        ctx.trace = trace
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        ctx.trace.show(gradients[0], " (gradient)")
        return gradients[0], None


class Trace:
    """The compiled Trace of one node: writes values to the log in the first `logFirst` minibatches, and then in every
    `logFrequency`-th; minibatches are counted over epochs, those of a validation among them."""

    def __init__(self, node: Node, environment: Environment) -> None:
        self._node = node
        self._source = node.inputs[0]
        self._environment = environment
        given = node.attributes
        stored = OPS[node.op].stored
        assert stored is not None
        shape = shape_of(self._source)
        options: dict[str, Any] = {**given, **stored(given, [shape], shape)}
        self._message = str(options.get("say", ""))
        self._first = int(options.get("logFirst", 10))
        self._every = int(options.get("logFrequency", 100))
        self._with_gradient = bool(options.get("logGradientToo", False))
        labels = str(options.get("labelMappingFile", ""))
        form = Format(
            kind="category" if options.get("isCategoryLabel") else "sparse" if options.get("isSparse") else "real",
            labels=read_labels(labels, node.origin) if labels else [],
            transpose=bool(options.get("transpose", True)),
            prologue=unescaped(str(options.get("prologue", ""))),
            precision=str(options.get("precisionFormat", "")),
            **{field: unescaped(str(options[name])) for field, name in _TEXTS.items() if name in options},
        )
        self._prologue = form.prologue
        self._text = TextOutput(
            node.name,
            shape.dims,
            form,
            Warner(environment.say),
            int(options.get("onlyUpToRow", 100000000)),
            int(options.get("onlyUpToT", 100000000)),
        )

    def __call__(self, x: Tensor) -> Tensor:
        step = self._environment.step
        if step is None or step.first:
            self._environment.traced[self._node] = self._minibatches + 1
            if self._minibatches == 1 and self._prologue:
                self._environment.say(self._prologue.removesuffix("\n"))
        self.show(x)
        return _Shown.apply(x, self) if self._with_gradient and x.requires_grad and self._due else x

    @property
    def _minibatches(self) -> int:
        return self._environment.traced.get(self._node, 0)

    @property
    def _due(self) -> bool:
        n = self._minibatches
        return n <= self._first or (self._every > 0 and (n - 1) % self._every == 0)

    def show(self, x: Tensor, what: str = "") -> None:
        """Writes a value or a gradient, where it is time for one."""
        if not self._due:
            return
        axis, step = shape_of(self._source).axis, self._environment.step
        layout = self._environment.layouts.get(axis) if axis is not None else None
        place = "" if step is None else str(step.time)
        say = self._environment.say
        say(f"------- Trace[{place}] {self._message}{what} --> {self._source.prototype}")
        text = self._text.minibatch(self._minibatches, sequences(shape_of(self._source), x.detach(), layout))
        say(text.removesuffix("\n"))


@kernel("Trace")
def trace(node: Node, environment: Environment) -> Forward:
    return Trace(node, environment)


@kernel("ConstantOp")
def constant(node: Node, environment: Environment) -> Forward:
    value = float(node.attributes["fillValue"])  # type: ignore[arg-type]
    return lambda x: torch.full_like(x, value)


@kernel("Assign")
def assign(node: Node, environment: Environment) -> Forward:
    """The operand; the parameter gets its value when the minibatch is done."""

    def assigned(parameter: Tensor, x: Tensor) -> Tensor:
        environment.assignments.append((parameter, x.detach()))
        return x.view_as(x)

    return assigned
