"""Nodes from calls of NDL functions: attributes from arguments and options, initial values of parameters."""

from __future__ import annotations

from collections.abc import Callable

from bsls.config.section import Value
from bsls.evaluate.environment import Environment
from bsls.evaluate.ndl_scope import Binder, Item, Kind
from bsls.evaluate.values import UnknownValue
from bsls.finding import BsError, Edit, Finding, Fix, Severity
from bsls.network.node import Node
from bsls.resolve.names import similar
from bsls.schema import ndl as schema
from bsls.schema.ops import get as get_op
from bsls.schema.ops.base import Attribute, ShapeError
from bsls.schema.ops.parameters import dims_for_matrix
from bsls.source import ExpandedText, Span
from bsls.syntax import ndl as tree

Values = dict[str, object]


class Maker:
    """Makes nodes without their inputs. `seed_offset` is added to all seeds."""

    def __init__(self, binder: Binder, environment: Environment, seed_offset: int = 0) -> None:
        self.binder = binder
        self.environment = environment
        self.seed_offset = seed_offset

    def form(self, item: Item) -> schema.Form | None:
        """How the function is called; None where all arguments are inputs. Raises for a wrong number of arguments."""
        assert item.function is not None
        arguments, forms = item.positional, item.function.forms
        if not forms:
            self._check_inputs(item)
            return None
        fitting = [f for f in forms if f.fits(len(arguments))]
        if len(fitting) > 1:  # two forms of Crop: offsets are numbers
            last = Kind.CONSTANT if arguments[-1].kind == Kind.CONSTANT else Kind.FUNCTION
            kinds = {Kind.CONSTANT: "integer", Kind.FUNCTION: "node"}
            fitting = [f for f in fitting if f.arguments[-1].kind == kinds[last]]
        if not fitting:
            counts = " or ".join(f"{len(f.arguments)}{' or more' if f.rest else ''}" for f in forms)
            usage = " or ".join(f"({', '.join(a.name for a in f.arguments)}{', ...' if f.rest else ''})" for f in forms)
            self._wrong_count(item, counts, min(len(f.arguments) for f in forms), f"write {item.called} {usage}")
        return fitting[0]

    def _check_inputs(self, item: Item) -> None:
        assert item.function is not None
        op = get_op(item.function.operation)
        assert op is not None
        if not op.in_scripts:
            raise BsError(
                "unknown-operation", f"attempted to instantiate undefined operation {op.name}", item.span,
                help="CNTK 2.7 has it in NDL by name only",
            )  # fmt: skip
        least, most = op.arity
        count = len(item.positional)
        if count < least or (most is not None and count > most):
            wanted = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
            self._wrong_count(
                item, wanted, least, f"write {item.called} ({', '.join(i.rstrip('?') for i in op.inputs)})"
            )

    def _wrong_count(self, item: Item, wanted: str, least: int, help: str) -> None:
        assert item.function is not None
        count = len(item.positional)
        raise BsError(
            "missing-argument" if count < least else "too-many-arguments",
            f"{item.called} expects {wanted} arguments, but {count} were given", item.span, help=help,
        )  # fmt: skip

    def make(self, item: Item, form: schema.Form | None, name: str, calls: tuple[Span, ...]) -> Node:
        """The node that a call makes, without inputs."""
        assert item.function is not None
        op = get_op(item.function.operation)
        assert op is not None
        values: Values = {}
        attributes: Values = {a.name: a.default for a in op.attributes if not a.required}
        if form is not None:
            for index, argument in enumerate(item.positional):
                place = form.argument(index)
                if place.kind != "node":
                    value = self._typed(place.kind, argument, place.name, item.site(argument))
                    if form.rest is not None and index >= len(form.arguments) - 1 and place.name == form.rest.name:
                        values.setdefault("rest", [])
                        values["rest"].append(value)  # type: ignore[attr-defined]
                    else:
                        values[place.name] = value
            for option in form.options:
                values[option.name] = self.option(item, option)
            attributes |= {key: value for key, value in values.items() if key in {a.name for a in op.attributes}}
        self._check_options(item, form)
        finish = _SPECIAL.get(item.function.name)
        if finish is not None:
            finish(values, attributes, item)
        node = Node(
            op.name, name, [], attributes, self.environment.precision, [], None, None, item.span, calls
        )  # fmt: skip
        precision = values.get("precision")
        if isinstance(precision, str) and precision:
            node.precision = precision
        return node

    def initialise(self, item: Item) -> None:
        """What the last pass settles: the initial values of a parameter."""
        assert item.function is not None and item.node is not None
        if item.function.name == "Constant" or item.function.operation != "LearnableParameter":
            return
        attributes = item.node.attributes
        options = {o.name: o for o in item.function.forms[0].options}
        given = {name: self.option(item, options[name]) for name in ("init", "initValueScale", "value")}
        init, seed = given["init"], self.option(item, options["randomSeed"])
        attributes |= given
        if init == "fromFile":
            path = self.option(item, options["initFromFilePath"])
            if not path:
                raise BsError(
                    "missing-argument", "init = fromFile needs initFromFilePath", item.span,
                    help='add initFromFilePath = "FILE"',
                )  # fmt: skip
            attributes["initFromFilePath"] = path
            self._infer_dims(item, attributes)
        elif init in ("uniform", "gaussian", "heNormal"):
            counted = isinstance(seed, int) and seed >= 0
            attributes["randomSeed"] = self.seed_offset + (
                seed if counted else self.environment.counters.next_ndl_seed()  # type: ignore[operator]
            )

    def _infer_dims(self, item: Item, attributes: dict[str, object]) -> None:
        """Dimensions that are 0, from the file with the initial values."""
        dims = attributes["dims"]
        try:
            size = self.environment.matrix_size(str(attributes["initFromFilePath"]))
            if size is not None and isinstance(dims, tuple):
                attributes["dims"] = dims_for_matrix(dims, *size)
        except ShapeError as error:
            raise BsError("shape", str(error), item.span, help=error.help) from error

    # --- arguments and options ---------------------------------------------------------------------------------------

    def scalar(self, item: Item, wanted: str, site: Span) -> Value:
        """The number that an item stands for, in the end; `site` is where it is used."""
        at, seen = item, {id(item)}
        while at.kind == Kind.PARAMETER:
            found = at.scope.find(at.text.text) or self.binder.macros.find(at.text.text)
            if found is None or id(found) in seen:
                raise self._undefined(at, site)
            seen.add(id(found))
            at = found
        if at.failed:
            raise UnknownValue(site)
        if at.kind == Kind.LATER:
            defined = at.scope.find(at.name)
            if defined is None or defined is at:
                raise self._undefined(at, site)
            raise BsError(
                "wrong-type", f"'{at.name}' is used before it gets its value", site,
                help="move its definition up: numbers must be defined before they are used",
            )  # fmt: skip
        if at.kind != Kind.CONSTANT:
            raise BsError(
                "wrong-type", f"'{wanted}' must be a number, '{site.text}' is none", site,
                help="numbers in NDL are written out or named, they cannot be computed",
            )  # fmt: skip
        return Value(wanted, at.text, site)

    def _undefined(self, item: Item, site: Span) -> BsError:
        meant = similar(item.name, [n for n in item.scope.names() if n != item.name])
        fixes = [Fix(f"change to {meant}", (Edit(site, meant),))] if meant else []
        help = "define it before it is used: numbers must be known then"
        if item.kind == Kind.PARAMETER:
            help = "a macro can use numbers that are passed to it, but none that are defined, in it or outside"
        return BsError(
            "unknown-identifier", f"unknown identifier '{item.name}'", site,
            help=f"did you mean '{meant}'?" if meant else help, fixes=fixes,
        )  # fmt: skip

    def _typed(self, kind: schema.Kind, item: Item, name: str, site: Span) -> object:
        if kind == "shape":
            if item.kind != Kind.ARRAY or item.value is None:
                return (_size(self.scalar(item, name, site)),)
            array = self.binder.argument(item.value, item.scope)  # read anew, now that names have their meaning
            return tuple(_size(self.scalar(e, name, array.site(e))) for e in array.arguments)
        if kind == "word":
            return _choice(Value(name, item.text, site), ("none", "max", "average"))
        value = self.scalar(item, name, site)
        return _size(value) if kind == "integer" else value.number()

    def option(self, item: Item, attribute: Attribute) -> object:
        """The value of an option of a call, or its default."""
        key = attribute.key or attribute.name
        found = item.option(key)
        if found is None:
            return attribute.default
        named = self.binder.known(found.text, found.scope)
        if attribute.type in ("shape", "booleans") and named is not None and named.kind == Kind.ARRAY:
            values = [self._plain(e, key) for e in named.arguments]
        else:
            values = [Value(key, found.text, found.span) if named is None else self.scalar(named, key, found.span)]
        match attribute.type:
            case "shape":
                return tuple(_size(v) for v in values)
            case "booleans":
                return tuple(v.boolean() for v in values)
            case "boolean":
                return values[0].boolean()
            case "integer":
                return values[0].integer()
            case "number":
                return values[0].number()
        return _choice(values[0], attribute.values) if attribute.values else values[0].text

    def _plain(self, item: Item, key: str) -> Value:
        """An element of a list: a number, or a word such as `true`."""
        if item.kind in (Kind.LATER, Kind.PARAMETER) and item.text.text.lower() in ("true", "false", "t", "f"):
            return Value(key, item.text, item.span)
        return self.scalar(item, key, item.span)

    def _check_options(self, item: Item, form: schema.Form | None) -> None:
        """Options that the function does not have are passed over in silence by the reference."""
        if self.environment.strict:
            return
        keys = [o.key or o.name for o in form.options] if form is not None else []
        known = [*keys, schema.TAG.name]
        for argument in item.arguments:
            if argument.kind == Kind.OPTION and argument.name.lower() not in (k.lower() for k in known):
                span = argument.value.name.span() if isinstance(argument.value, tree.Option) else argument.span
                meant = similar(argument.name, known)
                fixes = [Fix(f"change to {meant}", (Edit(span, meant),))] if meant else []
                self.environment.note(Finding(
                    "unknown-parameter", f"{item.called} has no option '{argument.name}'; it has no effect",
                    span, Severity.WARNING, help=f"did you mean '{meant}'?" if meant else "remove it", fixes=fixes,
                ))  # fmt: skip


