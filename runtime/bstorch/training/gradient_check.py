"""`gradientcheck = true`: compares, in each minibatch, gradients of the criterion with differences of its values.

Of each parameter up to 50 elements are moved by 1e-5 to either side. The two numbers may differ by 10^(d - sigFigs), where
d is the number of digits before the decimal point of the smaller one, as in the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from bsls.config.sgd import SGDSettings
from bsls.finding import BsError
from bsls.network.node import Node
from bstorch.kernels.noise import RandomOperation
from bstorch.program.program import Program
from bstorch.readers.base import Minibatch

STEP = 1e-5
ELEMENTS = 50
"""How many elements of a parameter are tried, if it has so many."""
SIGNIFICANT_DIGITS = 6


class GradientCheck:
    """Checks the gradients of a program whose first root is the criterion; `say` takes the lines about it."""

    def __init__(self, program: Program, settings: SGDSettings, say: Callable[[str], None]) -> None:
        self._program = program
        self._span = settings.span("gradientcheck")
        self._digits = int(settings.section.get_number("sigFigs", SIGNIFICANT_DIGITS))
        self._say = say
        self._numbers = np.random.default_rng(0)
        self._minibatches = 0

    def __call__(self, minibatch: Minibatch) -> None:
        """Leaves everything as it was; raises BsError where a gradient is another than the differences say."""
        self._minibatches += 1
        with _undisturbed(self._program):
            _, gradients = self._program.gradients(minibatch)
        wrong = [
            found
            for node, gradient in zip(self._program.learnable, gradients, strict=True)
            if gradient is None or not gradient.is_sparse  # the reference skips these, too
            for found in self._of_parameter(node, gradient, minibatch)
        ]
        if wrong:
            more = f"; so it is at {len(wrong) - 1} more places" if len(wrong) > 1 else ""
            raise BsError(
                "gradient-check",
                f"{wrong[0]} in minibatch {self._minibatches}{more}",
                self._span,
                help="look for an operation whose gradient is not that of its value (StopGradient, a maximum, something random), or compare fewer digits: sigFigs = 4",
            )

    def _of_parameter(self, node: Node, gradient: Tensor | None, minibatch: Minibatch) -> Iterator[str]:
        """What is wrong with the gradient of `node`."""
        flat = self._program.parameters[node].detach().view(-1)
        count = len(flat)
        places = self._numbers.choice(count, min(ELEMENTS, count), replace=False) if count else []
        for place in map(int, places):
            self._say("")
            self._say(f"###### d{node.name}######")
            ours = 0.0 if gradient is None else float(gradient.reshape(-1)[place])
            number = self._difference(flat, place, minibatch)
            if not abs(ours - number) <= tolerance(ours, number, self._digits):
                self._say("")
                self._say(f"d{node.name} Numeric gradient = {number:e}, Error BP gradient = {ours:e}")
                dims = tuple(self._program.parameters[node].shape)
                where = ", ".join(map(str, np.unravel_index(place, dims)[::-1]))
                yield f"the gradient of '{self._program.roots[0].name}' for {node.name}[{where}] is {ours:.6e}, but differences give {number:.6e},"

    def _difference(self, flat: Tensor, place: int, minibatch: Minibatch) -> float:
        """The slope of the criterion at an element of a parameter."""
        value = float(flat[place])
        ends: list[float] = []
        try:
            for end in (value + STEP, value - STEP):
                flat[place] = end
                with _undisturbed(self._program):
                    ends.append(float(self._program.forward(minibatch)[0].sum()))
        finally:
            flat[place] = value
        return (ends[0] - ends[1]) / ((value + STEP) - (value - STEP))


def tolerance(a: float, b: float, digits: int) -> float:
    """By how much two numbers may differ that have to agree in `digits` digits."""
    smaller = min(abs(a), abs(b))
    before_point = max(0.0, math.ceil(math.log10(smaller))) if 0 < smaller < math.inf else 0.0
    return 10.0 ** (before_point - digits)


@contextmanager
def _undisturbed(program: Program) -> Iterator[None]:
    """What running the program changes beside its values is as before afterwards: running statistics, random numbers, what
    delays and means over the epoch have kept. Traces say nothing."""
    learnable = set(program.learnable)
    tensors = [
        (t, t.detach().clone()) for n in program.parameters if n not in learnable for t in [program.parameters[n]]
    ]
    random = [f for f in program.compiled.values() if isinstance(f, RandomOperation)]
    states = [f.state() for f in random]
    environment = program.environment
    kept = [s.kept() for s in environment.stateful]
    say, traced = environment.say, dict(environment.traced)
    environment.say = lambda line: None
    try:
        yield
    finally:
        environment.say = say
        environment.traced.clear()
        environment.traced.update(traced)
        for function, state in zip(random, states, strict=True):
            function.restore(state)
        for stateful, before in zip(environment.stateful, kept, strict=True):
            stateful.take(before)
        with torch.no_grad():
            for tensor, before in tensors:
                tensor.copy_(before)
