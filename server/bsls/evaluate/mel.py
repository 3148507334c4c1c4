"""Runs a script of the model editing language: models are loaded, changed and saved, in the order of its lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bsls.config.section import VARIABLE, Value
from bsls.evaluate import mel_names
from bsls.evaluate.environment import Environment, Model
from bsls.evaluate.mel_names import Edited, Named
from bsls.evaluate.ndl import Pass, ScriptEvaluator
from bsls.evaluate.ndl_scope import Kind, Scope
from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network import editing
from bsls.network.cloning import ancestors, duplicate
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.network.validation import validate
from bsls.resolve.names import similar
from bsls.schema import mel as schema
from bsls.source import ExpandedText, Span
from bsls.syntax import mel as tree
from bsls.syntax import ndl


class Host(Protocol):
    """Where models and texts come from and go to."""

    def load(self, path: str, span: Span) -> Model | None:
        """The network of a model (a copy); None where nothing is known of it."""
        ...

    def save(self, path: str, network: Network, complete: bool, span: Span) -> None:
        """Takes a network, validated and not changed any more; it is not `complete` if not all of it is known."""
        ...

    def dump(self, path: str, nodes: Sequence[Node], values: bool, span: Span) -> None:
        """Takes nodes to be written as text, with the values of parameters if `values`."""
        ...

    def snippet(self, path: str, section: str, span: Span) -> ndl.Script:
        """A section of a file of NDL."""
        ...

    def say(self, line: str) -> None:
        """Takes a line for the log."""
        ...


def run_script(script: tree.MelScript, macros: Sequence[ndl.Script], environment: Environment, host: Host) -> bool:
    """Runs all statements; whether everything in them is known.

    With a strict environment the first problem is raised as BsError; else all are in its `findings`.
    """
    return _Runner(environment, macros, host).run(script)


@dataclass(frozen=True, slots=True)
class ScriptModel:
    """A model as it is at a place of a script: its name there, the path that it was loaded from (or empty)."""

    name: str
    path: str
    network: Network
    default: bool = False


def models_behind(
    script: tree.MelScript, macros: Sequence[ndl.Script], environment: Environment, host: Host
) -> Iterator[tuple[tree.Statement, list[ScriptModel]]]:
    """Each statement of a script, and the models as they are then; problems are in the `findings` of the environment."""
    runner = _Runner(environment, macros, host)
    for statement in script.statements:
        runner.step(statement)
        yield statement, runner.present()


class _Runner:
    def __init__(self, environment: Environment, macros: Sequence[ndl.Script], host: Host) -> None:
        self.environment = environment
        self.host = host
        self.models: dict[str, Edited] = {}
        self.default: Edited | None = None
        self._all: list[Edited] = []
        self._was_set = False
        self._seen: dict[int, tuple[list[tuple[Node, str]], Network]] = {}
        self._macros = Scope()
        self._helper = ScriptEvaluator(environment, Network(environment.precision), self._macros)
        for script in macros:
            self._helper.binder.bind(script, Scope())

    def run(self, script: tree.MelScript) -> bool:
        for problem in script.problems:
            self._helper.binder.report(problem)
        for statement in script.statements:
            self.step(statement)
        failed = any(f.severity == Severity.ERROR for f in self.environment.findings)
        return not failed and all(model.complete for model in self._all)

    def step(self, statement: tree.Statement) -> None:
        """Runs the next statement."""
        try:
            self._statement(statement)
        except BsError as error:
            if error.finding.span is None:
                error.finding.span = statement.text.span()
            self._helper.binder.report(error)
            self._missed(statement)

    def _missed(self, statement: tree.Statement) -> None:
        """A statement could not be run; the nodes that it would have named are not there then."""
        command = schema.find(statement.name.text) if isinstance(statement, tree.Command) else None
        if command is not None and not command.names:
            return
        goal = (
            statement.arguments[1].text if isinstance(statement, tree.Command) and len(statement.arguments) > 1 else ""
        )
        model = mel_names.parts(goal, self.models)[0]
        target = self.default if model is None else self.models[model]
        for changed in self.models.values() if not goal or target is None else [target]:
            changed.complete = False

    def present(self) -> list[ScriptModel]:
        """The models as they are now, those of which something is known."""
        found: list[ScriptModel] = []
        for model in self.models.values():
            if model.network is not None:
                names = [(node, node.name) for node in model.network]
                known = self._seen.get(id(model))
                if known is None or known[0] != names:
                    known = self._seen[id(model)] = names, duplicate(model.network)
                found.append(ScriptModel(model.name, model.path, known[1], model is self.default))
        return found

    def _statement(self, statement: tree.Statement) -> None:
        if isinstance(statement, tree.Snippet):
            self._snippet(statement)
        elif isinstance(statement, tree.Line) or (statement.target is not None and not self._makes_model(statement)):
            self._line(statement.text)
        else:
            self._command(statement)

    @staticmethod
    def _makes_model(statement: tree.Command) -> bool:
        return any(schema.is_abbreviation(statement.name.text, name) for name in ("CreateModel", "LoadModel"))

    # --- NDL ---------------------------------------------------------------------------------------------------------

    def _line(self, text: ExpandedText) -> None:
        script = ndl.parse_script(text)
        model = self._default(text)
        if model.network is None:
            raise UnknownValue(text.span())
        if model.lines is None:
            model.lines = ScriptEvaluator(self.environment, model.network, self._macros)
        model.lines.bind(script)
        model.lines.evaluate(Pass.CREATE)

    def _snippet(self, statement: tree.Snippet) -> None:
        self._add(statement.target, self._evaluated(ndl.parse_script(statement.body)))

    def _evaluated(self, script: ndl.Script) -> Edited:
        network = self._new_network()
        lines = ScriptEvaluator(self.environment, network, self._macros)
        lines.bind(script)
        lines.evaluate()
        return Edited(network, not lines.binder.incomplete)

    def _new_network(self) -> Network:
        return Network(self.environment.precision, self.environment.counters.axis_names)

    def _finish_lines(self, model: Edited, until: Pass = Pass.INITIALISE) -> None:
        """What lines of NDL have added must have inputs and values before the network is looked at."""
        if model.lines is not None:
            model.lines.evaluate(until)
            model.complete = model.complete and not model.lines.binder.incomplete

    # --- models ------------------------------------------------------------------------------------------------------

    def _add(self, name: ExpandedText, model: Edited) -> None:
        self._all.append(model)
        model.name = name.text
        old = self.models.get(name.text.lower())
        if old is not None and old is self.default:
            self.default = None
        self.models[name.text.lower()] = model
        if self.default is None:
            self.default = model

    def _model(self, name: ExpandedText) -> Edited:
        found = self.models.get(name.text.lower())
        if found is None:
            raise BsError(
                "model-edit", f"there is no model '{name.text}'", name.span(),
                help="models: " + ", ".join(self.models) if self.models else f'write {name.text} = LoadModel ("FILE")',
            )  # fmt: skip
        return found

    def _default(self, text: ExpandedText) -> Edited:
        if self.default is None:
            raise BsError(
                "model-edit", "there is no model yet that this could belong to", text.span(),
                help="load one before, and call SetDefaultModel (model)",
            )  # fmt: skip
        if not self._was_set and not self.environment.strict:
            self._was_set = True  # said once
            self.environment.note(Finding(
                "model-edit", "CNTK 2.7 cannot run this: it crashes where no default model was set", text.span(),
                Severity.INFORMATION, help="call SetDefaultModel (model) before, or write model.name",
            ))  # fmt: skip
        return self.default

    # --- names of nodes ----------------------------------------------------------------------------------------------

    def _named(self, text: ExpandedText) -> Named:
        prefix, pattern = mel_names.parts(text.text, self.models)
        model = self._default(text) if prefix is None else self.models[prefix]
        if model.network is None or VARIABLE.search(text.text):
            raise UnknownValue(text.span())
        return Named(model, model.network, pattern, text)

    def _nodes(self, text: ExpandedText, until: Pass | None = Pass.INITIALISE) -> tuple[Named, list[Node]]:
        """The nodes that a name means, at least one."""
        named = self._named(text)
        found = editing.matching(named.network, named.pattern) or self._from_line(named)
        if not found:
            raise self._no_node(named)
        if until is not None:
            self._finish_lines(named.model, until)
        return named, found

    def _from_line(self, named: Named) -> list[Node]:
        """What is known by another name in lines of NDL: the result of a macro, or a number, which becomes a node."""
        item = named.model.lines.scope.find(named.pattern) if named.model.lines is not None else None
        if item is None:
            return []
        if item.failed:
            raise UnknownValue(named.span)
        if item.node is None and item.kind == Kind.CONSTANT:
            value = Value(named.pattern, item.text, item.span).number()
            attributes: dict[str, object] = {
                "dims": (1, 1), "learningRateMultiplier": 1.0, "init": "fixedValue", "value": value, "initValueScale": 1.0
            }  # fmt: skip
            node = Node(
                "LearnableParameter", named.pattern, [], attributes, self.environment.precision, origin=item.span
            )
            named.network.add(node)
            item.node = node
        return [item.node] if item.node is not None else []

    def _no_node(self, named: Named) -> BsError:
        return mel_names.no_node(named, self.models, self.default)

    def _pairs(self, source: ExpandedText, target: ExpandedText) -> tuple[Named, Named, list[tuple[Node, str]]]:
        """Nodes and the names that correspond to them: `L1.*` to `L2.*`, one node to one or several that exist."""
        origin = self._named(source)
        nodes = editing.matching(origin.network, origin.pattern)
        if not nodes:
            raise self._no_node(origin)
        goal = self._named(target)
        (head, tail), (new_head, new_tail) = origin.halves(), goal.halves()
        if new_tail is not None and tail is None:
            there = editing.matching(goal.network, goal.pattern)
            if not there:
                raise self._no_node(goal)
            return origin, goal, [(nodes[0], n.name) for n in there]
        if (tail is None) != (new_tail is None) or bool(head) != bool(new_head) or bool(tail) != bool(new_tail):
            raise BsError(
                "model-edit", f"'{target.text}' does not correspond to '{source.text}'", target.span(),
                help="both need a `*` at the same place: CopyNode (L1.*, L2.*)",
            )  # fmt: skip
        if tail is None or new_tail is None:
            return origin, goal, [(nodes[0], goal.pattern)]
        names = [n.name[len(head) : len(n.name) - len(tail)] for n in nodes]
        return origin, goal, [(n, f"{new_head}{name}{new_tail}") for n, name in zip(nodes, names, strict=True)]

    # --- commands ----------------------------------------------------------------------------------------------------

    def _command(self, statement: tree.Command) -> None:
        command = schema.find(statement.name.text)
        arguments = list(statement.arguments)
        if statement.target is not None and command is not None:
            command = schema.find(f"{command.name}WithName")
            arguments.insert(0, statement.target)
        if command is None:
            meant = similar(statement.name.text, schema.names())
            meant = meant or next(
                (n for n in schema.names() if statement.name.text.lower().startswith(n.lower())), None
            )
            span = statement.name.span()
            fixes = [Fix(f"change to {meant}", (Edit(span, meant),), safe=True)] if meant else []
            raise BsError(
                "unknown-identifier", f"there is no command '{statement.name.text}'", span,
                help=f"did you mean '{meant}'?" if meant else "commands: " + ", ".join(c.name for c in schema.COMMANDS),
                fixes=fixes,
            )  # fmt: skip
        if command.name == "CreateModel":
            raise BsError(
                "missing-argument", "CreateModel needs a name for the model", statement.span,
                help="write m = CreateModel ()",
            )  # fmt: skip
        self._check_count(command, arguments, statement)
        option = self._option(command, arguments[command.least :])
        fixed = arguments if command.most is None else arguments[: len(command.parameters)]
        _ACTIONS[command.name](self, fixed, option, statement)

    @staticmethod
    def _check_count(command: schema.Command, arguments: list[ExpandedText], statement: tree.Command) -> None:
        count = len(arguments)
        if command.least <= count and (command.most is None or count <= command.most):
            return
        raise BsError(
            "missing-argument" if count < command.least else "too-many-arguments",
            f"{command.name} does not take {count} arguments", statement.span, help=f"write {command.usage}",
        )  # fmt: skip

    @staticmethod
    def _option(command: schema.Command, rest: list[ExpandedText]) -> Value | None:
        """The option of a command; the first one counts."""
        found: Value | None = None
        for text in rest if command.option is not None else []:
            name, equal, _ = text.text.partition("=")
            if not equal:
                continue
            option = command.option
            assert option is not None
            words = [option.name, *([option.alternate] if option.alternate else [])]
            if not any(schema.is_abbreviation(name.strip(), w) for w in words):
                raise BsError(
                    "unknown-parameter", f"{command.name} has no option '{name.strip()}'", text.span(),
                    help=f"write {' or '.join(words)}=...",
                )  # fmt: skip
            value = text.slice(len(name) + 1, len(text)).strip()
            found = Value(name.strip(), value, text.span())
            if option.values and not any(schema.is_abbreviation(found.text, v) for v in option.values):
                raise BsError(
                    "wrong-value", f"{name.strip()} = '{found.text}' is not possible", value.span(),
                    help="possible are " + ", ".join(option.values),
                )  # fmt: skip
        return found

    def _create(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        self._add(arguments[0], Edited(self._new_network()))

    def _load(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        name = arguments[0] if len(arguments) > 1 else ExpandedText.standing_for("default", statement.name.span())
        file = arguments[-1]
        try:
            model = self.host.load(file.text, file.span())
        except BsError:
            self._add(name, Edited(None, False))
            raise
        self._add(name, Edited(model.network, model.complete, file.text) if model is not None else Edited(None, False))

    def _load_snippet(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        name, file = arguments[:2]
        if option is None or not option.text:
            raise BsError(
                "missing-argument", "without a section, LoadNDLSnippet makes an empty model", statement.span,
                help="add section=NAME, the name of a block in the file",
            )  # fmt: skip
        model = Edited(None, False)
        try:
            model = self._evaluated(self.host.snippet(file.text, option.text, option.raw.span()))
        finally:
            self._add(name, model)

    def _save_default(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        self._save_model(self._default(statement.text), arguments[0])

    def _save(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        self._save_model(self._model(arguments[0]), arguments[1])

    def _save_model(self, model: Edited, file: ExpandedText) -> None:
        if model.network is None:
            return
        self._finish_lines(model)
        editing.drop_unconnected(model.network)
        saved = duplicate(model.network)
        complete = model.complete
        for finding in validate(saved).findings:
            complete = False
            self._helper.binder.report(finding)
        self.host.save(file.text, saved, complete, file.span())

    def _set_default(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        self.default, self._was_set = self._model(arguments[0]), True

    def _unload(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        for name in arguments:
            found = self.models.pop(name.text.lower(), None)
            if found is None:
                self.environment.note(Finding(
                    "model-edit", f"there is no model '{name.text}'", name.span(), Severity.WARNING, help="leave it out"
                ))  # fmt: skip
                self.host.say(f"WARNING: model {name.text} does not exist.")
            elif found is self.default:
                self.default = None

    def _dump_model(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        model = self._model(arguments[0])
        if model.network is None:
            return
        self._finish_lines(model)
        self._dump(model.network, model.network.by_name(), arguments[1], option)

    def _dump_node(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        named, nodes = self._nodes(arguments[0])
        self._dump(named.network, nodes, arguments[1], option)

    def _dump(self, network: Network, nodes: list[Node], file: ExpandedText, option: Value | None) -> None:
        shown = duplicate(network)
        validate(shown)
        values = option.boolean() if option is not None else False
        self.host.dump(file.text, [shown[n.name] for n in nodes], values, file.span())

    def _copy(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        origin, goal, pairs = self._pairs(arguments[0], arguments[1])
        self._finish_lines(origin.model)
        self._finish_lines(goal.model)
        editing.copy_nodes(pairs, goal.network, self._with_links(option))

    @staticmethod
    def _with_links(option: Value | None) -> bool:
        return option is None or schema.is_abbreviation(option.text, "all")

    def _copy_subtree(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        _, nodes = self._nodes(arguments[0])
        goal = self._named(arguments[1])
        self._finish_lines(goal.model)
        for node in nodes:
            editing.copy_subtree(node, goal.network, arguments[2].text, self._with_links(option))

    def _copy_inputs(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        origin, goal, pairs = self._pairs(arguments[0], arguments[1])
        self._same_model(origin, goal)
        self._finish_lines(origin.model)
        for node, name in pairs:
            target = goal.network.find(name)
            if target is None:
                raise self._no_node(goal)
            editing.copy_inputs(node, target)

    @staticmethod
    def _same_model(first: Named, second: Named) -> None:
        if first.model is not second.model:
            raise BsError(
                "model-edit", f"'{first.text.text}' and '{second.text.text}' belong to different models", second.span,
                help="copy the node into the other model first",
            )  # fmt: skip

    def _set_input(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        target, index, source = arguments
        goal, nodes = self._nodes(target, Pass.CONNECT)
        origin, found = self._nodes(source, Pass.CONNECT)
        self._same_model(goal, origin)
        if len(found) != 1:
            raise BsError(
                "model-edit", f"'{source.text}' means {len(found)} nodes", source.span(), help="name one node"
            )
        number = Value("index", index, index.span()).integer()
        for node in nodes:
            try:
                editing.set_input(node, number, found[0])
            except BsError as error:
                error.finding.span = index.span()
                raise

    def _set_inputs(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        goal, nodes = self._nodes(arguments[0], Pass.CONNECT)
        sources: list[Node] = []
        for text in arguments[1:]:
            origin, found = self._nodes(text, Pass.CONNECT)
            self._same_model(goal, origin)
            sources += found
        if len(nodes) != 1 or len(sources) != len(arguments) - 1:
            raise BsError("model-edit", "each name must mean one node here", statement.span, help="use no `*`")
        editing.set_inputs(nodes[0], sources)

    def _property(self, text: ExpandedText, names: tuple[str, ...]) -> str:
        found = schema.find_property(text.text, names)
        if found is not None:
            return found
        meant = similar(text.text, names)
        if meant is None and "rate" in text.text.lower():
            meant = "learningRateMultiplier"
        fixes = [Fix(f"change to {meant}", (Edit(text.span(), meant),))] if meant else []
        raise BsError(
            "wrong-value", f"there is no property '{text.text}'", text.span(),
            help=f"did you mean '{meant}'?" if meant else "properties: " + ", ".join(names), fixes=fixes,
        )  # fmt: skip

    def _set_property(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        name = self._property(arguments[1], schema.PROPERTIES)
        value = Value(name, arguments[2], arguments[1].span())
        named, nodes = self._nodes(arguments[0], Pass.CREATE)
        if name in (*schema.GRADIENT, "learningRateMultiplier"):
            editing.set_learning_rate(nodes, _multiplier(name, value))
        elif name == "freezeParameters":
            for node in nodes if value.boolean() else []:
                editing.freeze_parameters(node)
        elif name != "recurrent":
            member = value.boolean()
            for node in nodes:
                editing.set_group(named.network, node, schema.GROUP_PROPERTIES[name], member)

    def _set_for_subtree(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        name = self._property(arguments[1], schema.SUBTREE_PROPERTIES)
        value = Value(name, arguments[2], arguments[1].span())
        _, nodes = self._nodes(arguments[0], Pass.CONNECT)
        below = [n for n in ancestors(nodes) if n.is_parameter]
        editing.set_learning_rate(below, _multiplier(name, value))

    def _remove(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        for text in arguments:
            named, nodes = self._nodes(text)
            for node in nodes:
                try:
                    editing.remove(named.network, node)
                except BsError as error:
                    error.finding.span = text.span()
                    raise

    def _rename(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        origin, goal, pairs = self._pairs(arguments[0], arguments[1])
        self._same_model(origin, goal)
        self._finish_lines(origin.model)
        for node, name in pairs:
            editing.rename(origin.network, node, name)

    def _revise(self, arguments: list[ExpandedText], option: Value | None, statement: tree.Command) -> None:
        _, nodes = self._nodes(arguments[0], None)
        for node in nodes:
            if not node.is_parameter:
                self.host.say(f"WARNING: '{node.name}' is no parameter ({node.op}) and is left as it is")
                continue
            if node.shape is not None:
                node.attributes["dims"] = node.shape.dims
            node.attributes |= {"init": "fromFile", "initFromFilePath": arguments[1].text}
            node.value, node.origin = None, arguments[1].span()
            self.host.say(f"Revise node {node.name} using parameter file {arguments[1].text}")


def _multiplier(name: str, value: Value) -> float:
    return value.number() if name == "learningRateMultiplier" else float(value.boolean())


_ACTIONS: dict[str, Callable[[_Runner, list[ExpandedText], Value | None, tree.Command], None]] = {
    "CreateModelWithName": _Runner._create, "LoadModel": _Runner._load, "LoadModelWithName": _Runner._load, "LoadNDLSnippet": _Runner._load_snippet,
    "SaveDefaultModel": _Runner._save_default, "SaveModel": _Runner._save, "SetDefaultModel": _Runner._set_default, "UnloadModel": _Runner._unload,
    "DumpModel": _Runner._dump_model, "DumpNode": _Runner._dump_node, "CopyNode": _Runner._copy, "CopySubTree": _Runner._copy_subtree,
    "CopyNodeInputs": _Runner._copy_inputs, "SetNodeInput": _Runner._set_input, "SetNodeInputs": _Runner._set_inputs,
    "SetProperty": _Runner._set_property, "SetPropertyForSubTree": _Runner._set_for_subtree, "RemoveNode": _Runner._remove,
    "Rename": _Runner._rename, "ReviseParameter": _Runner._revise,
}  # fmt: skip


def saved_files(script: tree.MelScript) -> list[ExpandedText]:
    """The files that a script saves models in, as they are written in it."""
    found: list[ExpandedText] = []
    for statement in script.statements:
        if not isinstance(statement, tree.Command):
            continue
        command = schema.find(statement.name.text)
        saves = command is not None and command.name in ("SaveModel", "SaveDefaultModel")
        if command is not None and saves and len(statement.arguments) >= command.least:
            found.append(statement.arguments[command.least - 1])
    return found