def _size(value: Value) -> int:
    number = value.integer()
    if number < 0:
        raise value.error("this is no size", "sizes are whole numbers, 0 where one is to be inferred")
    return number


def _choice(value: Value, values: tuple[str, ...]) -> str:
    found = next((v for v in values if v.lower() == value.text.lower()), None)
    if found is not None:
        return found
    meant = similar(value.text, values)
    place = value.raw.strip('"').span()
    fixes = [Fix(f"change to {meant}", (Edit(place, meant),), safe=True)] if meant else []
    raise BsError(
        "wrong-value", f"{value.key} = '{value.text}' is not possible", value.span,
        help=f"did you mean '{meant}'?" if meant else "possible are " + ", ".join(values), fixes=fixes,
    )  # fmt: skip


def tag_of(text: ExpandedText) -> str | None:
    """The group that a `tag` names; None for one that means nothing any more."""
    tag = text.text.lower()
    if tag == "multiseq":
        return None
    if tag == "criteria" or tag.startswith("eval"):
        return "criterion" if tag == "criteria" else "evaluation"
    if tag in schema.GROUP_LISTS.values():
        return tag
    groups = list(dict.fromkeys(schema.GROUP_LISTS.values()))
    meant = similar(tag, groups)
    fixes = [Fix(f"change to {meant}", (Edit(text.span(), meant),), safe=True)] if meant else []
    raise BsError(
        "wrong-value", f"invalid group tag '{text.text}'", text.span(),
        help="must be one of " + ", ".join(f"'{g}'" for g in groups), fixes=fixes,
    )  # fmt: skip


