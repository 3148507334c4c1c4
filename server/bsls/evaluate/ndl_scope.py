"""What the names of an NDL script stand for, bound as the reference binds them: while it reads, statement by statement.

Names are looked up when a statement is read, not when it is evaluated; a macro is copied for each call, and its
arguments are read anew then. What can be used before its definition, which name a node gets, and the numbers in
`unnamed3` follow from that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from bsls.evaluate.environment import Environment
from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.node import Node
from bsls.resolve.names import similar
from bsls.schema import ndl as schema
from bsls.source import ExpandedText, Span
from bsls.syntax import ndl as tree


class Kind(Enum):
    """What an item is."""

    CONSTANT = auto()
    FUNCTION = auto()
    CALL = auto()
    """A macro that is called."""
    PARAMETER = auto()
    """A name inside a macro whose meaning is known when the macro is called."""
    LATER = auto()
    """A name that must be defined further down."""
    OPTION = auto()
    ARRAY = auto()
    MACRO = auto()


@dataclass(eq=False, slots=True)
class Item:
    """Something that a name, or an argument of a call, stands for.

    `text` is its value as written; `arguments` those of a call or the elements of an array, bound in `scope`. `body` is
    the macro's, for a call a copy of its own. `node` is what evaluation has made of it.
    """

    kind: Kind
    name: str
    text: ExpandedText
    scope: Scope
    function: schema.Function | None = None
    value: tree.Value | None = None
    macro: Item | None = None
    parameters: tuple[tree.Word, ...] = ()
    body: Scope | None = None
    arguments: list[Item] = field(default_factory=list)
    node: Node | None = None
    inputs_given: bool = False
    failed: bool = False
    """It could not be made, and that was said."""

    @property
    def span(self) -> Span:
        return self.text.span()

    @property
    def called(self) -> str:
        """The name under which a function is called."""
        return self.value.function.text if isinstance(self.value, tree.Call) else self.name

    def site(self, argument: Item) -> Span:
        """Where an argument stands; what it stands for may be defined elsewhere."""
        given = self.value.arguments if isinstance(self.value, tree.Call) else ()
        given = self.value.items if isinstance(self.value, tree.Array) else given
        return next((v.span for a, v in zip(self.arguments, given, strict=False) if a is argument), argument.span)

    @property
    def positional(self) -> list[Item]:
        return [a for a in self.arguments if a.kind != Kind.OPTION]

    def option(self, name: str) -> Item | None:
        """The option called `name`; the first one counts."""
        return next((a for a in self.arguments if a.kind == Kind.OPTION and a.name.lower() == name.lower()), None)


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a script or of a macro, whatever their capitals, and what is evaluated, in order.

    `defines` a macro: calls of macros in it are not copied yet.
    """

    symbols: dict[str, Item] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    defines: bool = False

    def find(self, name: str) -> Item | None:
        """What `name` stands for. `L1.W` is the W of the macro call L1; where L1 is something else, it is L1 itself."""
        found = self.symbols.get(name.lower())
        if found is not None or "." not in name:
            return found
        first, _, rest = name.partition(".")
        found = self.symbols.get(first.lower())
        return found.body.find(rest) if found is not None and found.body is not None else found

    def names(self) -> list[str]:
        return [item.name for item in self.symbols.values()]


