"""Shapes of all nodes: the rules of `schema.ops`, applied until nothing changes, as the reference does it.

Parameters whose dimensions were left open get them from what they are used with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bsls.finding import Finding, Related
from bsls.network.loops import evaluation_order_with_loops, loop_without_delay, recurrent_loops
from bsls.network.network import AxisNames, Network
from bsls.network.node import ELEMENT_SIZES, Node
from bsls.schema.ops import get
from bsls.schema.ops.base import ShapeError
from bsls.schema.ops.delays import DELAYS, first_guess
from bsls.shape import Dims, DynamicAxis, Shape

_MAX_PASSES = 64

MAX_RANK, MAX_DIM, MAX_ELEMENTS = 12, 2**32 - 1, 2**36
"""CNTK has no more axes, no file holds a larger dimension, and no memory more elements."""


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
    made: dict[Node, DynamicAxis]  # axes that nodes make
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
        if self.node not in self.made:
            self.made[self.node] = DynamicAxis(self.names.unique(name or self.node.name))
        return self.made[self.node]


def _unvisited(node: Node) -> Shape:
    """What the users of a node see before it was visited, in a loop."""
    return Shape(first_guess(node.attributes)) if node.op in ("PastValue", "FutureValue") else Shape(())


def validate(network: Network) -> Validation:
    """Fills in `shape` of every node; what does not fit becomes a finding and the node keeps no shape.

    Nodes above a node without shape are left alone.
    """
    return _Validator(network).run()


class _Validator:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.names = network.axis_names
        self.made = {n: DynamicAxis(self.names.unique(n.name)) for n in network.by_name() if n.op == "DynamicAxis"}
        self.axes = {node.name.lower(): axis for node, axis in self.made.items()}
        self.axes[""] = DynamicAxis(network.axis_name)
        self.loops = recurrent_loops(network)
        self.nodes = evaluation_order_with_loops(network, self.loops)
        self.seen: dict[Node, list[Shape | None]] = {}  # by nodes visited: the shapes that their inputs had then
        self.failed: set[Node] = set()
        self.blamed: set[Node] = set()  # those of the failed nodes that have a finding
        self.result = Validation()

    def run(self) -> Validation:
        for node in self.nodes:
            node.shape = Shape(first_guess(node.attributes)) if node.op in DELAYS else None
        self._check_loops()
        todo = len(self.nodes)
        while todo and len(self.result.passes) < _MAX_PASSES:
            todo = self._pass(todo)
        self._final_pass()
        return self.result

    def _check_loops(self) -> None:
        if circle := loop_without_delay(self.network):
            names = ", ".join(f"'{node.name}'" for node in circle)
            reason = "it needs itself" if len(circle) == 1 else "they need one another"
            help = "only PastValue and FutureValue may close a circle"
            self._refuse_loop(circle, f"{names} cannot be computed: {reason}", help)
        for loop in self.loops:
            if loop.looks_both_ways:
                message = f"'{loop.entry.name}' cannot be computed: through PastValue and FutureValue it needs itself both of frames before and of frames after"
                help = "use one of them only in a loop, or compute both directions apart and join them with Splice"
                self._refuse_loop(loop.nodes, message, help)

    def _refuse_loop(self, nodes: Sequence[Node], message: str, help: str) -> None:
        self.failed.update(nodes)
        origin = next((node.origin for node in nodes if node.origin is not None), None)
        self.result.findings.append(Finding("cyclic-definition", message, origin, help=help))

    def _pass(self, todo: int) -> int:
        """Visits the nodes whose inputs are not what they were; how many nodes are not done after it."""
        lines: list[str] = []
        first = not self.result.passes
        self.result.passes.append((todo, lines))
        todo, seen = 0, self.seen
        for node in self.nodes:
            inputs = node.inputs
            if inputs and not any(i in seen for i in inputs):
                todo += 1
                continue
            if self._is_broken(node):
                continue
            shapes = [i.shape for i in inputs]
            changed = False
            if seen.get(node) != shapes:
                seen[node] = shapes
                changed = self._apply_rule(node, final=False)
                if node in self.failed:
                    continue
                if first or changed:
                    lines.append(f"Validating --> {node.prototype}")
            if inputs and (changed or not all(i in seen for i in inputs)):
                todo += 1
        return todo

    def _final_pass(self) -> None:
        doubtful: list[tuple[Node, Finding]] = []  # parameters
        for node in self.nodes:
            if self._is_broken(node):
                continue
            self._apply_rule(node, final=True)
            problem = self._problem_of_size(node) if node not in self.failed else None
            if problem is None:
                continue
            if node.is_parameter:
                self.failed.add(node)
                doubtful.append((node, problem))
            else:
                self._fail(node, problem)
        parameters = {node for node, _ in doubtful}
        for node, problem in doubtful:
            if 0 not in self._declared(node) or not self._is_excused(node, parameters):
                self._fail(node, problem)

    def _is_excused(self, parameter: Node, doubtful: set[Node]) -> bool:
        """Whether the dimensions of a parameter are wrong because something else is that it is used with."""
        users = (node for node in self.nodes if parameter in node.inputs)
        return any(u in self.blamed or any(i in self.failed and i not in doubtful for i in u.inputs) for u in users)

    def _declared(self, parameter: Node) -> Dims:
        return tuple(parameter.attributes["dims"])  # type: ignore[arg-type]

    def _problem_of_size(self, node: Node) -> Finding | None:
        shape = node.shape
        if shape is None:
            return None
        if node.is_parameter and not shape.known:
            message = f"the dimensions of parameter '{node.name}' cannot be inferred: {shape}"
            return Finding("shape", message, node.origin, help="give the dimensions that are 0")
        what = f"{node.op} '{node.name}'"
        if shape.rank > MAX_RANK:
            message = f"{what} has {shape.rank} axes: {shape}"
            return Finding("shape", message, node.origin, help=f"CNTK has at most {MAX_RANK}; join some of them")
        if max(shape.dims, default=0) > MAX_DIM or shape.elements > MAX_ELEMENTS:
            size = shape.elements * ELEMENT_SIZES.get(node.precision, 4) / 2**30
            frame = " for each frame" if shape.axis else ""
            message = f"{what} would have {shape.elements:.3g} elements{frame}, {size:.3g} GB: {shape}"
            return Finding("shape", message, node.origin, help="check its dimensions")
        return None

    def _is_broken(self, node: Node) -> bool:
        """Whether the node or something below it failed."""
        if node in self.failed:
            return True
        if self.failed and not self.failed.isdisjoint(node.inputs):
            self.failed.add(node)
            return True
        return False

    def _apply_rule(self, node: Node, final: bool) -> bool:
        """Gives the node its shape; whether that or the shape of an input changed."""
        before = node.shape
        if node.is_parameter:
            if before is None:
                node.shape = Shape(self._declared(node))
            return before is None
        op = get(node.op)
        if op is None:
            message = f"operation '{node.op}' of node '{node.name}' is not known"
            self._fail(node, Finding("unknown-operation", message, node.origin))
            return False
        shapes = [i.shape or _unvisited(i) for i in node.inputs]
        context = _Context(node, shapes, node.attributes, final, self.axes, self.made, self.names)
        try:
            shape = op.shape(context)
        except ShapeError as error:
            node.shape = None
            message = f"{node.op} '{node.name}': {error}"
            others = [f"'{i.name}' {i.shape or '[]'}" for i in node.inputs if f"'{i.name}'" not in message]
            message += f" (inputs {', '.join(others)})" if others else ""
            related = [Related(f"{i.name} : {i.shape or '[]'}", i.origin) for i in node.inputs if i.origin is not None]
            self._fail(node, Finding("shape", message, node.origin, help=error.help, related=related))
            return False
        if shape == before:  # the object stays, so that users see at a glance that nothing changed
            return context.inferred
        node.shape = shape
        return True

    def _fail(self, node: Node, finding: Finding) -> None:
        self.failed.add(node)
        self.blamed.add(node)
        self.result.findings.append(finding)
