"""Networks as models of the CNTK v2 library, which its Python programs and other tools load.

What the network computes becomes a composite of primitive functions. Names stay; groups of nodes and multipliers of
learning rates have no counterpart: a parameter that does not learn becomes a constant.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from itertools import count
from typing import Any

from bsls.finding import BsError
from bsls.modelfile.dictionary import FREE, Array, Size, write_dictionary
from bsls.modelfile.v1 import cannot_save, parameter_dims
from bsls.modelfile.v2 import CONSTANT, INPUT, PARAMETER, PLACEHOLDER
from bsls.modelfile.v2_attributes import UNKNOWN_AXES, attributes_of, data_type, dynamic_axes
from bsls.modelfile.v2_operations import COMBINE, NotConvertible
from bsls.modelfile.v2_steps import order_of, steps_of
from bsls.modelfile.weights import ConstantWeights, ReshapedWeights
from bsls.network.network import Network
from bsls.network.node import ELEMENT_SIZES, Node, Weights
from bsls.schema.ops.normalization import STATISTICS
from bsls.shape import Dims

_MANGLED = re.compile(r"__v2libuid__(.+)__v2libname__(.*)")
"""Names of nodes in v1 files that the library itself wrote: an identifier, and the name that a program gave."""


def write(network: Network, path: str | os.PathLike[str]) -> list[Node]:
    """Writes a validated network as a model of the v2 library, whole or not at all; returns the nodes that were left out,
    as nothing that is computed uses them.

    Raises BsError where a node has no counterpart there, or a parameter no values, or if the system refuses.
    """
    writer = _CompositeWriter(network)
    write_dictionary(path, writer.composite())
    return [node for node in network.by_name() if id(node) not in writer.done and node.op != "DynamicAxis"]


class _CompositeWriter:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.numbers = count()
        self.taken = {text.lower() for node in network for text in _name(node)}
        self.uids: dict[int, str] = {}  # of what nodes compute
        self.done: set[int] = set()  # nodes that were written
        self.variables: list[dict[str, Any]] = []
        self.functions: list[dict[str, Any]] = []
        self.awaited: dict[str, Node] = {}  # what functions of a loop use before it is computed
        self.kernels = self._kernels()

    def composite(self) -> dict[str, Any]:
        roots = [n for n in self.network.roots() if _is_function(n)]
        if not roots:
            raise BsError("model-file", "the model computes nothing", help="a model of the v2 library is a function")
        for node in self.network.evaluation_order(roots):
            self._add(node)
        self.variables += [self._placeholder(uid, node) for uid, node in self.awaited.items()]
        root = self._function(COMBINE, self._new("Combine"), "", [self._uid(n) for n in roots], {})
        return {
            "type": "CompositeFunction",
            "version": _COMPOSITE_VERSION,
            "uid": self._new("CompositeFunction"),
            "root": root,
            "inputs": self.variables,
            "primitive_functions": self.functions,
        }

    def _add(self, node: Node) -> None:
        if node.is_input:
            dims: Any = node.attributes["dims"]
            dims = tuple(d or FREE for d in dims)
            variable = self._variable(self._uid(node), INPUT, dims, data_type(node.precision), _name(node)[1])
            variable["is_sparse"] = node.op == "SparseInputValue"
            variable["dynamic_axis"] = dynamic_axes(str(node.attributes.get("dynamicAxis") or ""))
            self.variables.append(variable)
        elif node.is_parameter or node.op in STATISTICS:
            self._values(node)
        elif node.op != "OutputMultiplexer":  # that is an output of its operand
            self._functions(node)
        self.done.add(id(node))

    # --- variables ---------------------------------------------------------------------------------------------------

    def _variable(self, uid: str, kind: int, dims: Dims, type: int, name: str = "") -> dict[str, Any]:
        variable = {
            "type": "Variable", "version": _VARIABLE_VERSION, "uid": uid, "kind": Size(kind), "data_type": Size(type),
            "dynamic_axis": [], "is_sparse": False, "needs_gradient": kind == PARAMETER, "shape": dims,
        }  # fmt: skip
        return variable | ({"name": name} if name else {})

    def _placeholder(self, uid: str, node: Node) -> dict[str, Any]:
        """For what comes later; the axes are found out when it takes its place, the shape is not."""
        if node.shape is None or not node.shape.known:
            raise cannot_save(node, "its shape is not known")
        placeholder = self._variable(uid, PLACEHOLDER, node.shape.dims, data_type(node.precision))
        return placeholder | {"dynamic_axis": [UNKNOWN_AXES]}

    def _values(self, node: Node) -> None:
        """A parameter, or a statistic that was computed."""
        if node.value is None:
            raise cannot_save(node, "it has no values yet")
        if node.op in STATISTICS and not node.attributes.get("hasComputed", True):
            raise cannot_save(node, "it was not computed yet")
        dims = self.kernels.get(id(node)) or parameter_dims(node)
        kind = PARAMETER if node.is_learnable else CONSTANT
        self._constant(self._uid(node), kind, ReshapedWeights(node.value, dims), node.precision, _name(node)[1])

    def _constant(self, uid: str, kind: int, weights: Weights, precision: str, name: str = "") -> str:
        type = data_type(precision)
        self.variables.append(self._variable(uid, kind, weights.dims, type, name) | {"value": Array(weights, type)})
        return uid

    def _kernels(self) -> dict[int, Dims]:
        """The shapes of weights of convolutions that the network holds as matrices."""
        found: dict[int, Dims] = {}
        users: dict[int, list[Node]] = defaultdict(list)
        for node in self.network:
            for operand in node.inputs:
                users[id(operand)].append(node)
        for node in self.network:
            weights = node.inputs[0] if node.op == "Convolution" else node
            if node is weights or not weights.is_parameter or len(dims := parameter_dims(weights)) != 2:
                continue
            shapes = {(*self._attributes(user).get("kernelShape", ()), dims[0]) for user in users[id(weights)]}
            if len(shapes) > 1:
                raise cannot_save(node, f"its weights '{weights.name}' are used in another shape as well")
            found[id(weights)] = shapes.pop()
        return found

    @staticmethod
    def _attributes(node: Node) -> dict[str, Any]:
        try:
            return attributes_of(node) if node.op == "Convolution" else {}
        except NotConvertible:  # said when it is its turn
            return {}

    # --- functions ---------------------------------------------------------------------------------------------------

    def _functions(self, node: Node) -> None:
        """One function, or several, of which the last one has the name of the node."""
        inputs = [self._use(i) for i in node.inputs]
        try:
            *before, last = steps_of(node)
        except NotConvertible as problem:
            raise cannot_save(node, f"the v2 library has no counterpart of {problem}") from problem
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            raise cannot_save(node, f"an attribute is missing or of another type: {problem}") from problem
        previous = ""
        for step in before:
            operands = [inputs[i] if i >= 0 else previous for i in step.operands]
            operands = order_of(step.number, operands)
            uid = self._function(step.number, self._new("Step"), "", operands, step.attributes)
            previous = f"{uid}_Output_0"
        operands = [inputs[i] if i >= 0 else previous for i in last.operands]
        self._complete(node, operands)
        uid, name = self._uid(node).removesuffix("_Output_0"), _name(node)[1]
        self._function(last.number, uid, name, order_of(last.number, operands), last.attributes)

    def _complete(self, node: Node, operands: list[str]) -> None:
        """Constants that a function must have as operands there, and need not have here."""
        if node.op in ("PastValue", "FutureValue") and len(operands) == 1:
            operands.append(self._scalar(node, node.attributes.get("defaultHiddenActivation", 0.0)))
        if node.op == "BatchNormalization" and len(operands) == _NORMALIZED:
            operands.append(self._scalar(node, node.attributes.get("runCount", 0)))

    def _scalar(self, node: Node, value: Any) -> str:
        """Statistics are never in half precision."""
        precision = node.precision if node.op != "BatchNormalization" or node.precision == "double" else "float"
        size = ELEMENT_SIZES[precision.partition(",")[0]]
        return self._constant(self._new("Constant"), CONSTANT, ConstantWeights((), value, size), precision)

    def _function(self, number: int, uid: str, name: str, inputs: list[str], attributes: dict[str, Any]) -> str:
        function = {
            "type": "PrimitiveFunction", "version": _FUNCTION_VERSION, "uid": uid, "op": Size(number),
            "inputs": inputs, "attributes": attributes,
        }  # fmt: skip
        self.functions.append(function | ({"name": name} if name else {}))
        return uid

    # --- identifiers -------------------------------------------------------------------------------------------------

    def _use(self, node: Node) -> str:
        uid = self._uid(node)
        if id(node) not in self.done:
            self.awaited[uid] = node
        return uid

    def _uid(self, node: Node) -> str:
        """The identifier of what a node computes."""
        if node.op == "OutputMultiplexer":
            return f"{self._uid(node.inputs[0]).removesuffix('0')}{node.attributes['outputIndex']}"
        if id(node) not in self.uids:
            if node.is_input:
                kind = "Input"
            elif node.is_parameter or node.op in STATISTICS:
                kind = "Parameter" if node.is_learnable else "Constant"
            else:
                kind = node.op
            uid = _name(node)[0] or self._new(kind)
            self.uids[id(node)] = f"{uid}_Output_0" if _is_function(node) else uid
        return self.uids[id(node)]

    def _new(self, kind: str) -> str:
        """An identifier that is nobody's name or identifier, nor one that the library itself makes."""
        return next(uid for n in self.numbers if (uid := f"{kind}_{n}").lower() not in self.taken)


def _is_function(node: Node) -> bool:
    """Whether it computes something, and is no statistic, which is a constant there."""
    leaf = node.is_input or node.is_parameter or node.op in ("DynamicAxis", "EnvironmentInput")
    return not leaf and node.op not in STATISTICS


def _name(node: Node) -> tuple[str, str]:
    """Identifier, if the name holds one, and name."""
    mangled = _MANGLED.fullmatch(node.name)
    return (mangled.group(1), mangled.group(2)) if mangled else ("", node.name)


_VARIABLE_VERSION, _FUNCTION_VERSION, _COMPOSITE_VERSION = Size(1), Size(24), Size(3)
"""What CNTK 2.7 writes."""

_NORMALIZED = 5
"""Inputs of a batch normalization without the count of samples."""
