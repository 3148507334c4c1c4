"""The runtime types that `new T [...]` makes: nodes, networks, clones, and the helpers of the library.

Each reads its settings from the bracket by name, through enclosing scopes: that is how function parameters reach it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from bsls.evaluate.given import written, written_item
from bsls.evaluate.printing import format_value, is_format
from bsls.evaluate.roots import network_of
from bsls.evaluate.values import (
    UNKNOWN,
    BsArray,
    BsFunction,
    NetworkValue,
    RecordScope,
    Thunk,
    Unknown,
    UnknownValue,
    kind,
    show_number,
)
from bsls.finding import BsError, Edit, Fix
from bsls.network.build import OLD_TAGS, build_network
from bsls.network.cloning import MODES, Template
from bsls.network.loops import loop_without_delay
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.network.replacing import relink
from bsls.resolve.names import similar
from bsls.schema.ops import get as get_op
from bsls.schema.ops.base import Attribute, AttributeType, ShapeError
from bsls.schema.ops.parameters import dims_for_matrix, matrix_size
from bsls.source import Span
from bsls.syntax.tree import Expr, New

if TYPE_CHECKING:
    from bsls.evaluate.interpreter import Interpreter

Make = Callable[["Interpreter", RecordScope, str, New], object]

LATE_OPERATIONS = frozenset({"PastValue", "FutureValue"})
"""Operations whose first input is made only when the network is put together, so that loops can close."""

_RANDOM_KINDS = frozenset(
    {
        "uniform",
        "uniform1",
        "gaussian",
        "normal",
        "xavier",
        "glorotUniform",
        "glorotNormal",
        "heUniform",
        "heNormal",
        "TruncNormal",
    }
)
_FIXED_KINDS = frozenset({"fixedValue", "fromFile", "fromLiteral", "bilinear", "zero"})


class _Settings:
    """Typed look-up in the bracket of `new`."""

    def __init__(self, interpreter: Interpreter, record: RecordScope, expr: New) -> None:
        self.interpreter = interpreter
        self.record = record
        self.expr = expr

    @property
    def site(self) -> Expr:
        """Where the user caused this: the call of a library function, else the expression itself."""
        if self.expr.home.library and self.interpreter.origin is not None:
            return self.interpreter.origin
        return self.expr

    def thunk(self, name: str) -> Thunk | None:
        return self.record.find(name)

    def get(self, name: str) -> object:
        thunk = self.record.find(name)
        if thunk is None:
            raise BsError("missing-argument", f"required parameter '{name}' not found", self.site.span)
        return self.interpreter.force(thunk)

    def span(self, name: str) -> Span:
        """Where a setting was written, if that is the user's text; else the call."""
        thunk = self.record.find(name)
        return (written(thunk, self.interpreter) if thunk is not None else None) or self.site.span

    def _item_span(self, value: object, item: object, name: str) -> Span:
        """Where an item of a setting was written that is an array."""
        thunk = self.record.find(name)
        found = written_item(thunk, value, item, self.interpreter) if thunk is not None else None
        return found or self.span(name)

    def string(self, name: str) -> str:
        value = self.get(name)
        if isinstance(value, Unknown):
            raise UnknownValue(self.span(name))
        if not isinstance(value, str):
            raise BsError("wrong-type", f"'{name}' must be a string, this is {kind(value)}", self.span(name))
        return value

    def attribute(self, attribute: Attribute) -> object:
        name = attribute.key or attribute.name
        thunk = self.record.find(name)
        if thunk is None:
            if attribute.required:
                raise BsError("missing-argument", f"required parameter '{name}' not found", self.site.span)
            return attribute.default
        return self.convert(attribute, self.interpreter.force(thunk), name)

    def convert(self, attribute: Attribute, value: object, name: str) -> object:
        if isinstance(value, Unknown):
            return UNKNOWN
        wanted = attribute.type
        if wanted == "shape":
            return self.dims(value, name)
        if wanted in _ITEMS:
            items = self.interpreter.flatten(value)
            inner = Attribute(name, _ITEMS[wanted], 0)
            return tuple(self.convert(inner, v, name) for v in items)
        if wanted == "axis":
            if isinstance(value, Node):
                return value.name
            if isinstance(value, str):
                return value
        elif wanted == "node":
            return value
        elif wanted == "record" and isinstance(value, RecordScope):
            found = {member: value.own(member) for member in value.names()}
            return {member: self.interpreter.force(thunk) for member, thunk in found.items() if thunk is not None}
        elif wanted == "string" and isinstance(value, str):
            if attribute.values and value and not any(value.lower() == v.lower() for v in attribute.values):
                raise BsError(
                    "wrong-value",
                    f"'{name}' = '{value}' is not possible",
                    self.span(name),
                    help="possible are " + ", ".join(attribute.values),
                )
            return value
        elif wanted == "boolean" and isinstance(value, bool):
            return value
        elif isinstance(value, float) and not isinstance(value, bool) and wanted in ("number", "integer"):
            if wanted == "number":
                return value
            if value.is_integer():
                return int(value)
            raise BsError(
                "wrong-type", f"'{name}' must be a whole number, this is {show_number(value)}", self.span(name)
            )
        elif type(value) is type(attribute.default) and value == attribute.default:
            return value
        raise BsError("wrong-type", f"'{name}' must be {_article(wanted)}, this is {kind(value)}", self.span(name))

    def dims(self, value: object, name: str) -> object:
        found: list[int] = []
        for item in self.interpreter.flatten(value):
            if isinstance(item, Unknown):
                return UNKNOWN
            if (
                isinstance(item, bool)
                or not isinstance(item, float)
                or item != item
                or math.isinf(item)
                or item != int(item)
                or item < 0
            ):
                shown = show_number(item) if isinstance(item, float) and not isinstance(item, bool) else kind(item)
                hint = (
                    "Floor, Abs, Round and the like make nodes; use IntDiv or Mod to compute with numbers"
                    if isinstance(item, Node)
                    else "dimensions are whole numbers, 0 where they are to be inferred"
                )
                raise BsError("wrong-type", f"{shown} is no dimension", self._item_span(value, item, name), help=hint)
            found.append(int(item))
        return tuple(found)


