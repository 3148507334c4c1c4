"""Evaluates BrainScript expressions by need: a member, argument or array element at its first use, where it stands.

Every expression is evaluated together with a path, which becomes the name of the node it makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from bsls.evaluate import operators
from bsls.evaluate.environment import Environment
from bsls.evaluate.model_members import inner_node, no_such_node, written_like_another
from bsls.evaluate.values import (
    DONE,
    NOT_YET,
    RUNNING,
    UNKNOWN,
    BsArray,
    BsFunction,
    NetworkValue,
    RecordScope,
    Scope,
    Thunk,
    Unknown,
    UnknownValue,
    kind,
    show_number,
)
from bsls.finding import BsError, Finding, Related
from bsls.library.index import sources
from bsls.network.node import Node
from bsls.resolve.arguments import argument_problem
from bsls.resolve.names import unknown_identifier
from bsls.schema.ops import get as get_op
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.tree import Expr

_LONG_PATH = 1000
NODE_MEMBERS = ("name", "operation", "dim", "dims", "inputs")


def _inputs(node: Node) -> tuple[str, str]:
    """The members of a node that are its inputs."""
    return "inputs", f"{node.op}Args"


def join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


class Interpreter:
    """One evaluation: environment, steps so far, and which expression of the user is being evaluated."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.late_inputs: dict[int, Thunk] = {}
        self.incomplete = False
        """Whether a part could not be computed (tolerant evaluation)."""
        self._steps = 0
        self._depth = 0
        self._paths = 0
        self._nodes = 0
        self._elements = 0
        self._site: Expr | None = None
        self._calls: list[Expr] = []
        self._limit_hit = False
        self._rules: dict[type, Callable[[Any, Scope, str], object]] = {
            tree.Number: lambda e, s, p: e.value,
            tree.String: lambda e, s, p: e.value,
            tree.Boolean: lambda e, s, p: e.value,
            tree.Name: self._name,
            tree.Unary: self._unary,
            tree.Binary: self._binary,
            tree.Access: self._access,
            tree.Index: self._index,
            tree.Call: self._call,
            tree.Function: self._function,
            tree.Array: self._array,
            tree.ParenthesizedArray: self._array,
            tree.ArrayByIndex: self._array_by_index,
            _IndexCall: self._element,
            tree.Conditional: self._conditional,
            tree.New: self._new,
            tree.Record: self._record,
            tree.Broken: self._broken,
        }

    # --- forcing -----------------------------------------------------------------------------------------------------

    def evaluate(self, expr: Expr, scope: Scope, path: str) -> object:
        """The value of `expr`; raises BsError."""
        self._steps += 1
        if self._steps & 0x3FF == 0:
            self._check_limits(expr)
        self._depth += 1
        if len(path) > _LONG_PATH:
            self._paths += len(path)
        if self._depth > self.environment.limits.depth or self._paths > self.environment.limits.paths:
            raise self._limit("the evaluation goes too deep", expr, "a function probably calls itself without end")
        try:
            return self._rules[type(expr)](expr, scope, path)
        finally:
            self._depth -= 1

    def force(self, thunk: Thunk) -> object:
        """The value of a thunk, evaluated at the first call. In tolerant mode a problem is recorded and gives Unknown."""
        if thunk.state == DONE:
            return thunk.value
        expr, scope = thunk.expr, thunk.scope
        assert expr is not None and scope is not None
        if thunk.state == RUNNING:
            raise BsError(
                "cyclic-definition",
                f"'{_title(thunk)}' is defined by itself",
                expr.span,
                help="only PastValue and FutureValue may close a circle",
            )
        thunk.state = RUNNING
        site, calls = self._site, len(self._calls)
        try:
            thunk.value = self.evaluate(expr, scope, thunk.path)
        except BsError as error:
            if site is not None:
                _blame(error.finding, site)
            if self.environment.strict or self._limit_hit:
                thunk.state = NOT_YET
                raise
            self.report(error)
            thunk.value = UNKNOWN
        finally:
            self._site = site
            del self._calls[calls:]
        thunk.state = DONE
        return thunk.value

    def report(self, problem: Finding | BsError) -> None:
        """Records a finding of tolerant evaluation, once for each place."""
        self.environment.note(problem)

    def _check_limits(self, expr: Expr) -> None:
        if self.environment.cancel is not None and self.environment.cancel.is_set():
            raise self._limit("the evaluation was cancelled", expr, rule="cancelled")
        if self._steps > self.environment.limits.steps:
            raise self._limit(
                f"more than {self.environment.limits.steps} evaluation steps",
                expr,
                "a recursion probably does not end",
            )

    def _limit(self, message: str, expr: Expr | None, help: str = "", rule: str = "nesting-limit") -> BsError:
        """The error that ends the whole evaluation; it is shown at the call that comes again and again, if there is one."""
        self._limit_hit = True
        site = expr
        related: list[Related] = []
        if self._calls:
            times = Counter(map(id, self._calls))
            again = next((i for i, call in enumerate(self._calls) if times[id(call)] > 1), 0)
            site, begin = self._calls[again], self._calls[max(again - 1, 0)]
            if site.home.library:
                site = begin
            elif begin is not site and not begin.home.library:
                related.append(Related("it begins with this call", begin.span))
        return BsError(rule, message, site.span if site else None, help=help, related=related)

    # --- nodes -------------------------------------------------------------------------------------------------------

    @property
    def origin(self) -> Expr | None:
        """The expression of the user's own text that is being evaluated."""
        return self._site

    def _trace(self) -> tuple[Span, ...]:
        return tuple(c.span for c in reversed(self._calls[-16:]) if not c.home.library and c is not self._site)

    def make_node(
        self, op: str, inputs: Sequence[Node], path: str, expr: Expr, attributes: dict[str, object] | None = None
    ) -> Node:
        """A node named by `path`; attributes not given take their defaults."""
        self._nodes += 1
        if self._nodes > self.environment.limits.nodes:
            raise self._limit(f"more than {self.environment.limits.nodes} nodes", expr)
        if attributes is None:
            schema = get_op(op)
            attributes = {a.name: a.default for a in schema.attributes} if schema else {}
        site = expr if not expr.home.library else (self._site or expr)
        return Node(
            op, path, list(inputs), attributes, self.environment.precision, [], None, None, site.span, self._trace()
        )

    def constant(self, value: float, dims: tuple[int, ...], path: str, expr: Expr) -> Node:
        """A parameter with a fixed value that is never learned."""
        schema = get_op("LearnableParameter")
        assert schema is not None
        attributes = {a.name: a.default for a in schema.attributes}
        attributes |= {"dims": dims, "init": "fixedValue", "value": value, "learningRateMultiplier": 0.0}
        return self.make_node("LearnableParameter", [], path, expr, attributes)

    def attach(self, node: Node) -> None:
        """Evaluates the inputs of a delay, which wait until the network is put together."""
        late = self.late_inputs.pop(id(node), None)
        if late is None:
            return
        found = self.flatten(self.force(late))
        if any(isinstance(value, Unknown) for value in found):
            raise UnknownValue(node.origin)
        node.inputs = self.check_inputs(found, node.origin)
        self.check_arity(node.op, len(found), node.origin)

    @staticmethod
    def check_arity(operation: str, count: int, span: Span | None) -> None:
        """Raises if an operation does not take `count` inputs."""
        op = get_op(operation)
        assert op is not None
        least, most = op.arity
        if least <= count and (most is None or count <= most):
            return
        expected = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        raise BsError(
            "missing-argument" if count < least else "too-many-arguments",
            f"{operation} expects {expected} inputs, but {count} were given",
            span,
        )

    @staticmethod
    def check_inputs(found: Sequence[object], span: Span | None) -> list[Node]:
        """The inputs of a node, which must be nodes."""
        for value in found:
            if not isinstance(value, Node):
                hints = {RecordScope: "use one of its members", BsFunction: "call it with its arguments"}
                raise BsError(
                    "wrong-type",
                    f"a node is expected as input, this is {kind(value)}",
                    span,
                    help=hints.get(type(value), ""),
                )
        return list(found)  # type: ignore[arg-type]

    # --- expressions -------------------------------------------------------------------------------------------------

    def _name(self, expr: tree.Name, scope: Scope, path: str) -> object:
        thunk = scope.find(expr.id)
        if thunk is None:
            raise unknown_identifier(expr.id, expr.id_span, scope.visible())
        if thunk.state == RUNNING:
            raise BsError(
                "cyclic-definition",
                f"'{expr.id}' is used to compute '{expr.id}' itself",
                expr.span,
                help="only PastValue and FutureValue may close a circle",
            )
        return self.force(thunk)

    def _unary(self, expr: tree.Unary, scope: Scope, path: str) -> object:
        part = {"-": "_negate", "!": "_not"}.get(expr.op)
        operand = self.evaluate(expr.operand, scope, join(path, part) if part else path)
        return operators.unary(self, expr, operand, path)

    def _binary(self, expr: tree.Binary, scope: Scope, path: str) -> object:
        args = join(path, operators.PATH_NAMES[expr.op] + "Args")
        left = self.evaluate(expr.left, scope, f"{args}[0]")
        right = self.evaluate(expr.right, scope, f"{args}[1]")
        return operators.binary(self, expr, left, right, path)

    def _function(self, expr: tree.Function, scope: Scope, path: str) -> BsFunction:
        optional = {
            p.name: Thunk(p.default, scope, join(path, p.name)) for p in expr.parameters if p.default is not None
        }
        positional = [p.name for p in expr.parameters if p.default is None]
        return BsFunction(path.rpartition(".")[2], positional, optional, expr.body, scope)

    def _record(self, expr: tree.Record, scope: Scope, path: str) -> RecordScope:
        return RecordScope.of(expr, scope, path)

    def _broken(self, expr: tree.Broken, scope: Scope, path: str) -> object:
        raise BsError.of(expr.finding)

    def _array(self, expr: tree.Array, scope: Scope, path: str) -> BsArray:
        return BsArray(0, [Thunk(e, scope, f"{path}[{i}]" if path else "") for i, e in enumerate(expr.elements)])

    def _array_by_index(self, expr: tree.ArrayByIndex, scope: Scope, path: str) -> BsArray:
        low = self.integer(self.evaluate(expr.low, scope, path), expr.low)
        high = self.integer(self.evaluate(expr.high, scope, path), expr.high)
        function = self.evaluate(expr.function, scope, path)
        count = max(high - low + 1, 0)
        self._elements += count
        if self._elements > self.environment.limits.elements:
            raise self._limit(f"an array of {count} elements is too long", expr)
        if isinstance(function, Unknown):
            return BsArray(low, [Thunk.done(UNKNOWN)] * count)
        if not isinstance(function, BsFunction) or len(function.positional) != 1:
            raise BsError("wrong-type", "'array' needs a function of one argument, the index", expr.function.span)
        elements: list[Thunk] = []
        for i in range(low, high + 1):
            call = _IndexCall(expr.home, expr.start, expr.end, expr.function, float(i))
            elements.append(Thunk(call, scope, f"{path}[{i}]" if path else ""))
        return BsArray(low, elements)

    def _element(self, expr: _IndexCall, scope: Scope, path: str) -> object:
        function = self.evaluate(expr.function, scope, "_lambda" if path else "")  # anew for each element
        if not isinstance(function, BsFunction):
            return UNKNOWN
        return self.apply(function, [Thunk.done(expr.index)], {}, path, expr)

    def _conditional(self, expr: tree.Conditional, scope: Scope, path: str) -> object:
        condition = self.evaluate(expr.condition, scope, join(path, "if"))
        if isinstance(condition, bool):
            return self.evaluate(expr.then if condition else expr.otherwise, scope, path)
        if isinstance(condition, Unknown):
            return UNKNOWN
        if isinstance(condition, Node):
            then = self.evaluate(expr.then, scope, join(path, "then"))
            otherwise = self.evaluate(expr.otherwise, scope, join(path, "else"))
            if isinstance(then, Unknown) or isinstance(otherwise, Unknown):
                return UNKNOWN
            branches: list[Node] = []
            for value, part in ((then, expr.then), (otherwise, expr.otherwise)):
                if isinstance(value, float) and not isinstance(value, bool):
                    value = self.constant(value, (1,), path, expr)
                if not isinstance(value, Node):
                    raise BsError("wrong-type", f"a node or a number is expected, this is {kind(value)}", part.span)
                branches.append(value)
            return self.make_node("If", [condition, *branches], path, expr)
        raise BsError(
            "wrong-type", f"a boolean or a node is expected after 'if', this is {kind(condition)}", expr.condition.span
        )

    def _index(self, expr: tree.Index, scope: Scope, path: str) -> object:
        array = self.evaluate(expr.array, scope, join(path, "_vector"))
        index = self.evaluate(expr.index, scope, join(path, "_index"))
        if isinstance(array, Unknown) or isinstance(index, Unknown):
            return UNKNOWN
        if not isinstance(array, BsArray):
            hint = self._bracket_hint(expr, scope)
            raise BsError(
                "wrong-type", f"an array is expected before '[', this is {kind(array)}", expr.array.span, help=hint
            )
        at = self.integer(index, expr.index)
        if not array.low <= at < array.low + len(array.elements):
            raise BsError(
                "index-out-of-bounds",
                f"index {at} is out of bounds [{array.low}..{array.low + len(array.elements) - 1}]",
                expr.index.span,
            )
        return self.force(array.elements[at - array.low])

    def _bracket_hint(self, expr: tree.Index, scope: Scope) -> str:
        if isinstance(expr.array, tree.Access):
            base = self.evaluate(expr.array.object, scope, "")
            if isinstance(base, NetworkValue):
                return "nodes of a loaded network whose names have brackets cannot be reached by name; brackets do not become underscores"
        return ""

    def integer(self, value: object, expr: Expr) -> int:
        if isinstance(value, Unknown):
            raise UnknownValue(expr.span)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        shown = show_number(value) if isinstance(value, float) else kind(value)
        raise BsError("wrong-type", f"a whole number is expected, this is {shown}", expr.span)

    def text(self, value: str, expr: Expr) -> str:
        """A string that was computed, if it is not too long."""
        if len(value) > self.environment.limits.string:
            raise self._limit(f"a string of {len(value)} characters is too long", expr)
        return value

    # --- access ------------------------------------------------------------------------------------------------------

    def _access(self, expr: tree.Access, scope: Scope, path: str) -> object:
        chain: list[tree.Access] = [expr]
        while isinstance(chain[-1].object, tree.Access):
            chain.append(chain[-1].object)
        value = self.evaluate(chain[-1].object, scope, path)
        links = list(reversed(chain))
        for i, link in enumerate(links):
            owner = value
            value = self.member(owner, link, links[i + 1 :])
            if isinstance(owner, NetworkValue) and isinstance(value, Node) and i + 1 < len(links):
                follows = links[i + 1].id
                if follows not in (*NODE_MEMBERS, *_inputs(value)) and (error := inner_node(owner, link)) is not None:
                    raise error
        return value

    def member(self, value: object, link: tree.Access, rest: Sequence[tree.Access] = ()) -> object:
        """`value.id`; `rest` are the accesses that follow, for a better message."""
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, RecordScope):
            thunk = value.find(link.id)
            if thunk is None:
                raise unknown_identifier(link.id, link.id_span, value.names(), " in this record")
            return self.force(thunk)
        if isinstance(value, NetworkValue):
            node = value.find(link.id)
            if node is None and value.complete:
                raise no_such_node(value, link, rest)
            if node is not None and (finding := written_like_another(value, link)) is not None:
                self.environment.note(finding)
            return UNKNOWN if node is None else node
        if isinstance(value, Node):
            return self._node_member(value, link)
        raise BsError(
            "wrong-type", f"a record is expected before '.{link.id}', this is {kind(value)}", link.object.span
        )

    def _node_member(self, node: Node, link: tree.Access) -> object:
        if link.id == "name":
            return node.name
        if link.id == "operation":
            return node.op
        if link.id in _inputs(node):
            return BsArray(0, [Thunk.done(i) for i in node.inputs])
        if link.id in ("dim", "dims"):
            dims = node.shape.dims if node.shape else node.attributes.get("dims")
            if not isinstance(dims, tuple) or 0 in dims:
                raise BsError("wrong-value", f"the dimensions of node '{node.name}' are not known yet", link.id_span)
            if link.id == "dims":
                return BsArray(0, [Thunk.done(float(d)) for d in dims])
            total = 1.0
            for d in dims:
                total *= d
            return total
        error = unknown_identifier(link.id, link.id_span, NODE_MEMBERS, f": '{node.name}' is a node ({node.op})")
        return self._raise(error)

    @staticmethod
    def _raise(error: BsError) -> object:
        raise error

    # --- calls -------------------------------------------------------------------------------------------------------

    def _call(self, expr: tree.Call, scope: Scope, path: str) -> object:
        function = self.evaluate(expr.function, scope, path)
        if isinstance(function, Unknown):
            return UNKNOWN
        if not isinstance(function, BsFunction):
            raise BsError(
                "wrong-type",
                f"a function is expected before the arguments, this is {kind(function)}",
                expr.function.span,
                help="a bracket at the start of a line continues the line before it",
            )
        positional: list[Thunk] = []
        named: dict[str, Thunk] = {}
        for argument in expr.arguments:
            if argument.name:
                named[argument.name] = Thunk(argument.value, scope, join(path, argument.name))
            else:
                k = len(positional)
                name = function.positional[k] if k < len(function.positional) else f"_{k}"
                positional.append(Thunk(argument.value, scope, join(path, name)))
        problem = argument_problem(expr, function.positional, function.optional)
        if problem is not None:
            raise problem
        return self.apply(function, positional, named, path, expr)

    def apply(
        self, function: BsFunction, positional: list[Thunk], named: dict[str, Thunk], path: str, call: Expr
    ) -> object:
        """Calls `function`; the number of arguments was checked."""
        if len(positional) != len(function.positional):
            raise BsError(
                "missing-argument" if len(positional) < len(function.positional) else "too-many-arguments",
                f"'{function.name}' takes {len(function.positional)} arguments, {len(positional)} given",
                (self._site or call).span,
            )
        site = self._site
        user = not call.home.library
        if user:
            self._site = call
        self._calls.append(call)
        try:
            if function.apply is not None:
                return function.apply(positional, named, path, call)
            variables = dict(zip(function.positional, positional, strict=True))
            for name, default in function.optional.items():
                variables[name] = named.get(name, default)
            assert function.body is not None
            return self.evaluate(function.body, Scope(function.scope, variables), path)
        except BsError as error:
            if user:
                _blame(error.finding, call)
            raise
        finally:
            self._calls.pop()
            self._site = site

    def _new(self, expr: tree.New, scope: Scope, path: str) -> object:
        from bsls.evaluate.objects import TYPES

        make = TYPES.get(expr.type)
        if make is None:
            raise BsError("unknown-type", f"unknown runtime type {expr.type}", expr.span)
        argument = self.evaluate(expr.argument, scope, "")
        if isinstance(argument, Unknown):
            return UNKNOWN
        if not isinstance(argument, RecordScope):
            raise BsError(
                "wrong-type",
                f"a record is expected after 'new {expr.type}', this is {kind(argument)}",
                expr.argument.span,
            )
        return make(self, argument, path, expr)

    # --- for the runtime types ---------------------------------------------------------------------------------------

    def flatten(self, value: object) -> list[object]:
        """The elements of nested arrays, forced, in order; a value that is no array counts as one element."""
        found: list[object] = []
        todo: list[object] = [value]
        while todo:
            item = todo.pop()
            if isinstance(item, Thunk):
                item = self.force(item)
            if isinstance(item, BsArray):
                todo += reversed(item.elements)
                if len(todo) > self.environment.limits.elements:
                    message = f"an array of more than {self.environment.limits.elements} elements is too long"
                    raise self._limit(message, item.elements[0].expr or self._site)
            else:
                found.append(item)
        return found


class _IndexCall(Expr):
    """The call of an array's function for one index."""

    __slots__ = ("function", "index")

    def __init__(self, home: tree.Home, start: int, end: int, function: Expr, index: float) -> None:
        super().__init__(home, start, end)
        self.function = function
        self.index = index


def _blame(finding: Finding, call: Expr) -> None:
    """Moves a finding about the text of the library to the user's call."""
    if finding.span is not None and finding.span.source in sources():
        finding.related.append(Related("in the library", finding.span))
        finding.span = call.span


def _title(thunk: Thunk) -> str:
    return thunk.path or "this value"
