"""From the members of a record to a network: which are its roots, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bsls.evaluate.values import LazyRecordScope, RecordScope, Unknown, UnknownValue, kind
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.build import build_network
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.resolve.names import similar
from bsls.source import Span

if TYPE_CHECKING:
    from bsls.evaluate.interpreter import Interpreter

SPECIAL = {f"{group}Nodes": group for group in sorted(GROUPS)}
"""Members of a network that mark groups of nodes, in the order in which they are evaluated."""

_MEANT = {"evalnodes": "evaluationNodes", "criterianodes": "criterionNodes", "inputnodes": "featureNodes"}


def network_of(interpreter: Interpreter, scope: RecordScope) -> Network | None:
    """The network of a record: the special members first, then all others in the order of their names.

    A member that is a node gives the node its name. None where an input of a delay could not be computed.
    """
    environment = interpreter.environment
    roots: list[Node] = []
    names = sorted(scope.names())
    for name in SPECIAL:
        if name in names:
            roots += _special(interpreter, name, scope)
    _check_special_names(interpreter, scope, names)
    for name in names:
        thunk = scope.own(name)
        assert thunk is not None
        value = interpreter.force(thunk)
        if isinstance(value, Node) and name not in SPECIAL:
            value.name = name
            roots.append(value)
        elif isinstance(value, Unknown):
            interpreter.incomplete = True
    network = Network(environment.precision, environment.counters.axis_names)
    try:
        return build_network(roots, network, interpreter.attach)
    except UnknownValue:
        interpreter.incomplete = True
        return None


def _special(interpreter: Interpreter, name: str, scope: RecordScope) -> list[Node]:
    thunk = scope.own(name)
    assert thunk is not None
    found: list[Node] = []
    for value in interpreter.flatten(interpreter.force(thunk)):
        if isinstance(value, Unknown):
            interpreter.incomplete = True
        elif isinstance(value, Node):
            if SPECIAL[name] not in value.tags:
                value.tags.append(SPECIAL[name])
            found.append(value)
        else:
            error = BsError(
                "wrong-type", f"{name} must be a list of nodes, this is {kind(value)}", thunk.expr.span if thunk.expr else None,
                help="name one of its members" if isinstance(value, RecordScope) else "",
            )  # fmt: skip
            if interpreter.environment.strict:
                raise error
            interpreter.report(error.finding)
    return found


def _check_special_names(interpreter: Interpreter, scope: RecordScope, names: list[str]) -> None:
    """Reports a member that looks like one of the special groups but is none: it is silently an ordinary member."""
    if interpreter.environment.strict:
        return
    for name in names:
        if name in SPECIAL or not ("nodes" in name.lower() or name.lower().endswith("node")):
            continue
        meant = _MEANT.get(name.lower()) or similar(name, SPECIAL)
        span = _name_span(scope, name)
        if meant and meant not in names and span is not None:
            interpreter.report(
                Finding(
                    "special-nodes",
                    f"'{name}' is not one of the special groups of nodes; it has no effect",
                    span,
                    Severity.WARNING,
                    help=f"did you mean '{meant}'?",
                    fixes=[Fix(f"change to {meant}", (Edit(span, meant),))],
                )
            )


def _name_span(scope: RecordScope, name: str) -> Span | None:
    if isinstance(scope, LazyRecordScope):
        start = scope.source.names[name][0]
        return scope.source.text.span(start, start + len(name))
    return scope.members[name].name_span if name in scope.members else None