_ITEMS: dict[AttributeType, AttributeType] = {"integers": "integer", "numbers": "number", "booleans": "boolean"}


def _article(wanted: str) -> str:
    return {"integer": "a whole number", "axis": "a DynamicAxis node or its name"}.get(wanted, f"a {wanted}")


# --- nodes -----------------------------------------------------------------------------------------------------------


def computation_node(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    operation = settings.string("operation")
    op = get_op(operation)
    if op is None or not op.in_scripts:
        raise BsError(
            "unknown-operation", f"attempted to instantiate undefined operation {operation}", settings.site.span
        )
    inputs: list[Node] = []
    late: Thunk | None = None
    if op.inputs:
        thunk = record.find("inputs")
        if op.name in LATE_OPERATIONS:
            late = thunk
        elif thunk is not None:
            found = interpreter.flatten(interpreter.force(thunk))
            if any(isinstance(n, Unknown) for n in found):
                return UNKNOWN
            inputs = interpreter.check_inputs(found, settings.span("inputs"))
        if late is None:
            interpreter.check_arity(op.name, len(inputs), settings.site.span)
    attributes = {a.name: settings.attribute(a) for a in op.attributes}
    if any(isinstance(v, Unknown) for v in attributes.values()):
        return UNKNOWN
    if op.name == "LearnableParameter":
        _initial_value(interpreter, settings, attributes)
    node = interpreter.make_node(op.name, inputs, path, expr, attributes)
    tag = record.find("tag")
    if tag is not None:
        node.tags = _tags(interpreter.force(tag), settings)
    precision = record.find("precision")
    if precision is not None:
        value = interpreter.force(precision)
        node.precision = value if isinstance(value, str) and value else node.precision
    if late is not None:
        interpreter.late_inputs[id(node)] = late
    return node


def _tags(value: object, settings: _Settings) -> list[str]:
    if not isinstance(value, str) or not value:
        return []
    if value not in GROUPS and value not in OLD_TAGS:
        span, meant = settings.span("tag"), similar(value, GROUPS)
        fixes = [Fix(f"change to '{meant}'", (Edit(span, f"'{meant}'"),), safe=True)] if meant else []
        raise BsError(
            "wrong-value",
            f"invalid group tag '{value}'",
            span,
            help="must be one of " + ", ".join(f"'{g}'" for g in GROUPS),
            fixes=fixes,
        )
    return [OLD_TAGS.get(value, value)]


def _initial_value(interpreter: Interpreter, settings: _Settings, attributes: dict[str, object]) -> None:
    """Settles how a parameter is initialised: an explicit `init`, else a file, else a value, else uniform."""
    init, value = attributes["init"], attributes.pop("initValue", "")
    if not init:
        if attributes["initFromFilePath"]:
            init = "fromFile"
        elif isinstance(value, float) and not isinstance(value, bool):
            init, attributes["value"] = "fixedValue", value
        elif value == "" or value is None:
            init = "uniform"
        else:
            raise BsError(
                "wrong-type", f"'initValue' must be a number, this is {kind(value)}", settings.span("initValue")
            )
    if init not in _RANDOM_KINDS and init not in _FIXED_KINDS:
        raise BsError(
            "wrong-value",
            f"init = '{init}' is not a kind of initial values",
            settings.span("init"),
            help="possible are " + ", ".join(sorted(_RANDOM_KINDS | _FIXED_KINDS, key=str.lower)) + "; capitals matter",
        )
    attributes["init"] = init
    if init == "fromFile":
        path = str(attributes["initFromFilePath"])
        _fit_matrix(settings, attributes, "initFromFilePath", lambda: interpreter.environment.matrix_size(path))
    elif init == "fromLiteral":
        lines = str(attributes["initFromLiteral"]).splitlines()
        _fit_matrix(settings, attributes, "initFromLiteral", lambda: matrix_size(lines))
    seed = attributes["randomSeed"]
    if init in _RANDOM_KINDS and isinstance(seed, int) and seed < 0:
        attributes["randomSeed"] = interpreter.environment.counters.next_seed()


def _fit_matrix(
    settings: _Settings, attributes: dict[str, object], name: str, measure: Callable[[], tuple[int, int] | None]
) -> None:
    """Dimensions of a parameter whose initial values are a matrix in text, which the setting `name` gives."""
    dims = attributes["dims"]
    span = settings.span(name)
    try:
        size = measure()
        span = settings.site.span
        if size is not None and isinstance(dims, tuple):
            attributes["dims"] = dims_for_matrix(dims, *size)
    except ShapeError as error:
        raise BsError("shape", str(error), span, help=error.help) from error


def nodes_of(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    """`new NodeArray [ inputs ]`: an array of nodes in which numbers have become constants."""
    settings = _Settings(interpreter, record, expr)
    value = settings.get("inputs")
    if isinstance(value, Unknown):
        return UNKNOWN
    elements = value.elements if isinstance(value, BsArray) else [Thunk.done(value)]
    found: list[Thunk] = []
    for k, thunk in enumerate(elements):
        item = interpreter.force(thunk)
        if isinstance(item, (bool, float)):
            item = interpreter.constant(float(item), (1, 1), f"{path}.arr[{k}].res", expr)
        found.append(Thunk.done(item))
    return BsArray(0, found)


# --- networks --------------------------------------------------------------------------------------------------------


def network(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    """`new ComputationNetwork [ ... ]`: the members of the record as a network."""
    made = network_of(interpreter, record)
    return UNKNOWN if made is None else NetworkValue(made, "")


def network_from_file(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    file = settings.string("pathName")
    model = interpreter.environment.load(file, settings.span("pathName"))
    if model is None:
        return UNKNOWN
    interpreter.environment.loaded.append(model)
    return NetworkValue(model.network, file, model.complete)


def clone_function(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    inputs = interpreter.flatten(settings.get("inputNodes"))
    outputs = settings.get("outputNodes")
    mode = settings.string("parameters")
    if mode not in MODES:
        meant = next((m for m in MODES if m == mode.lower()), None)
        span = settings.span("parameters")
        fixes = [Fix(f"change to '{meant}'", (Edit(span, f"'{meant}'"),), safe=True)] if meant else []
        raise BsError(
            "clone",
            f"parameters = '{mode}' is not a way to treat parameters",
            span,
            help="use 'learnable', 'constant' or 'shared'",
            fixes=fixes,
        )
    named: dict[str, object]
    if isinstance(outputs, RecordScope):
        named = {}
        for name in sorted(outputs.names()):
            thunk = outputs.own(name)
            assert thunk is not None
            named[name] = interpreter.force(thunk)
    else:
        named = {"": outputs}
    if any(isinstance(v, Unknown) for v in (*inputs, *named.values())):
        return UNKNOWN
    for value, name in [*((v, "inputNodes") for v in inputs), *((v, "outputNodes") for v in named.values())]:
        if not isinstance(value, Node):
            raise BsError(
                "clone",
                f"'{name}' must be nodes, this is {kind(value)}",
                settings.span(name),
                help="a record of outputs is written [ a = net.a ; b = net.b ]"
                if name == "outputNodes"
                else "several inputs are written (net.a : net.b)",
            )
    template = Template.cut(inputs, named, mode, settings.span("inputNodes"))  # type: ignore[arg-type]
    names = [f"input_{i}" for i in range(len(inputs))]

    def apply(positional: list[Thunk], _: dict[str, Thunk], path: str, call: Expr) -> object:
        arguments = [interpreter.force(t) for t in positional]
        if any(isinstance(a, Unknown) for a in arguments):
            return UNKNOWN
        site = call if not call.home.library else (interpreter.origin or call)
        made = template.copy(interpreter.check_inputs(arguments, site.span), path, site.span)
        if "" in made:
            return made[""]
        record = RecordScope(None, {}, path)
        record.variables = {name: Thunk.done(node, path) for name, node in made.items()}
        return record

    return BsFunction("CloneFunction", names, {}, None, None, apply)


def network_with_edits(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    """A copy of `inputModel` in which the nodes stand that the `editFunctions` return, with the `additionalRoots`."""
    settings = _Settings(interpreter, record, expr)
    model = settings.get("inputModel")
    functions = interpreter.flatten(settings.get("editFunctions"))
    added = interpreter.flatten(settings.get("additionalRoots"))
    if any(isinstance(v, Unknown) for v in (model, *functions, *added)):
        return UNKNOWN
    if not isinstance(model, NetworkValue):
        raise BsError("wrong-type", f"a network is to be edited, this is {kind(model)}", settings.span("inputModel"))
    for function in functions:
        if not isinstance(function, BsFunction):
            message = f"an edit function is a function of a node, this is {kind(function)}"
            raise BsError("wrong-type", message, settings.span("editFunctions"), help="write (node => ...)")
    replacements: dict[Node, Node] = {}
    for node in model.network.by_name():
        for function in functions:
            edited = interpreter.apply(function, [Thunk.done(node)], {}, node.name, expr)  # type: ignore[arg-type]
            if isinstance(edited, Unknown):
                interpreter.incomplete = True
            elif not isinstance(edited, Node):
                message = f"an edit function must return a node, this is {kind(edited)}"
                raise BsError(
                    "wrong-type",
                    message,
                    settings.span("editFunctions"),
                    help="return the argument itself for nodes that are to stay",
                )
            elif edited is not node:
                replacements[node] = edited
                break
    roots = interpreter.check_inputs(added, settings.span("additionalRoots"))
    made = Network(interpreter.environment.precision, interpreter.environment.counters.axis_names)
    build_network(relink(model.network.by_name(), replacements, roots, interpreter.attach), made, interpreter.attach)
    if loop := loop_without_delay(made):
        message = f"the edited network has a circle: {', '.join(n.name for n in loop)}"
        help = "a node must not stand in the place of one that it depends on, but for PastValue and FutureValue"
        raise BsError("cyclic-definition", message, settings.span("editFunctions"), help=help)
    return NetworkValue(made, model.path, model.complete)


# --- helpers of the library ------------------------------------------------------------------------------------------


def tensor_shape(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    return _Settings(interpreter, record, expr).get("dims")


def vector(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    """`new IntVector [ items ]` and the like: the array itself; what it holds is checked where it is used."""
    return _Settings(interpreter, record, expr).get("items")


def debug(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    """`new Debug [ value ; say ; enabled ]`: prints a value and returns it."""
    settings = _Settings(interpreter, record, expr)
    value = settings.get("value")
    if settings.thunk("enabled") is None or settings.get("enabled") is not False:
        say = settings.get("say") if settings.thunk("say") is not None else ""
        interpreter.environment.printed(f"{say}{': ' if say else ''}{format_value(interpreter, value)}")
    return value


def string_function(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    what, arg = settings.string("what"), settings.get("arg")
    if isinstance(arg, Unknown):
        return UNKNOWN
    if what == "Format":
        how = settings.string("how")
        if not is_format(how):
            raise BsError(
                "wrong-value", f"format = '{how}' is not possible", settings.span("how"), help="'.2' sets two decimals"
            )
        return format_value(interpreter, arg, how)
    if what == "Chr":
        code = interpreter.integer(arg, settings.site)
        if not 0 <= code < 0x110000:
            raise BsError("wrong-value", f"there is no character with code {code}", settings.site.span)
        return chr(code)
    if not isinstance(arg, str):
        raise BsError("wrong-type", f"{what} needs a string, this is {kind(arg)}", settings.site.span)
    if what == "Replace":
        old = settings.string("replacewhat")
        return interpreter.text(arg.replace(old, settings.string("withwhat")), settings.site) if old else arg
    if what == "Substr":
        first = interpreter.integer(settings.get("pos"), settings.site)
        first = max(first + len(arg), 0) if first < 0 else first
        count = interpreter.integer(settings.get("chars"), settings.site)
        return arg[first:] if count < 0 else arg[first : first + count]
    raise BsError("wrong-value", f"unknown 'what' value to StringFunction: {what}", settings.site.span)


def numeric_function(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    what = settings.string("what")
    if what == "Length":
        arg = settings.get("arg")
        if isinstance(arg, str):
            return float(len(arg))
        if isinstance(arg, Unknown):
            return UNKNOWN
        if not isinstance(arg, BsArray):
            raise BsError(
                "wrong-type",
                f"Length needs an array or a string, this is {kind(arg)}",
                settings.site.span,
                help="an array of one element is written [| x |]",
            )
        if arg.low != 0:
            raise BsError("index-out-of-bounds", "this array is expected to begin with index 0", settings.site.span)
        return float(len(arg.elements))
    if what in ("Mod", "IntDiv"):
        args = interpreter.flatten(settings.get("args"))
        if any(isinstance(a, Unknown) for a in args):
            return UNKNOWN
        if len(args) != 2:
            raise BsError("wrong-type", f"{what} needs two numbers", settings.site.span)
        a, b = (interpreter.integer(v, settings.site) for v in args)
        if b == 0:
            raise BsError("wrong-value", f"{what} by 0", settings.site.span)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return float(quotient if what == "IntDiv" else a - b * quotient)
    raise BsError("wrong-value", f"unknown 'what' value to NumericFunction: {what}", settings.site.span)


def compare_function(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    what, args = settings.string("what"), settings.get("args")
    if what == "IsSameObject":
        assert isinstance(args, BsArray)
        a, b = (interpreter.force(t) for t in args.elements)
        return UNKNOWN if isinstance(a, Unknown) or isinstance(b, Unknown) else a is b
    if isinstance(args, Unknown):
        return UNKNOWN
    if what == "IsArray":
        return isinstance(args, BsArray)
    if what == "IsDouble":
        return isinstance(args, float) and not isinstance(args, bool)
    if what == "IsBool":
        return isinstance(args, bool)
    raise BsError("wrong-value", f"unknown 'what' value to CompareFunction: {what}", settings.site.span)


def print_action(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    value = _Settings(interpreter, record, expr).get("what")
    interpreter.environment.printed(value if isinstance(value, str) else format_value(interpreter, value))
    return value


def fail_action(interpreter: Interpreter, record: RecordScope, path: str, expr: New) -> object:
    settings = _Settings(interpreter, record, expr)
    what = settings.get("what")
    if any(isinstance(v, Unknown) for v in interpreter.flatten(what)):
        raise UnknownValue(settings.site.span)
    raise BsError("fail", what if isinstance(what, str) else format_value(interpreter, what), settings.site.span)


TYPES: dict[str, Make] = {
    "ComputationNode": computation_node,
    "ComputationNetwork": network,
    "NodeArray": nodes_of,
    "ComputationNetworkFromFile": network_from_file,
    "CloneFunctionConfigLambda": clone_function,
    "ComputationNetworkWithEdits": network_with_edits,
    "TensorShape": tensor_shape,
    "IntVector": vector,
    "SizeVector": vector,
    "BoolVector": vector,
    "Debug": debug,
    "StringFunction": string_function,
    "NumericFunction": numeric_function,
    "CompareFunction": compare_function,
    "PrintAction": print_action,
    "FailAction": fail_action,
}
