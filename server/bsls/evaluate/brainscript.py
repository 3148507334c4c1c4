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
from bsls.evaluate.roots import SPECIAL, network_of
from bsls.evaluate.values import LazyRecordScope, NetworkValue, RecordScope, Scope, Thunk, Unknown, kind
from bsls.finding import BsError, Finding, Severity
from bsls.network.network import Network
from bsls.network.validation import Validation, validate
from bsls.source import ExpandedText
from bsls.syntax import tree
from bsls.syntax.brainscript import Members, parse_expression

T = TypeVar("T")

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
        raise BsError(
            "syntax",
            "a network description must be a record in { } or an expression in ( )",
            text.span(),
            help="put it into { }",
        )
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
    result.complete = (
        result.complete
        and result.network is not None
        and not interpreter.incomplete
        and not any(f.severity == Severity.ERROR for f in environment.findings)
    )
    return result


def _from_expression(text: ExpandedText, interpreter: Interpreter, prelude: Scope, result: Evaluation) -> None:
    expr = parse_expression(text)
    value = interpreter.force(Thunk(expr, RecordScope(prelude, {}, ""), "network"))
    if isinstance(value, NetworkValue):
        result.network = value.network
    elif isinstance(value, Unknown):
        result.complete = False
    else:
        raise BsError(
            "wrong-type",
            f"a network is expected, this is {kind(value)}",
            text.span(),
            help="a description of nodes is written { ... }",
        )


def _from_record(text: ExpandedText, interpreter: Interpreter, prelude: Scope, result: Evaluation) -> None:
    close = {"{": "}", "[": "]"}[text.text[0]]
    end = len(text) - 1 if text.text.endswith(close) else len(text)
    members = Members(text, 1, end)
    for finding in members.problems:
        if interpreter.environment.strict:
            raise BsError.of(finding)
        interpreter.report(finding)
    if interpreter.environment.strict:  # the reference reads the whole text before it evaluates any of it
        for name in members.names:
            value = members.member(name).value
            if isinstance(value, tree.Broken):
                raise BsError.of(value.finding)
    result.scope = LazyRecordScope(prelude, members, "")
    result.network = network_of(interpreter, result.scope)


__all__ = ["SPECIAL", "Evaluation", "evaluate_network", "with_deep_stack"]
