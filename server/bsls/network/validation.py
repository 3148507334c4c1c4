"""Shapes of all nodes: the rules of `schema.ops`, applied until nothing changes, as the reference does it.

Parameters whose dimensions were left open get them from what they are used with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bsls.finding import Finding, Related
from bsls.network.network import AxisNames, Network
from bsls.network.node import Node
from bsls.network.queries import DELAYS, loop_without_delay
from bsls.schema.ops import get
from bsls.schema.ops.base import ShapeError
from bsls.schema.ops.delays import first_guess
from bsls.shape import Dims, DynamicAxis, Shape

_MAX_PASSES = 64


@dataclass(slots=True)
class Validation:
    """What validation did: the nodes it printed in each pass, and what does not fit."""

    passes: list[tuple[int, list[str]]] = field(default_factory=list)  # nodes to process, lines
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Context:
    node: Node
    inputs: list[Shape]
    attributes: dict[str, object]
    final: bool
    axes: dict[str, DynamicAxis]  # by name in lower case; the default one under ""
    made: dict[int, DynamicAxis]  # axes that nodes make, by node
    names: AxisNames
    inferred: bool = False

    def is_parameter(self, index: int) -> bool:
        return self.node.inputs[index].is_parameter

    def infer(self, index: int, dims: Dims) -> None:
        node = self.node.inputs[index]
        if node.is_parameter and (node.shape is None or node.shape.dims != dims):
            node.shape = Shape(dims)
            self.inputs[index] = node.shape
            self.inferred = True

    def reshape(self, index: int, dims: Dims) -> None:
        self.infer(index, dims)

    def constant(self, index: int) -> float | None:
        node = self.node.inputs[index]
        if not node.is_parameter or node.shape is None or node.shape.elements != 1:
            return None
        if node.value is not None:
            return float(node.value.array().reshape(-1)[0])
        value = node.attributes.get("value")
        return float(value) if node.attributes.get("init") == "fixedValue" and isinstance(value, (int, float)) else None

    def operand(self, index: int) -> str:
        return self.node.inputs[index].name

    def operation(self, index: int) -> str:
        return self.node.inputs[index].op

    def axis(self, name: str) -> DynamicAxis:
        found = self.axes.get(name.lower())
        if found is None:
            raise ShapeError(f"there is no DynamicAxis node '{name}'", help="name a member that is a DynamicAxis")
        return found

    def new_axis(self, name: str = "") -> DynamicAxis:
        if id(self.node) not in self.made:
            self.made[id(self.node)] = DynamicAxis(self.names.unique(name or self.node.name))
        return self.made[id(self.node)]


def _unvisited(node: Node) -> Shape:
    """What the users of a node see before it was visited, in a loop."""
    return Shape(first_guess(node.attributes)) if node.op in ("PastValue", "FutureValue") else Shape(())


def validate(network: Network) -> Validation:
    """Fills in `shape` of every node; what does not fit becomes a finding and the node keeps no shape.

    Nodes above a node without shape are left alone.
    """
    result = Validation()
    axis_names = network.axis_names
    made = {id(n): DynamicAxis(axis_names.unique(n.name)) for n in network.by_name() if n.op == "DynamicAxis"}
    axes = {n.name.lower(): made[id(n)] for n in network if n.op == "DynamicAxis"}
    axes[""] = DynamicAxis(network.axis_name)
    nodes = network.evaluation_order()
    for node in nodes:
        node.shape = Shape(first_guess(node.attributes)) if node.op in DELAYS else None
    visited: set[int] = set()
    failed: set[int] = set()
    if loop := loop_without_delay(network):
        failed |= {id(node) for node in loop}
        names = ", ".join(f"'{node.name}'" for node in loop)
        message = f"{names} cannot be computed: {'it needs itself' if len(loop) == 1 else 'they need one another'}"
        origin = next((node.origin for node in loop if node.origin is not None), None)
        help = "only PastValue and FutureValue may close a circle"
        result.findings.append(Finding("cyclic-definition", message, origin, help=help))
    todo = len(nodes)
    for number in range(1, _MAX_PASSES):
        lines: list[str] = []
        result.passes.append((todo, lines))
        todo = 0
        for node in nodes:
            leaf = not node.inputs
            if not leaf and not any(id(i) in visited for i in node.inputs):
                todo += 1
                continue
            if id(node) in failed or any(id(i) in failed for i in node.inputs):
                failed.add(id(node))
                continue
            before = node.prototype
            changed = _validate_node(node, False, axes, made, axis_names, result, failed)
            visited.add(id(node))
            if id(node) in failed:
                continue
            if number == 1 or changed or node.prototype != before:
                lines.append(f"Validating --> {node.prototype}")
            if not leaf and (changed or any(id(i) not in visited for i in node.inputs)):
                todo += 1
        if todo == 0:
            break
    for node in nodes:
        if id(node) in failed or any(id(i) in failed for i in node.inputs):
            failed.add(id(node))
            continue
        _validate_node(node, True, axes, made, axis_names, result, failed)
        if id(node) not in failed and node.is_parameter and node.shape is not None and not node.shape.known:
            failed.add(id(node))
            result.findings.append(
                Finding(
                    "shape",
                    f"the dimensions of parameter '{node.name}' cannot be inferred: {node.shape}",
                    node.origin,
                    help="give the dimensions that are 0",
                )
            )
    return result


def _validate_node(
    node: Node,
    final: bool,
    axes: dict[str, DynamicAxis],
    made: dict[int, DynamicAxis],
    names: AxisNames,
    result: Validation,
    failed: set[int],
) -> bool:
    """Applies the node's rule; whether its shape or that of an input changed."""
    before = node.shape
    if node.is_parameter:
        if before is None:
            node.shape = Shape(tuple(node.attributes["dims"]))  # type: ignore[arg-type]
        return node.shape != before
    op = get(node.op)
    if op is None:
        failed.add(id(node))
        result.findings.append(
            Finding("unknown-operation", f"operation '{node.op}' of node '{node.name}' is not known", node.origin)
        )
        return False
    context = _Context(node, [i.shape or _unvisited(i) for i in node.inputs], node.attributes, final, axes, made, names)
    try:
        node.shape = op.shape(context)
    except ShapeError as error:
        failed.add(id(node))
        node.shape = None
        operands = [f"{i.name} : {i.shape}" for i in node.inputs]
        related = [Related(f"{i.name} : {i.shape}", i.origin) for i in node.inputs if i.origin is not None]
        span = node.origin
        result.findings.append(
            Finding(
                "shape",
                f"{node.op} '{node.name}': {error} (inputs {', '.join(operands)})",
                span,
                help=error.help,
                related=related,
            )
        )
        return False
    return node.shape != before or context.inferred
