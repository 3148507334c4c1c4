"""A BrainScript network description to a Network."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bsls.evaluate.environment import Environment, Model
from bsls.evaluate.interpreter import Interpreter
from bsls.evaluate.library import LibraryScope
from bsls.evaluate.objects import check_inputs
from bsls.evaluate.values import DONE, LazyRecordScope, NetworkValue, RecordScope, Scope, Thunk, Unknown, kind
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.build import build_network
from bsls.network.network import Network
from bsls.network.node import GROUPS, Node
from bsls.network.validation import Validation, validate
from bsls.resolve.names import similar
from bsls.source import ExpandedText
from bsls.syntax.brainscript import Members, parse_expression

T = TypeVar("T")

SPECIAL = {f"{group}Nodes": group for group in sorted(GROUPS)}
"""Members of a network that mark groups of nodes, in the order in which they are evaluated."""

_STACK = 512 * 2**20


@dataclass(slots=True)
class Evaluation:
    """What came of a network description. `complete` is false where a part could not be computed."""

    network: Network | None
    validation: Validation | None = None
    findings: list[Finding] = field(default_factory=list)
    loaded: list[Model] = field(default_factory=list)
    complete: bool = True
    scope: LazyRecordScope | None = None
    """The top-level members, for those who look at texts or values."""


def with_deep_stack(work: Callable[[], T]) -> T:
    """Runs `work` on a thread with a stack large enough for the deepest evaluation that the limits allow."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size()
    threading.stack_size(_STACK)
    sys.setrecursionlimit(max(limit, 400_000))
    try:
        thread = threading.Thread(target=run, name="evaluate")
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    if failure:
        raise failure[0]
    return outcome[0]


def evaluate_network(text: ExpandedText, environment: Environment) -> Evaluation:
    """The network that a `{ ... }`, `[ ... ]` or `( expression )` describes, validated.

    With a strict environment the first problem is raised as BsError; else all are in `findings`.
    """
    text = text.strip()
    if text.text[:1] not in ("{", "[", "("):
        raise BsError("syntax", "a network description must be a record in { } or an expression in ( )", text.span(), help="put it into { }")
    return with_deep_stack(lambda: _evaluate(text, environment))


def _evaluate(text: ExpandedText, environment: Environment) -> Evaluation:
    interpreter = Interpreter(environment)
    prelude = LibraryScope(None, {
        "deviceId": Thunk.done(float(environment.device)),
        "traceLevel": Thunk.done(float(environment.trace_level)),
        "precision": Thunk.done(environment.precision),
    })  # fmt: skip
    result = Evaluation(None, findings=environment.findings, loaded=environment.loaded)
    try:
        if text.text.startswith("("):
            _from_expression(text, interpreter, prelude, result)
        else:
            _from_record(text, interpreter, prelude, result)
    except BsError as error:
        if environment.strict:
            raise
        interpreter.report(error.finding)
        result.complete = False
    if result.network is not None:
        result.validation = validate(result.network)
        for finding in result.validation.findings:
            if environment.strict:
                raise BsError.of(finding)
            interpreter.report(finding)
    result.complete = result.complete and not any(f.severity == Severity.ERROR for f in environment.findings)
    return result


def _from_expression(text: ExpandedText, interpreter: Interpreter, prelude: Scope, result: Evaluation) -> None:
    expr = parse_expression(text)
    scope = RecordScope(prelude, {}, "")
    value = interpreter.force(Thunk(expr, scope, "network"))
    if isinstance(value, NetworkValue):
        value.network.ordinal = interpreter.environment.counters.next_network()
        result.network = value.network
    elif isinstance(value, Unknown):
        result.complete = False
    else:
        raise BsError("wrong-type", f"a network is expected, this is {kind(value)}", text.span(), help="a description of nodes is written { ... }")


def _from_record(text: ExpandedText, interpreter: Interpreter, prelude: Scope, result: Evaluation) -> None:
    environment = interpreter.environment
    close = {"{": "}", "[": "]"}[text.text[0]]
    end = len(text) - 1 if text.text.endswith(close) else len(text)
    members = Members(text, 1, end)
    for finding in members.problems:
        if environment.strict:
            raise BsError.of(finding)
        interpreter.report(finding)
    if environment.strict:  # the reference reads the whole text before it evaluates any of it
        for name in members.names:
            _raise_broken(members, name)
    scope = LazyRecordScope(prelude, members, "")
    result.scope = scope
    roots: list[Node] = []
    for name in SPECIAL:
        if name in members.names:
            roots += _special(name, scope, interpreter, result)
    _check_special_names(members, interpreter)
    for name in sorted(members.names):
        thunk = scope.own(name)
        assert thunk is not None
        value = interpreter.force(thunk)
        if isinstance(value, Node) and name not in SPECIAL:
            value.name = name
            roots.append(value)
        elif isinstance(value, Unknown):
            result.complete = False
    network = Network(environment.precision, environment.counters.next_network())

    def attach(node: Node) -> None:
        late = interpreter.late_inputs.pop(id(node), None)
        if late is None:
            return
        found = interpreter.flatten(interpreter.force(late))
        if any(isinstance(v, Unknown) for v in found):
            raise BsError("unknown-value", f"an input of '{node.name}' is not known", node.origin)
        node.inputs = [*check_inputs(found, node.origin or text.span()), *node.inputs]

    try:
        build_network(roots, network, attach)
    except BsError as error:
        if error.finding.rule == "unknown-value":  # follows from what was reported already
            result.complete = False
            return
        raise
    result.network = network


def _raise_broken(members: Members, name: str) -> None:
    from bsls.syntax import tree

    member = members.member(name)
    if isinstance(member.value, tree.Broken):
        raise BsError.of(member.value.finding)


def _special(name: str, scope: LazyRecordScope, interpreter: Interpreter, result: Evaluation) -> list[Node]:
    thunk = scope.own(name)
    assert thunk is not None
    found: list[Node] = []
    for value in interpreter.flatten(interpreter.force(thunk)):
        if isinstance(value, Unknown):
            result.complete = False
        elif isinstance(value, Node):
            if SPECIAL[name] not in value.tags:
                value.tags.append(SPECIAL[name])
            found.append(value)
        else:
            error = BsError("wrong-type", f"{name} must be a list of nodes, this is {kind(value)}", thunk.expr.span if thunk.expr else None, help="name one of its members" if isinstance(value, RecordScope) else "")
            if interpreter.environment.strict:
                raise error
            interpreter.report(error.finding)
    return found


def _check_special_names(members: Members, interpreter: Interpreter) -> None:
    """A member that looks like one of the special groups but is none is silently an ordinary member."""
    if interpreter.environment.strict:
        return
    for name, (start, _) in members.names.items():
        if name in SPECIAL or "nodes" not in name.lower() and not name.lower().endswith("node"):
            continue
        meant = similar(name, SPECIAL) or {"evalnodes": "evaluationNodes", "criterianodes": "criterionNodes", "inputnodes": "featureNodes"}.get(name.lower())
        if meant and meant not in members.names:
            span = members.text.span(start, start + len(name))
            interpreter.report(
                Finding("special-nodes", f"'{name}' is not one of the special groups of nodes; it has no effect", span, Severity.WARNING,
                        help=f"did you mean '{meant}'?", fixes=[Fix(f"change to {meant}", (Edit(span, meant),), safe=False)])
            )  # fmt: skip


__all__ = ["DONE", "SPECIAL", "Evaluation", "evaluate_network", "with_deep_stack"]
