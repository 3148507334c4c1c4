"""A BrainScript network description to a Network."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bsls.evaluate.environment import Environment, Model
from bsls.evaluate.interpreter import Interpreter
from bsls.evaluate.library import LibraryScope
from bsls.evaluate.printing import format_value
from bsls.evaluate.roots import SPECIAL, network_of
from bsls.evaluate.values import LazyRecordScope, NetworkValue, RecordScope, Scope, Thunk, Unknown, kind
from bsls.finding import BsError, Finding, Severity
from bsls.network.network import Network
from bsls.network.validation import Validation, validate
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members, parse_expression
from bsls.syntax.outer import CLOSERS, closing

T = TypeVar("T")

_THREAD = "evaluate"
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
    expression: tree.Expr | None = None
    """What a description that is no record says."""
    built_by: str = ""
    """What the log of a run names in the place of the nodes, as with NDL."""


def with_deep_stack(work: Callable[[], T]) -> T:
    """Runs `work` on a thread with a stack large enough for the deepest evaluation that the limits allow.

    An evaluation inside an evaluation (of the network that a model will hold) stays on its thread.
    """
    if threading.current_thread().name == _THREAD:
        return work()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    limit, collecting = sys.getrecursionlimit(), gc.isenabled()
    gc.disable()  # what an evaluation makes stays: looking for garbage in it takes a fifth of its time
    try:
        start_with_deep_stack(run).join()
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()
    if failure:
        raise failure[0]
    return outcome[0]


def start_with_deep_stack(work: Callable[[], None]) -> threading.Thread:
    """Starts a thread on which evaluations run without one of their own."""
    size = threading.stack_size(_STACK)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 1_000_000))
    try:
        thread = threading.Thread(target=work, name=_THREAD, daemon=True)
        thread.start()
    finally:
        threading.stack_size(size)
    return thread


def members_of(text: ExpandedText, previous: Members | None = None) -> Members | None:
    """The members of a network description in `{ }` or `[ ]`; None for one that is an expression.

    `previous` are those of an earlier revision of the same description.
    """
    text = text.strip()
    if text.text[:1] not in ("{", "["):
        return None
    return Members(text, 1, len(text) - text.text.endswith(CLOSERS[text.text[0]]), previous)


def evaluate_network(
    text: ExpandedText,
    environment: Environment,
    members: Members | None = None,
    doubtful: Sequence[Finding] = (),
) -> Evaluation:
    """The network that a `{ ... }`, `[ ... ]` or `( expression )` describes, validated.

    With a strict environment the first problem is raised as BsError; else all are in `findings`. `members` are those of
    the text where they are known already; `doubtful` are errors about its brackets.
    """
    text = text.strip()
    if text.text[:1] not in ("{", "[", "("):
        raise BsError(
            "syntax",
            "a network description must be a record in { } or an expression in ( )",
            text.span(),
            help="put it into { }",
        )
    members = members or members_of(text)
    return with_deep_stack(lambda: _evaluate(text, members, environment, doubtful))


def definitions(text: ExpandedText) -> Evaluation:
    """The text of a file of definitions, as what `evaluate_expression` sees; raises where it is wrong."""
    members = members_of(text) or Members(text, 0, len(text))
    environment = Environment()
    _refuse(Interpreter(environment), members.problems)
    return Evaluation(None, scope=LazyRecordScope(_prelude(environment), members, ""))


def evaluate_expression(text: str, environment: Environment, evaluation: Evaluation | None = None) -> str:
    """What an expression comes to, as `Print` shows it.

    It sees the members of the network description that `evaluation` came from, and the whole of it as `network`; without
    one only the library. Raises the first problem.
    """

    def work() -> str:
        expr = parse_expression(ExpandedText.of(Source("<expression>", text)))
        interpreter = Interpreter(environment)
        _refuse(interpreter, tree.problems(expr))
        around: Scope = _prelude(environment)
        own: dict[str, Thunk] = {}
        if evaluation is not None and evaluation.scope is not None:
            around = evaluation.scope
        if evaluation is not None and evaluation.network is not None and "network" not in around.names():
            own["network"] = Thunk.done(NetworkValue(evaluation.network, "", evaluation.complete))
        return format_value(interpreter, interpreter.force(Thunk(expr, Scope(around, own), "expression")))

    return with_deep_stack(work)


def _prelude(environment: Environment) -> LibraryScope:
    """What is around every network description."""
    return LibraryScope(None, {
        "deviceId": Thunk.done(float(environment.device)),
        "traceLevel": Thunk.done(float(environment.trace_level)),
        "precision": Thunk.done(environment.precision),
        "network": Thunk.running("network"),
    })  # fmt: skip


def _evaluate(
    text: ExpandedText, members: Members | None, environment: Environment, doubtful: Sequence[Finding]
) -> Evaluation:
    interpreter = Interpreter(environment)
    prelude = _prelude(environment)
    result = Evaluation(None, findings=environment.findings, loaded=environment.loaded)
    try:
        if members is None:
            _from_expression(text, interpreter, prelude, result, doubtful)
        else:
            _from_record(text, members, interpreter, prelude, result)
    except BsError as error:
        if environment.strict:
            raise
        interpreter.report(error)
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


def _from_expression(
    text: ExpandedText, interpreter: Interpreter, prelude: Scope, result: Evaluation, doubtful: Sequence[Finding]
) -> None:
    expr = parse_expression(text)
    for finding in doubtful:
        tree.put_in_doubt(expr, finding)
    _refuse(interpreter, tree.problems(expr))
    result.expression = expr
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


def _from_record(
    text: ExpandedText, members: Members, interpreter: Interpreter, prelude: Scope, result: Evaluation
) -> None:
    close = CLOSERS[text.text[0]]
    end = len(text) - text.text.endswith(close)
    if end == len(text):
        message = f"no closing {close} found for this {text.text[0]}"
        _refuse(interpreter, [Finding("syntax", message, text.span(0, 1), help=f"close it with {close}")])
    elif text.text[0] == "[" and 0 <= (first := closing(text.text, 0)) < end:
        raise BsError(
            "syntax",
            "this network description was given before: blocks in [ ] are added up",
            text.slice(first + 1, end).strip().span(0, 1),
            help="write it in { }, then the last one counts",
        )
    _refuse(interpreter, members.problems)
    for name in members.names:
        _refuse(interpreter, members.findings(name))
    result.scope = LazyRecordScope(prelude, members, "")
    result.network = network_of(interpreter, result.scope)


def _refuse(interpreter: Interpreter, problems: Iterable[Finding]) -> None:
    """Mistakes in the text; the reference reads all of it before it evaluates any of it."""
    for finding in problems:
        if interpreter.environment.strict and finding.severity == Severity.ERROR:
            raise BsError.of(finding)
        interpreter.report(finding)


__all__ = ["SPECIAL", "Evaluation", "evaluate_expression", "evaluate_network", "with_deep_stack"]
