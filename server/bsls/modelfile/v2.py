"""Models of the CNTK v2 library, which its Python programs save: read as a Network.

A model is a composite of primitive functions. Blocks (layers, criteria) are opened: what is inside of them belongs to
the network. A node has the name that the program gave to the function, else the function's identifier.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

from bsls.finding import BsError
from bsls.modelfile.checkpoint import IsCheckpoint
from bsls.modelfile.dictionary import ELEMENT_TYPES, FREE, INFERRED, Axis, is_dictionary, read_dictionary
from bsls.modelfile.v2_operations import BLOCK, COMBINE, FUNCTIONS, Function, NotConvertible
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema import ops
from bsls.schema.ops.rules import NO_SEQUENCE
from bsls.shape import Dims, Shape

T = TypeVar("T")

INPUT, PARAMETER, CONSTANT, PLACEHOLDER = 0, 2, 3, 4
"""Kinds of variables."""

_DEFAULT_AXIS, _BATCH_AXIS = "defaultDynamicAxis", "defaultBatchAxis"


def is_v2(path: str | os.PathLike[str]) -> bool:
    """Whether a file is, by its first bytes, a model or checkpoint of the v2 library."""
    try:
        with open(path, "rb") as file:
            return is_dictionary(file.read(4096))
    except OSError:
        return False


def read(path: str | os.PathLike[str], *, lenient: bool = False) -> Network:
    """The network of a v2 model, with the values of its parameters; nodes have no shapes yet.

    Raises BsError (rule `model-file`) for what is no such file, or damaged. Functions without counterpart raise it as
    well, unless `lenient`: then they are nodes of operations such as Function98, without attributes.
    """
    path = os.fspath(path)
    composite = read_dictionary(path, "CNTK v2 model")
    if "Learners" in composite:
        raise IsCheckpoint(path)
    return _Composite(_Record(composite, path), lenient).network()


class _Record:
    """A dictionary of a file whose values are asked for with their types."""

    def __init__(self, values: object, path: str) -> None:
        self.path = path
        self.values: dict[str, Any] = values if isinstance(values, dict) else {}

    def error(self, problem: str) -> BsError:
        return BsError(
            "model-file",
            f"'{self.path}' cannot be read as a CNTK v2 model: {problem}",
            help="check whether it is the right file, and whole",
        )

    def get(self, key: str, type: type[T], default: T | None = None) -> T:
        value = self.values.get(key, default)
        if not isinstance(value, type):
            uid = self.values.get("uid")
            what = f"'{uid}'" if uid else "the model"
            raise self.error(f"'{key}' in {what} is missing or of another type")
        return value

    def items(self, key: str, type: type[T]) -> list[T]:
        values = self.get(key, list)
        if not all(isinstance(value, type) for value in values):
            raise self.error(f"'{key}' has items of another type")
        return values

    def records(self, key: str) -> list[_Record]:
        return [_Record(value, self.path) for value in self.items(key, dict)]

    def record(self, key: str) -> _Record:
        return _Record(self.get(key, dict), self.path)


class _Composite:
    def __init__(self, composite: _Record, lenient: bool) -> None:
        self.lenient = lenient
        self.made: dict[str, Node] = {}  # by identifier of the variable that the node computes
        self.alias: dict[str, str] = {}  # variables that are others
        self.produced: dict[str, list[str]] = {}  # variables by the function that they come from
        self.names: dict[str, str] = {}  # that programs gave to variables
        self.links: list[tuple[Node, list[str]]] = []
        self.axes: dict[str, Node] = {}
        self.composite = composite
        self.error = composite.error
        if composite.get("type", str, "") != "CompositeFunction":
            raise self.error("it holds no model")

    def network(self) -> Network:
        for variable in self.composite.records("inputs"):
            self.variable(variable)
        for function in self.composite.records("primitive_functions"):
            self.function(function)
        for node, inputs in self.links:
            node.inputs = [self.node(uid) for uid in inputs]
        for node, _ in (*self.links, *self.links):  # the second time for what comes out of loops
            node.precision = node.precision or _precision(node)
        for node in self.made.values():
            node.precision = node.precision or "float"
        network = Network("double" if any(n.precision == "double" for n in self.made.values()) else "float")
        self.give_names()
        for node in (*self.axes.values(), *self.made.values()):
            if node.name in network:
                raise self.error(f"there are two variables '{node.name}'")
            network.add(node)
        self.mark(network, self.outputs(self.composite.get("root", str)))
        return network

    def variable(self, variable: _Record) -> None:
        uid, kind = variable.get("uid", str), variable.get("kind", int)
        if kind == PLACEHOLDER:
            return
        type = ELEMENT_TYPES.get(variable.get("data_type", int))
        if type is None:
            raise self.error(f"variable '{uid}' has elements of an unknown type")
        dims: Dims = variable.get("shape", tuple)
        attributes: dict[str, Any] = {"dims": tuple(0 if d in (INFERRED, FREE) else d for d in dims)}
        if kind == INPUT:
            operation = "SparseInputValue" if variable.get("is_sparse", bool) else "InputValue"
            attributes["dynamicAxis"] = self.axis_name(variable.items("dynamic_axis", Axis))
        elif kind in (PARAMETER, CONSTANT):
            operation = "LearnableParameter"
            attributes["learningRateMultiplier"] = float(kind == PARAMETER)
        else:
            raise self.error(f"variable '{uid}' is of the unknown kind {kind}")
        node = self.add(uid, operation, attributes, type.precision, variable.get("name", str, ""))
        if kind != INPUT:
            node.value = variable.values.get("value")
            if getattr(node.value, "dims", None) != dims:
                raise self.error(f"the values of '{uid}' have not its shape {Shape(dims)}")

    def axis_name(self, axes: list[Axis]) -> str:
        """The name of a DynamicAxis node, which is made for all but the default axis."""
        name = next((axis.name for axis in axes if axis.name != _BATCH_AXIS), NO_SEQUENCE)
        if name == _DEFAULT_AXIS:
            return ""
        if name not in self.axes:
            self.axes[name] = Node("DynamicAxis", name)
        return name

    def function(self, function: _Record) -> None:
        uid = function.get("uid", str)
        if function.get("type", str) == "UserDefinedFunction":
            self.opaque(function, "UserDefinedV2Function")
            return
        number = function.get("op", int)
        if number == COMBINE:
            self.stand_for(uid, function.items("inputs", str))
        elif number == BLOCK:
            self.block(function)
        elif (known := FUNCTIONS.get(number)) is not None and (op := ops.get(known.operation)) is not None:
            self.primitive(function, known, op)
        elif self.lenient:
            self.opaque(function, f"Function{number}")
        else:
            raise self.error(f"function '{uid}' is of the unknown number {number}")

    def opaque(self, function: _Record, operation: str) -> None:
        """A function of which only the name and the inputs are known."""
        name = function.get("name", str, "")
        node = self.add(f"{function.get('uid', str)}_Output_0", operation, {}, "", name)
        self.links.append((node, function.items("inputs", str)))

    def block(self, function: _Record) -> None:
        """A block computes what its inner function computes, with other variables in the place of its placeholders."""
        uid, name = function.get("uid", str), function.get("name", str, "")
        inner = function.record("block_function_composite").get("root", str)
        keys, values = (function.items(f"block_function_composite_arguments_map_{k}", str) for k in ("keys", "values"))
        if len(keys) != len(values):
            raise self.error(f"block '{uid}' has {len(keys)} arguments and {len(values)} values for them")
        self.alias |= dict(zip(keys, values, strict=True))
        outputs = self.produced.get(inner, [])
        self.stand_for(uid, outputs)
        if name and outputs:
            self.names[self.final(outputs[0])] = name

    def stand_for(self, function: str, variables: Sequence[str]) -> None:
        """Makes other variables the outputs of a function that computes nothing."""
        self.produced[function] = [f"{function}_Output_{i}" for i in range(len(variables))]
        self.alias |= dict(zip(self.produced[function], variables, strict=True))

    def primitive(self, function: _Record, known: Function, op: ops.Op) -> None:
        uid, inputs = function.get("uid", str), function.items("inputs", str)
        try:
            attributes = known.convert(function.get("attributes", dict), [self.declared(i) for i in inputs])
        except NotConvertible as problem:
            if self.lenient:
                self.opaque(function, f"Function{function.get('op', int)}")
                return
            raise self.error(f"function '{uid}' is or has {problem}, which is not supported") from problem
        except (KeyError, TypeError, IndexError, AttributeError) as problem:
            raise self.error(f"an attribute of '{uid}' ({op.name}) is missing or of another type") from problem
        attributes = {a.name: a.default for a in op.attributes if a.default is not None} | attributes
        for name, value in attributes.items():
            if not _is_attribute(op, name, value):
                raise self.error(f"attribute '{name}' of '{uid}' ({op.name}) is {value}")
        if known.inputs is not None:
            inputs = [inputs[i] for i in known.inputs if i < len(inputs)]
        least, most = op.arity
        if len(inputs) < least or (most is not None and len(inputs) > most):
            raise self.error(f"function '{uid}' ({op.name}) has {len(inputs)} inputs")
        name = function.get("name", str, "")
        node = self.add(f"{uid}_Output_0", op.name, attributes, "", name)
        self.links.append((node, inputs))
        if op.name == "TopK" or (op.name == "UnpackSequence" and not attributes["suppressMaskOutput"]):
            settings: dict[str, Any] = {"outputIndex": 1, "isMask": op.name == "UnpackSequence"}
            own = f"{name}_Output_1" if name else ""
            second = self.add(f"{uid}_Output_1", "OutputMultiplexer", settings, "", own)
            self.links.append((second, [f"{uid}_Output_0"]))

    def add(self, uid: str, operation: str, attributes: dict[str, Any], precision: str, name: str) -> Node:
        if uid in self.made:
            raise self.error(f"'{uid}' is there twice")
        node = Node(operation, uid, attributes=attributes, precision=precision)
        self.made[uid] = node
        self.produced.setdefault(uid.rpartition("_Output_")[0], []).append(uid)
        if name:
            self.names[uid] = name
        return node

    def declared(self, uid: str) -> Dims:
        node = self.made.get(uid)
        return node.attributes.get("dims", ()) if node is not None else ()  # type: ignore[return-value]

    def final(self, uid: str) -> str:
        """The variable for which another one stands."""
        seen = {uid}
        while uid not in self.made and uid in self.alias:
            uid = self.alias[uid]
            if uid in seen:
                raise self.error(f"'{uid}' stands for itself")
            seen.add(uid)
        return uid

    def node(self, uid: str) -> Node:
        node = self.made.get(self.final(uid))
        if node is None:
            raise self.error(f"there is nothing that computes '{uid}'")
        return node

    def outputs(self, root: str) -> list[Node]:
        """What the model computes, in order."""
        found = [self.node(uid) for uid in self.produced.get(root, ())]
        if not found:
            raise self.error(f"there is nothing that computes its root '{root}'")
        return list(dict.fromkeys(found))

    def give_names(self) -> None:
        """Those of programs where they are unique, as names of nodes ignore case."""
        used = Counter(name.lower() for name in (*self.names.values(), *self.axes))
        used.update(uid.removesuffix("_Output_0").lower() for uid in self.made)
        for uid, node in self.made.items():
            own = uid.removesuffix("_Output_0")
            name = self.names.get(uid, own)
            node.name = name if name == own or used[name.lower()] == 1 else own

    def mark(self, network: Network, outputs: list[Node]) -> None:
        for group, nodes in (("feature", network.inputs), ("output", outputs)):
            for node in nodes:
                network.tag(node, group)
                node.tags.append(group)


def _precision(node: Node) -> str:
    """What it is cast to, else that of the first operand of which it is known."""
    if node.op == "Cast":
        return str(node.attributes["precision"])
    return next((i.precision for i in node.inputs if i.precision), "")


def _is_attribute(op: ops.Op, name: str, value: object) -> bool:
    """Whether a value is one of the attribute, as files of v1 hold it, or scripts name it."""
    items = value if isinstance(value, tuple) else (value,)
    field = next((f.type for f in op.fields if f.attribute == name and not f.names), None)
    attribute = next((a.type for a in op.attributes if a.name == name), None)
    if "bool" in (field or "") or attribute in ("boolean", "booleans"):
        return all(isinstance(item, bool) for item in items)
    if field in ("wstr", "str8") or attribute == "string":
        return isinstance(value, str)
    if field in ("f32", "f64", "elem") or attribute in ("number", "numbers"):
        numbers = items if attribute == "numbers" else (value,)
        return all(isinstance(item, (int, float)) for item in numbers)
    unknown = field is None and attribute is None and isinstance(value, str)
    return unknown or all(isinstance(item, int) for item in items)
