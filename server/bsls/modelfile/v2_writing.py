"""Networks as models of the CNTK v2 library, which its Python programs and other tools load.

What the network computes becomes a composite of primitive functions. Names stay; groups of nodes and multipliers of
learning rates have no counterpart: a parameter that does not learn becomes a constant.
"""

from __future__ import annotations

import os
import re
from itertools import count
from typing import Any

from bsls.finding import BsError
from bsls.modelfile.dictionary import INFERRED, UNKNOWN_SHAPE, Array, Size, write_dictionary
from bsls.modelfile.v1 import cannot_save, parameter_dims
from bsls.modelfile.v2 import CONSTANT, INPUT, PARAMETER, PLACEHOLDER
from bsls.modelfile.v2_attributes import NUMBERS, attributes_of, data_type, dynamic_axes
from bsls.modelfile.v2_operations import COMBINE, FUNCTIONS, NotConvertible
from bsls.modelfile.weights import ConstantWeights, ReshapedWeights
from bsls.network.network import Network
from bsls.network.node import Node, Weights
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
        self.names = {_name(n)[1].lower() for n in network}
        self.uids: dict[int, str] = {}  # of what nodes compute
        self.done: set[int] = set()  # nodes that were written
        self.variables: list[dict[str, Any]] = []
        self.functions: list[dict[str, Any]] = []
        self.awaited: set[str] = set()  # what functions of a loop use before it is computed
        self.kernels = self._kernels()

    def composite(self) -> dict[str, Any]:
        roots = [n for n in self.network.roots() if _is_function(n)]
        if not roots:
            raise BsError("model-file", "the model computes nothing", help="a model of the v2 library is a function")
        for node in self.network.evaluation_order(roots):
            self._add(node)
        self.variables += [self._variable(uid, PLACEHOLDER, UNKNOWN_SHAPE, 0) for uid in sorted(self.awaited)]
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
            dims = tuple(d or INFERRED for d in dims)
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

    def _values(self, node: Node) -> None:
        """A parameter, or a statistic that was computed."""
        if node.value is None:
            raise cannot_save(node, "it has no values yet")
        dims = self.kernels.get(id(node)) or (parameter_dims(node) if node.is_parameter else node.value.dims)
        kind = PARAMETER if node.is_learnable else CONSTANT
        self._constant(self._uid(node), kind, ReshapedWeights(node.value, dims), node, _name(node)[1])

    def _constant(self, uid: str, kind: int, weights: Weights, node: Node, name: str = "") -> str:
        type = data_type(node.precision)
        self.variables.append(self._variable(uid, kind, weights.dims, type, name) | {"value": Array(weights, type)})
        return uid

    def _kernels(self) -> dict[int, Dims]:
        """The shapes of weights of convolutions that the network holds as matrices."""
        found: dict[int, Dims] = {}
        for node in self.network:
            if node.op == "Convolution" and node.inputs[0].is_parameter:
                kernel: Any = node.attributes.get("kernelShape", ())
                maps, *rest = parameter_dims(node.inputs[0])
                if len(rest) == 1 < len(kernel):
                    found[id(node.inputs[0])] = (*kernel, maps)
        return found

    # --- functions ---------------------------------------------------------------------------------------------------

    def _functions(self, node: Node) -> None:
        """A node is one function, a normalization by given statistics two."""
        inputs = [self._use(i) for i in node.inputs]
        if node.op in _NORMALIZATIONS:
            (first, operand), (operation, second) = _NORMALIZATIONS[node.op]
            inner = self._function(NUMBERS[first], self._new(first), "", [inputs[0], inputs[operand]], {})
            number, inputs, attributes = NUMBERS[operation], [f"{inner}_Output_0", inputs[second]], {}
        else:
            number, attributes = self._counterpart(node)
        if node.op in ("PastValue", "FutureValue") and len(inputs) == 1:
            inputs.append(self._scalar(node, node.attributes.get("defaultHiddenActivation", 0.0)))
        if node.op == "BatchNormalization" and len(inputs) == _NORMALIZED:
            inputs.append(self._scalar(node, 0.0))
        order = FUNCTIONS[number].inputs
        if order is not None:
            inputs = [inputs[order.index(i)] for i in range(len(inputs))]
        self._function(number, self._uid(node).removesuffix("_Output_0"), _name(node)[1], inputs, attributes)

    def _counterpart(self, node: Node) -> tuple[int, dict[str, Any]]:
        if node.op not in NUMBERS:
            raise cannot_save(node, f"the v2 library has no {node.op}")
        try:
            return NUMBERS[node.op], attributes_of(node)
        except NotConvertible as problem:
            raise cannot_save(node, f"it has {problem}, which the v2 library does not have") from problem
        except (KeyError, TypeError, ValueError) as problem:
            raise cannot_save(node, f"an attribute is missing or of another type: {problem}") from problem

    def _scalar(self, node: Node, value: Any) -> str:
        """A constant that a function must have as an operand there, and need not have here."""
        return self._constant(self._new("Constant"), CONSTANT, ConstantWeights((), value, node.element_size), node)

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
            self.awaited.add(uid)
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
        """An identifier that is nobody's name, as the library has an unnamed function known by it."""
        return next(uid for n in self.numbers if (uid := f"{kind}{n}").lower() not in self.names)


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

_NORMALIZATIONS = {
    "PerDimMeanVarNormalization": (("Minus", 1), ("ElementTimes", 2)),
    "PerDimMeanVarDeNormalization": (("ElementTimes", 2), ("Plus", 1)),
}
"""The two operations, each with the input that is its second operand."""