# --- functions whose arguments are not just attributes ---------------------------------------------------------------


def _dims(values: Values) -> list[int]:
    first = [values[a] for a in ("dimension", "imageWidth", "imageHeight", "imageChannels") if a in values]
    return [*first, *values.get("rest", [])]  # type: ignore[list-item, misc]


def _as_image(dims: list[int], layout: object) -> list[int]:
    """The last three of the dims, width, height and channels, in the order of an image layout."""
    *others, width, height, channels = dims
    return [*others, channels, width, height] if layout == "HWC" else [*others, width, height, channels]


def _input(values: Values, attributes: Values, item: Item) -> None:
    attributes["dims"] = tuple(_dims(values))


def _image_input(values: Values, attributes: Values, item: Item) -> None:
    attributes["dims"] = tuple(_as_image(_dims(values)[:3], values["imageLayout"]))


def _parameter(values: Values, attributes: Values, item: Item) -> None:
    dims = _dims(values)
    if "imageLayout" in values:
        dims = _as_image(dims, values["imageLayout"])
    learned = values["needGradient"] and values["needsGradient"] and values["computeGradient"]
    attributes |= {"dims": tuple(dims), "init": "fixedValue", "initValueScale": 1.0, "value": 0.0, "randomSeed": -1}
    attributes["initFromFilePath"] = ""
    if not learned:
        attributes["learningRateMultiplier"] = 0.0
    attributes.pop("initValue", None)


