"""NDL scripts to a network, in the three passes of the reference: make the nodes, give them their inputs, settle values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from bsls.evaluate.brainscript import Evaluation
from bsls.evaluate.environment import Environment
from bsls.evaluate.ndl_nodes import Maker, tag_of
from bsls.evaluate.ndl_scope import Binder, Item, Kind, Scope
from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Edit, Finding, Fix, Related, Severity
from bsls.network.editing import drop_unconnected
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.resolve.names import similar
from bsls.schema import ndl as schema
from bsls.source import Span
from bsls.syntax import ndl as tree

_OLD_LISTS = {"evaluationnodes": "EvalNodes", "inputnodes": "FeatureNodes", "evalnode": "EvalNodes"}


class Pass(IntEnum):
    """What is done with each statement; a pass goes through all of them before the next one."""

    CREATE = 0
    CONNECT = 1
    INITIALISE = 2


class ScriptEvaluator:
    """Evaluates scripts into one network; statements can be added later (a MEL script does that)."""

    def __init__(self, environment: Environment, network: Network, macros: Scope | None = None, seed_offset: int = 0):
        self.environment = environment
        self.network = network
        self.binder = Binder(environment, macros)
        self.scope = Scope()
        self._maker = Maker(self.binder, environment, seed_offset)
        self._done = [0, 0, 0]  # statements, by pass
        self._calls: list[Span] = []

    def bind(self, script: tree.Script) -> None:
        """Adds the statements of a script."""
        self.binder.bind(script, self.scope)

    def evaluate(self, until: Pass = Pass.INITIALISE) -> None:
        """Does all passes up to one for the statements that are new since the last time."""
        for stage in Pass:
            if stage > until:
                break
            start, self._done[stage] = self._done[stage], len(self.scope.items)
            self._evaluate(self.scope, "", stage, start)
            if stage == Pass.CONNECT:
                self._mark_groups()

    def _evaluate(self, scope: Scope, base: str, stage: Pass, start: int = 0) -> Item | None:
        last: Item | None = None
        for item in scope.items[start:]:
            last = item
            if item.failed:
                continue
            try:
                if item.kind == Kind.CALL:
                    self._call(item, base, stage)
                    self._tag(item)
                else:
                    self._function(item, base, stage)
            except BsError as error:
                item.failed = True
                self._report(error)
        return last

    def _report(self, error: BsError) -> None:
        finding = error.finding
        if not finding.related and self._calls and finding.rule != "unknown-value":
            finding.related = [Related("in this call", span) for span in reversed(self._calls)]
        self.binder.report(error)

    # --- one statement -----------------------------------------------------------------------------------------------

    def _function(self, item: Item, base: str, stage: Pass) -> None:
        if item.failed:
            raise UnknownValue(item.span)
        if stage == Pass.CREATE:
            self._create(item, base)
        elif stage == Pass.CONNECT:
            self._connect(item, base)
        else:
            self._maker.initialise(item)

    def _create(self, item: Item, base: str) -> None:
        if item.node is not None:
            return
        name = f"{base}.{item.name}" if base else item.name
        form = self._maker.form(item)
        for index, argument in enumerate(item.positional):
            if form is None or form.argument(index).kind == "node":
                self._create_argument(argument, base)
        known = self.network.find(name)
        inputs = ("InputValue", "SparseInputValue")
        if known is not None and item.function is not None and item.function.name in inputs and known.is_input:
            item.node = known
            return
        if known is not None:
            raise BsError(
                "duplicate-name", f"a node '{known.name}' is there already", item.span,
                help="use another name; capitals do not count",
                related=[Related("this is the other node", known.origin)] if known.origin is not None else [],
            )  # fmt: skip
        if len(self.network) >= self.environment.limits.nodes:
            raise BsError("nesting-limit", f"more than {self.environment.limits.nodes} nodes", item.span)
        item.node = self._maker.make(item, form, name, tuple(reversed(self._calls)))
        self.network.add(item.node)
        if item.node.op == "BatchNormalization" and len(item.positional) == 5:
            self._add_run_count(item)

    def _create_argument(self, argument: Item, base: str) -> None:
        """Calls inside the call; what has a name is made at its own place."""
        if argument.node is None and not argument.failed:
            if argument.kind == Kind.FUNCTION:
                self._create(argument, base)
            elif argument.kind == Kind.CALL:
                self._call(argument, base, Pass.CREATE)

    def _add_run_count(self, item: Item) -> None:
        """The sample count that old descriptions do not give."""
        assert item.node is not None
        attributes: dict[str, object] = {
            "dims": (1,), "learningRateMultiplier": 0.0, "init": "fixedValue", "value": 0.0, "initValueScale": 1.0
        }  # fmt: skip
        count = Node(
            "LearnableParameter", f"{item.node.name}.run_sample_count", [], attributes, item.node.precision, [], None,
            None, item.span, item.node.calls,
        )  # fmt: skip
        self.network.add(count)
        item.arguments.append(Item(Kind.CONSTANT, "runCount", item.text, item.scope, node=count))

    def _connect(self, item: Item, base: str) -> None:
        if item.node is None or item.inputs_given:
            return
        item.inputs_given = True
        form = self._maker.form(item)
        inputs = [
            self._input(item, argument, base)
            for index, argument in enumerate(item.positional)
            if form is None or form.argument(index).kind == "node"
        ]
        if item.node.op not in ("InputValue", "SparseInputValue", "LearnableParameter"):
            item.node.inputs = inputs
        self._tag(item)

    def _input(self, item: Item, argument: Item, base: str) -> Node:
        """The node that an argument stands for."""
        found = argument
        if argument.kind in (Kind.LATER, Kind.PARAMETER) and argument.node is None:
            found = self._resolve(item, argument)
        elif argument.kind == Kind.FUNCTION:
            self._function(argument, base, Pass.CONNECT)
        elif argument.kind == Kind.CALL:
            self._call(argument, base, Pass.CONNECT)
        if found.failed:
            raise UnknownValue(argument.span)
        if found.node is None:
            raise self._no_node(item.site(argument), found)
        return found.node

    def _resolve(self, item: Item, argument: Item) -> Item:
        found = item.scope.find(argument.name) or argument
        name = found.name
        again = found.scope.find(name)
        if again is not None and (again.node is not None or again.failed):
            return again
        known = self.network.find(name)  # a node of a loaded model, in a MEL script
        if known is None:
            if found is not argument and found.kind in (Kind.FUNCTION, Kind.CALL):
                raise BsError(
                    "unknown-identifier", "a call inside the arguments of a macro cannot be used by the macro",
                    found.span, help="give it a name in a statement of its own",
                )  # fmt: skip
            if found.kind in (Kind.CONSTANT, Kind.ARRAY):
                raise self._no_node(item.site(argument), found)
            raise self._unknown(argument, item.site(argument), item.scope)
        if again is None:
            again = argument
        again.node = known
        return again

    def _unknown(self, argument: Item, site: Span, scope: Scope) -> BsError:
        name = argument.name
        candidates = [n for n in scope.names() if n.lower() != name.lower()] + [n.name for n in self.network]
        meant = similar(name, candidates)
        fixes = [Fix(f"change to {meant}", (Edit(site, meant),))] if meant else []
        help = f"did you mean '{meant}'?" if meant else "define it, here or further down"
        if self._calls and not meant:
            help = "a macro sees its parameters and what it defines itself"
        return BsError("unknown-identifier", f"unknown identifier '{name}'", site, help=help, fixes=fixes)

    @staticmethod
    def _no_node(site: Span, found: Item) -> BsError:
        written = site.text
        if found.kind == Kind.CONSTANT:
            return BsError(
                "wrong-type", f"a node is expected as input, '{written}' is a number", site,
                help=f"write Constant ({written})",
            )  # fmt: skip
        what = {Kind.ARRAY: "a list", Kind.CALL: "a macro without a node as result"}.get(found.kind, "no node")
        return BsError(
            "wrong-type", f"a node is expected as input, '{written}' is {what}", site,
            help="the result of a macro is its last call" if found.kind == Kind.CALL else "name a node",
        )  # fmt: skip

    # --- macros ------------------------------------------------------------------------------------------------------

    def _call(self, item: Item, base: str, stage: Pass) -> None:
        if item.failed:
            raise UnknownValue(item.span)
        if stage == Pass.CONNECT and item.inputs_given:
            return
        item.inputs_given = stage >= Pass.CONNECT
        body = item.body
        assert body is not None and item.macro is not None
        self._pass_arguments(item, body)
        self._calls.append(item.span)
        try:
            result = self._evaluate(body, f"{base}.{item.name}" if base else item.name, stage)
        finally:
            self._calls.pop()
        result = body.find(item.macro.name) or result
        if result is not None:
            item.node = result.node
            item.failed = result.failed

    def _pass_arguments(self, item: Item, body: Scope) -> None:
        assert item.macro is not None
        wanted, given = item.parameters, item.arguments
        if len(given) < len(wanted):
            names = ", ".join(p.id for p in wanted)
            raise BsError(
                "missing-argument", f"the macro '{item.macro.name}' expects {len(wanted)} arguments, but {len(given)} were given",
                item.span, help=f"write {item.macro.name} ({names})",
                related=[Related("it is defined here", item.macro.span)],
            )  # fmt: skip
        for index, argument in enumerate(given):
            if argument.kind == Kind.OPTION:
                if index < len(wanted):
                    raise BsError(
                        "missing-argument", f"'{wanted[index].id}' of the macro '{item.macro.name}' is missing",
                        item.site(argument), help="options stand behind the arguments",
                    )  # fmt: skip
                body.symbols[argument.name.lower()] = argument
                continue
            if index >= len(wanted):
                raise BsError(
                    "too-many-arguments", f"the macro '{item.macro.name}' expects {len(wanted)} arguments", item.site(argument),
                    help="leave it out", related=[Related("it is defined here", item.macro.span)],
                )  # fmt: skip
            if argument.kind == Kind.PARAMETER:
                argument = item.scope.find(argument.name) or argument
            body.symbols[wanted[index].id.lower()] = argument

    # --- groups ------------------------------------------------------------------------------------------------------

    def _tag(self, item: Item) -> None:
        for argument in item.arguments:
            if argument.kind == Kind.OPTION and argument.name.lower() == schema.TAG.name and item.node is not None:
                group = tag_of(argument.text)
                if group is not None:
                    self._add_to(group, item.node)

    def _add_to(self, group: str, node: Node) -> None:
        if group not in node.tags:
            node.tags.append(group)
        self.network.tag(node, group)

    def _mark_groups(self) -> None:
        """What the arrays `FeatureNodes = (...)` and so on list."""
        for name, group in schema.GROUP_LISTS.items():
            item = self.scope.find(name)
            if item is None:
                if group == "feature" and not self.network.groups["feature"] and not self.binder.incomplete:
                    self._no_features()
                continue
            listed = item.positional if item.kind == Kind.ARRAY else [item]
            for member in listed:
                try:
                    self._add_to(group, self._listed(item, member))
                except BsError as error:
                    self._report(error)
        if not self.environment.strict:
            self._check_lists()

    def _listed(self, array: Item, member: Item) -> Node:
        found = member
        if member.kind in (Kind.LATER, Kind.PARAMETER):
            found = self._resolve(array, member)
        elif member.node is None and member.kind == Kind.FUNCTION and not member.failed:
            raise BsError(
                "wrong-type", f"'{member.text.text}' in {array.name} is not evaluated", array.site(member),
                help="give it a name in a statement of its own",
            )  # fmt: skip
        if found.failed:
            raise UnknownValue(member.span)
        if found.node is None:
            raise self._no_node(array.site(member), found)
        return found.node

    def _no_features(self) -> None:
        text = self.scope.items[0].text if self.scope.items else None
        self.binder.report(BsError(
            "special-nodes", "the network has no feature node", text.span() if text is not None else None,
            help='tag an input, Input (3, tag = "feature"), or list it: FeatureNodes = (x)',
        ))  # fmt: skip

    def _check_lists(self) -> None:
        """Arrays whose names look like one of the lists of nodes: they have no effect."""
        lists = {name.lower() for name in schema.GROUP_LISTS}
        for item in self.scope.symbols.values():
            if item.kind != Kind.ARRAY or item.name.lower() in lists:
                continue
            meant = _OLD_LISTS.get(item.name.lower()) or similar(item.name, schema.GROUP_LISTS)
            self.environment.note(Finding(
                "special-nodes", f"'{item.name}' is not one of the lists of nodes; it has no effect", item.span,
                Severity.WARNING, help=f"did you mean '{meant}'?" if meant else "a list is used only in an argument",
            ))  # fmt: skip


def evaluate_scripts(
    scripts: Sequence[tree.Script], macros: Sequence[tree.Script], environment: Environment, seed_offset: int = 0
) -> Evaluation:
    """The network that scripts describe together, validated; of `macros` only the macros count.

    With a strict environment the first problem is raised as BsError; else all are in `findings`.
    """
    network = Network(environment.precision, environment.counters.axis_names)
    evaluator = ScriptEvaluator(environment, network, seed_offset=seed_offset)
    result = Evaluation(network, findings=environment.findings, built_by="NDLBuilder")
    try:
        for script in macros:
            evaluator.binder.bind(script, Scope())
        for script in scripts:
            evaluator.bind(script)
        evaluator.evaluate()
    except BsError as error:
        if environment.strict:
            raise
        environment.note(error)
        result.complete = False
    finish(result, evaluator)
    return result


def finish(result: Evaluation, evaluator: ScriptEvaluator) -> None:
    """Validates the network of an evaluation."""
    environment = evaluator.environment
    drop_unconnected(evaluator.network)
    result.validation = validate(evaluator.network)
    for finding in result.validation.findings:
        if environment.strict:
            raise BsError.of(finding)
        environment.note(finding)
    failed = any(f.severity == Severity.ERROR for f in environment.findings)
    result.complete = result.complete and not evaluator.binder.incomplete and not failed