class Binder:
    """Binds scripts. `macros` are shared by all scripts of a command.

    Tolerant: a statement that is wrong is reported, and its name is bound to a failed item.
    """

    def __init__(self, environment: Environment, macros: Scope | None = None) -> None:
        self.environment = environment
        self.macros = macros or Scope()
        self.incomplete = False
        self._made = 0

    # --- findings ----------------------------------------------------------------------------------------------------

    def report(self, problem: BsError | Finding) -> None:
        """Raises an error, or takes it down once for each place; what is no error is only taken down."""
        error = problem if isinstance(problem, BsError) else BsError.of(problem)
        if error.finding.severity < Severity.ERROR:
            self.environment.note(error)
            return
        if self.environment.strict or error.finding.rule in ("nesting-limit", "cancelled"):
            raise error
        self.incomplete = True
        self.environment.note(error)

    def check_limits(self, span: Span) -> None:
        """Ends what grows without end: macros that call each other several times."""
        self._made += 1
        if self._made > self.environment.limits.nodes:
            raise BsError(
                "nesting-limit", f"macros are copied more than {self.environment.limits.nodes} times", span,
                help="macros that call macros multiply",
            )  # fmt: skip
        if self.environment.cancel is not None and self.environment.cancel.is_set():
            raise BsError("cancelled", "the evaluation was cancelled", span)

    # --- statements --------------------------------------------------------------------------------------------------

    def bind(self, script: tree.Script, scope: Scope) -> None:
        """Binds all statements of a script in `scope`."""
        for problem in script.problems:
            self.report(problem)
        for statement in script.statements:
            try:
                if isinstance(statement, tree.Macro):
                    self._define(statement, scope)
                else:
                    self.assign(statement, scope)
            except BsError as error:
                self.report(error)
                self._bind_failed(statement, scope)

    def _bind_failed(self, statement: tree.Statement, scope: Scope) -> None:
        name = statement.name.text
        target = self.macros if isinstance(statement, tree.Macro) else scope
        known = target.symbols.get(name.lower())
        if name and (known is None or known.kind in (Kind.LATER, Kind.PARAMETER)):
            target.symbols[name.lower()] = Item(Kind.FUNCTION, name, statement.text, scope, failed=True)

    def assign(self, statement: tree.Assignment, scope: Scope) -> None:
        """`name = value`. Another name for something renames it."""
        name, value = statement.name, statement.value
        if statement.broken:
            raise UnknownValue(statement.text.span())
        if name.text:
            self._check_free(name)
        if isinstance(value, tree.Call):
            item = self._call(value, scope)
            item.name = name.text or item.name
            self._add(scope, item.name, item, statement.text.span())
            scope.items.append(item)
            return
        item = self.argument(value, scope, in_macro=True)
        if item.kind in (Kind.FUNCTION, Kind.CALL) and item.value is None and not item.failed:
            raise BsError(
                "wrong-type", f"'{value.text.text}' is a function", value.span, help="call it with its arguments in ( )"
            )
        self._add(scope, name.text, item, name.span())
        item.name = name.text

    def _check_free(self, name: ExpandedText) -> None:
        function = schema.find(name.text)
        if function is not None:
            raise BsError(
                "duplicate-name", f"'{name.text}' is the name of a function, and capitals do not count", name.span(),
                help="use another name",
            )  # fmt: skip

    def _add(self, scope: Scope, name: str, item: Item, span: Span) -> None:
        known = scope.symbols.get(name.lower())
        if known is not None and known.kind not in (Kind.LATER, Kind.PARAMETER):
            raise BsError(
                "duplicate-name", f"'{name}' is defined already, as {known.text.text}", span,
                help="use another name; capitals do not count",
            )  # fmt: skip
        scope.symbols[name.lower()] = item

    def _define(self, statement: tree.Macro, scope: Scope) -> None:
        name = statement.name
        if not name.text or schema.find(name.text) or scope.find(name.text) or self.macros.find(name.text):
            raise BsError(
                "duplicate-name", f"'{name.text}' is defined already", name.span(),
                help="use another name; capitals do not count",
            )  # fmt: skip
        macro = Item(Kind.MACRO, name.text, statement.text, self.macros, parameters=statement.parameters)
        self.macros.symbols[name.text.lower()] = macro
        body = Scope(defines=True)
        for parameter in statement.parameters:
            self._check_free(parameter.text)
            self._add(body, parameter.id, Item(Kind.PARAMETER, parameter.id, parameter.text, body), parameter.span)
        self.bind(statement.body, body)
        macro.body = body

    # --- values ------------------------------------------------------------------------------------------------------

    def _unnamed(self) -> str:
        return f"unnamed{self.environment.counters.next_unnamed()}"

    def argument(self, value: tree.Value, scope: Scope, in_macro: bool = False) -> Item:
        """What a value stands for. A name that is not known yet is one that comes later; `in_macro`, a parameter."""
        match value:
            case tree.Call():
                return self._call(value, scope)
            case tree.Array(text, items):
                array = Item(Kind.ARRAY, self._unnamed(), text, scope, value=value)
                array.arguments = [self.argument(i, scope) for i in items]
                return array
            case tree.Option(_, name, text):
                return Item(Kind.OPTION, name.text, text, scope, value=value)
            case tree.Word() if value.is_number:
                return Item(Kind.CONSTANT, self._unnamed(), value.text, scope)
        assert isinstance(value, tree.Word)
        found = self._named(value.id, value.text, scope)
        if found is None:
            found = Item(Kind.PARAMETER if in_macro else Kind.LATER, value.id, value.text, scope)
            self._add(scope, value.id, found, value.span)
        return found

    def known(self, text: ExpandedText, scope: Scope) -> Item | None:
        """What the value of an option stands for, if that is a number or a known name."""
        if tree.is_number(text.text):
            return Item(Kind.CONSTANT, self._unnamed(), text, scope)
        if text.text[:1] in ("(", "{", "["):
            return self.argument(tree.parse_value(text, []), scope)
        return self._named(text.text, text, scope)

    def _named(self, name: str, text: ExpandedText, scope: Scope) -> Item | None:
        found = scope.find(name)
        if found is not None:
            return found
        macro = self.macros.find(name.partition(".")[0])
        if macro is not None:
            if "." in name:
                raise BsError(
                    "wrong-type", f"'{macro.name}' is a macro, '{name}' cannot be reached", text.span(),
                    help="give a call of it a name, and write that before the dot",
                )  # fmt: skip
            return self._instance(macro, text, scope)
        function = schema.find(name)
        return Item(Kind.FUNCTION, self._unnamed(), text, scope, function) if function is not None else None

    def _instance(self, macro: Item, text: ExpandedText, scope: Scope) -> Item:
        if macro.failed:
            raise UnknownValue(text.span())
        if macro.kind != Kind.MACRO:
            return macro
        if macro.body is None:
            raise BsError(
                "cyclic-definition", f"the macro '{macro.name}' calls itself", text.span(),
                help="a macro has no end then; NDL has no conditions",
            )  # fmt: skip
        call = Item(Kind.CALL, self._unnamed(), text, scope, macro=macro, parameters=macro.parameters)
        call.body = macro.body if scope.defines else self._copy(macro.body, text.span())
        return call

    def _copy(self, scope: Scope, span: Span) -> Scope:
        """The body of a macro for one call of it: its statements are read again."""
        copy = Scope()
        for item in scope.items:
            self.check_limits(span)
            twin = self._twin(item, copy, span)
            self._add(copy, twin.name, twin, item.span)
            if isinstance(item.value, tree.Call):
                twin.arguments = [self.argument(a, copy, in_macro=True) for a in item.value.arguments]
            copy.items.append(twin)
        for name, item in scope.symbols.items():
            if name not in copy.symbols:
                copy.symbols[name] = self._twin(item, copy, span)
        return copy

    def _twin(self, item: Item, scope: Scope, span: Span) -> Item:
        body = self._copy(item.body, span) if item.body is not None else None
        return Item(
            item.kind, item.name, item.text, scope, item.function, item.value, item.macro, item.parameters, body,
            failed=item.failed,
        )  # fmt: skip

    def _call(self, call: tree.Call, scope: Scope) -> Item:
        name = call.function
        item = self._named(name.text, call.text, scope)
        if item is None:
            candidates = [*schema.names(), *(m.name for m in self.macros.symbols.values())]
            meant = similar(name.text, candidates)
            fixes = [Fix(f"change to {meant}", (Edit(name.span(), meant),), safe=True)] if meant else []
            raise BsError(
                "unknown-identifier", f"there is no function or macro '{name.text}'", name.span(),
                help=f"did you mean '{meant}'?" if meant else "macros must be defined before they are used", fixes=fixes,
            )  # fmt: skip
        if item.failed:
            raise UnknownValue(name.span())
        if item.kind not in (Kind.FUNCTION, Kind.CALL) or item.value is not None:
            macro = self.macros.find(name.text)
            help = "only functions and macros can be called"
            if macro is not None:
                help = f"give '{item.name}' another name: capitals do not count, so it hides the macro '{macro.name}'"
            raise BsError("wrong-type", f"'{name.text}' is no function", name.span(), help=help)
        item.value = call
        item.arguments = [self.argument(a, scope) for a in call.arguments]
        return item
