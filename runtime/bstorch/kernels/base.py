"""What a kernel is and how one is registered.

A kernel is compiled once for a node: `build(node, environment)` looks at shapes and attributes and returns the function
that is called in each minibatch with the values of the node's inputs. Values are tensors whose dims are the node's
dims reversed; those with a dynamic axis have the frames of the minibatch in front: [a x b x *] is (frames, b, a).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from bsls.network.node import Node
from bsls.shape import DynamicAxis, Shape

if TYPE_CHECKING:
    from bstorch.program.layout import MinibatchLayout
    from bstorch.program.recurrence import Deferred, TimeStep


class Stateful(Protocol):
    """What keeps something from minibatch to minibatch that is no parameter."""

    def reset(self) -> None:
        """Forgets it: an epoch begins."""
        ...

    def kept(self) -> list[Tensor]:
        """It, as tensors."""
        ...

    def take(self, kept: Sequence[Tensor]) -> None:
        """Goes on from what `kept` gave."""
        ...


Forward = Callable[..., Tensor]
"""Takes the values of a node's inputs, gives its value."""

DTYPES = {"float": torch.float32, "double": torch.float64, "float16": torch.float32, "half": torch.float32}
"""Element types by precision; half precision is computed in single precision."""


@dataclass(slots=True)
class Environment:
    """The run as kernels see it; the program and the trainer change it, kernels read it when they are called.

    `layouts` are those of the minibatch, one for each dynamic axis. `step` is the time step that is being computed in a
    recurrent loop: there `layouts` are those of the step. `fast_random` allows other random numbers than the reference's;
    with `detect_anomaly` a value or gradient that is not finite ends the run, with `recompute` values are computed again on
    the way back rather than kept, and with `compile` torch compiles what it can.
    `traced` counts the minibatches of each Trace; programs that run the same network share it.
    `assignments` are the parameters that get new values when the minibatch is done, `outputs` the further outputs of the
    operations that have several, `deferred` the products of loops whose weights get their gradients afterwards, `stateful`
    all that keeps something from minibatch to minibatch, in the order in which it was compiled.
    """

    training: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    layouts: dict[DynamicAxis, MinibatchLayout] = field(default_factory=dict)
    fast_random: bool = False
    step: TimeStep | None = None
    say: Callable[[str], None] = lambda line: None  # takes a line of the log
    detect_anomaly: bool = False
    recompute: bool = False
    compile: bool = False
    traced: dict[Node, int] = field(default_factory=dict)
    assignments: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    outputs: dict[Node, Tensor] = field(default_factory=dict)
    deferred: list[Deferred] = field(default_factory=list)
    stateful: list[Stateful] = field(default_factory=list)


Builder = Callable[[Node, Environment], Forward]


def overwrites_nothing(node: Node) -> int | None:
    """What most operations do: they add to the gradients of their inputs."""
    return None


@dataclass(frozen=True, slots=True)
class Kernel:
    """A registered implementation.

    `sparse` are the inputs that may be a `SparseBatch`; all others get dense tensors. `overwrites` names the input of a
    node whose gradient the reference sets rather than adds to, if there is one: what nodes that are evaluated later
    contributed to it, and thus were differentiated earlier, is lost.
    """

    op: str
    build: Builder
    sparse: tuple[int, ...] = ()
    overwrites: Callable[[Node], int | None] = overwrites_nothing


KERNELS: dict[str, Kernel] = {}


def kernel(
    *ops: str, sparse: tuple[int, ...] = (), overwrites: Callable[[Node], int | None] = overwrites_nothing
) -> Callable[[Builder], Builder]:
    """Registers a builder for operations."""

    def register(build: Builder) -> Builder:
        for op in ops:
            KERNELS[op] = Kernel(op, build, sparse, overwrites)
        return build

    return register


def get(op: str) -> Kernel | None:
    """The kernel of an operation, None where there is none."""
    return KERNELS.get(op)


def shape_of(node: Node) -> Shape:
    """The shape of a validated node."""
    assert node.shape is not None, f"{node.name} was not validated"
    return node.shape


def reversed_dims(node: Node) -> tuple[int, ...]:
    """Dims of the node's tensor, without frames."""
    return shape_of(node).dims[::-1]


def has_axis(node: Node) -> bool:
    """Whether the value has frames in front."""
    return shape_of(node).axis is not None


def axis_of(node: Node) -> DynamicAxis:
    """The dynamic axis of a node that has one."""
    axis = shape_of(node).axis
    assert axis is not None, f"{node.name} has no dynamic axis"
    return axis


def elements(node: Node) -> int:
    """Number of elements of one sample."""
    return shape_of(node).elements


def by_frame(x: Tensor) -> Tensor:
    """A value with frames in front as (frames, elements), also where there are no frames."""
    return x.reshape(x.shape[0], prod(x.shape[1:]))


def dtype_of(node: Node) -> torch.dtype:
    """The element type of the node's value."""
    return DTYPES[node.precision]