def _constant(values: Values, attributes: Values, item: Item) -> None:
    attributes |= {"dims": (values["rows"], values["cols"]), "init": "fixedValue", "learningRateMultiplier": 0.0}
    attributes.pop("initValue", None)


def _row_slice(values: Values, attributes: Values, item: Item) -> None:
    start, count = values["start"], values["count"]
    attributes |= {"beginIndex": start, "endIndex": start + count, "axis": 1}  # type: ignore[operator]


def _delay(values: Values, attributes: Values, item: Item) -> None:
    attributes["shape"] = (values["rows"],)
    attributes["timeStep"] = values["timeStep"] if values["timeStep"] != 1 else values["delayTime"]


def _convolution(values: Values, attributes: Values, item: Item) -> None:
    if "kernelWidth" not in values:
        return
    attributes |= {
        "kernelShape": (values["kernelWidth"], values["kernelHeight"], 1),
        "mapCount": (1, 1, values["outputChannels"]),
        "strideShape": (values["horizontalSubsample"], values["verticalSubsample"], 1),
        "dimPadding": (values["zeroPadding"],), "convolution2D": True,
    }  # fmt: skip


def _normalization(values: Values, attributes: Values, item: Item) -> None:
    attributes["useCntkEngine"] = values["engine"] == "cntk"


def _transpose(values: Values, attributes: Values, item: Item) -> None:
    attributes |= {"axis1": 1, "axis2": 2}


def _forward_backward(values: Values, attributes: Values, item: Item) -> None:
    attributes["blankTokenId"] = 2**64 - 1  # the last class


def _cast(values: Values, attributes: Values, item: Item) -> None:
    if not values["precision"]:
        raise BsError(
            "missing-argument", "Cast needs a precision", item.span, help="add precision = float, double or float16"
        )


_SPECIAL: dict[str, Callable[[Values, Values, Item], None]] = {
    "InputValue": _input, "SparseInputValue": _input, "ImageInput": _image_input, "SparseImageInput": _image_input,
    "LearnableParameter": _parameter, "ImageParameter": _parameter, "Constant": _constant, "RowSlice": _row_slice,
    "PastValue": _delay, "FutureValue": _delay, "Convolution": _convolution, "BatchNormalization": _normalization,
    "Transpose": _transpose, "Cast": _cast, "ForwardBackward": _forward_backward,
}  # fmt: skip
