"""What functions are called how: of the config, of the library, or values such as a cloned part of a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bsls.evaluate.values import BsFunction
from bsls.features.bindings import Bindings, Definition, Possible, network_member
from bsls.features.place import View, value_of
from bsls.network.cloning import MODES
from bsls.network.node import GROUPS, Node
from bsls.resolve.docs import doc_above
from bsls.schema.ops import OPS, Attribute, Op
from bsls.schema.ops import get as get_op
from bsls.source import Span
from bsls.syntax import tree
from bsls.syntax.tree import Expr

CLONE = "BS.Network.CloneFunction"
_MAX_STEPS = 20  # aliases of aliases, records in records


@dataclass(slots=True)
class Callee:
    """A function as it is called. Required parameters are positional, `optional` ones are given by name.

    `optional` maps to the text of the default. `member` is the definition; None for a value without one.
    """

    name: str
    required: list[str]
    optional: dict[str, str] = field(default_factory=dict)
    doc: str = ""
    member: tree.Member | None = None
    braces: bool = False

    @property
    def parameters(self) -> list[str]:
        """All parameters as they are written in the signature."""
        return [*self.required, *(f"{name} = {default}" for name, default in self.optional.items())]

    @property
    def label(self) -> str:
        opener, closer = "{}" if self.braces else "()"
        return f"{self.name} {opener}{', '.join(self.parameters)}{closer}"


def callee_of(expr: Expr, view: View, bindings: Bindings) -> Callee | None:
    """What the expression before the brackets of a call stands for; None where that is not known."""
    found = bindings.values(expr), value_of(expr, view)
    return _callee(written_name(expr), bindings.named(expr), *found, view, bindings)


def callee_named(name: str, target: Definition | None, value: object, view: View, bindings: Bindings) -> Callee | None:
    """As `callee_of` for what is written as `name` and defined by `target`; `value` as far as it is known."""
    found = bindings.definition_values(target) if target is not None else ()
    return _callee(name, target, found, value, view, bindings)


def _callee(
    name: str, target: Definition | None, found: Iterable[Possible], value: object, view: View, bindings: Bindings
) -> Callee | None:
    functions = bindings.callables(found)
    if functions and len({tuple((p.name, p.default is None) for p in f.parameters) for f in functions}) == 1:
        return _made(name, functions[0], _documented(target, functions[0], bindings))
    member = target if isinstance(target, tree.Member) else None
    if not isinstance(value, BsFunction):
        return None
    inputs = _clone_inputs(member, view) if value.name == "CloneFunction" else []
    required = inputs if len(inputs) == len(value.positional) else value.positional
    optional = {n: t.expr.span.text if t.expr is not None else "" for n, t in value.optional.items()}
    return Callee(name, list(required), optional, doc_above(member) if member is not None else "", member)


def _documented(target: Definition | None, function: tree.Function, bindings: Bindings) -> tree.Member | None:
    """The member whose doc describes the function: an alias without one takes that of what it stands for."""
    for _ in range(_MAX_STEPS):
        if not isinstance(target, tree.Member) or target.value is function or doc_above(target):
            break
        if not isinstance(target.value, tree.Name | tree.Access):
            break
        further = bindings.named(target.value)
        if not isinstance(further, tree.Member):
            break
        target = further
    return target if isinstance(target, tree.Member) else None


def _made(name: str, function: tree.Function, member: tree.Member | None) -> Callee:
    parameters = function.parameters
    required = [p.name for p in parameters if p.default is None]
    optional = {p.name: " ".join(p.default.span.text.split()) for p in parameters if p.default is not None}
    braces = member is not None and _opens_with_brace(member, function)
    return Callee(name, required, optional, doc_above(member) if member is not None else "", member, braces)


def _opens_with_brace(member: tree.Member, function: tree.Function) -> bool:
    after = Span(member.span.source, member.name_span.end, member.span.end).text.lstrip()
    return member.value is function and after.startswith("{")


def written_name(expr: Expr, steps: int = _MAX_STEPS) -> str:
    """What an expression before the brackets of a call is called in a signature."""
    if isinstance(expr, tree.Name):
        return expr.id
    if isinstance(expr, tree.Access) and steps:
        before = written_name(expr.object, steps - 1)
        return f"{before}.{expr.id}" if before else expr.id
    if isinstance(expr, tree.Call) and steps:
        mark = Span(expr.span.source, expr.function.span.end, expr.span.end).text.lstrip()[:1]
        return f"{written_name(expr.function, steps - 1)} {'{…}' if mark == '{' else '(…)'}"
    return ""


def attribute_of(callee: Callee, parameter: str) -> Attribute | None:
    """What the table of operations says of a parameter: of the operation that the function makes, else of the first one
    that has it (layers pass `init` and the like on)."""
    op = _operation(callee.member)
    for candidate in [op] if op is not None else OPS.values():
        for attribute in candidate.attributes:
            if parameter in (attribute.name, attribute.key):
                return attribute
    return None


def values_of(callee: Callee, parameter: str) -> tuple[str, ...]:
    """The strings that are allowed for a parameter; none where there is no such list."""
    if parameter == "parameters" and callee.member is network_member("CloneFunction"):
        return MODES
    if parameter == "tag":
        return GROUPS
    if parameter == "precision":
        return ("float", "double")
    attribute = attribute_of(callee, parameter)
    return attribute.values if attribute is not None else ()


def _operation(member: tree.Member | None) -> Op | None:
    body = member.value.body if member is not None and isinstance(member.value, tree.Function) else None
    if isinstance(body, tree.Conditional):  # ClassificationError and the like: the plain case comes first
        body = body.then
    if not isinstance(body, tree.New) or not isinstance(body.argument, tree.Record):
        return None
    operation = body.argument.members.get("operation")
    value = operation.value if operation is not None else None
    if isinstance(value, tree.Conditional):
        value = value.otherwise
    return get_op(value.value) if isinstance(value, tree.String) else None


def _clone_inputs(member: tree.Member | None, view: View) -> list[str]:
    """What the inputs of a cloned part are called in the network that it was cut from."""
    call = member.value if member is not None else None
    if not isinstance(call, tree.Call) or written_name(call.function) != CLONE or not call.arguments:
        return []
    first = call.arguments[0].value
    elements = first.elements if isinstance(first, tree.Array) else [first]
    names: list[str] = []
    for i, element in enumerate(elements):
        node = value_of(element, view)
        written = written_name(element).rpartition(".")[2]
        names.append(node.name if isinstance(node, Node) and node.name.isidentifier() else written or f"input_{i}")
    return names
