"""What one operation is: inputs, attributes, shape rule, fields in model files. The families next to this file list them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bsls.shape import Dims, DynamicAxis, Shape

AttributeType = Literal[
    "number", "integer", "boolean", "string", "shape", "integers", "numbers", "booleans", "axis", "node", "record"
]  # fmt: skip


class ShapeError(Exception):
    """Inputs or attributes that do not fit; `input` is the index of the operand to blame, if one is."""

    def __init__(self, message: str, input: int | None = None, help: str = "") -> None:
        super().__init__(message)
        self.input = input
        self.help = help


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named setting of an operation, as `new ComputationNode [...]` reads it and as `Node.attributes` holds it.

    `default` None means that it must be given. `key` is its name in the record if that is another one than here.
    """

    name: str
    type: AttributeType
    default: object = None
    doc: str = ""
    values: tuple[str, ...] = ()
    key: str = ""

    @property
    def required(self) -> bool:
        return self.default is None


FieldType = Literal[
    "bool", "i32", "u32", "u64", "i64", "f32", "f64", "elem", "wstr", "str8",
    "shape", "legacy_shape", "vec_bool", "vec_u64", "matrix", "axis_names", "i32_list", "u64_list", "slices",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One item of the operation's payload in a v1 model file: which attribute it holds, how, and since which version.

    `default` is what the attribute is in files that do not have it (nor another field for the attribute), and what is
    written where a node lacks it.
    `names` are the names (first the one to read, then synonyms; case does not matter) of the numbers from 0 of an
    enumeration. `when` looks at the attributes read so far and says whether the field is there.

    Types: `matrix` is `Node.value`, not an attribute. `i32_list` is an i32 count and the items; a list of one is held
    as the item itself. `axis_names` is a u32 count (0 or 1) and the name. `slices` is an i32 count (from version 22;
    else 1), then for each i64 begin, i64 end - begin, i32 axis (from 3; else 1), i32 stride (from 27; else 1), held as
    `beginIndex`, `endIndex`, `axis`, `stride`, each a number or, for several slices, a tuple of numbers.
    """

    attribute: str
    type: FieldType
    since: int = 1
    until: int = 10**6  # last version that has it
    default: object = None
    names: tuple[tuple[str, ...], ...] = ()
    when: Callable[[Mapping[str, object]], bool] | None = None

    def present(self, version: int, attributes: Mapping[str, object]) -> bool:
        """Whether a file of `version` has it, where `attributes` came before it."""
        return self.since <= version <= self.until and (self.when is None or self.when(attributes))


class ShapeContext(Protocol):
    """What a shape rule sees of its node."""

    inputs: list[Shape]  # dims unknown so far hold 0; an input not visited yet (in a loop) has rank 0 and no axis
    attributes: dict[str, object]
    final: bool  # the last pass: everything must fit now

    def is_parameter(self, index: int) -> bool:
        """Whether the input is a parameter whose dims may still be inferred."""
        ...

    def infer(self, index: int, dims: Dims) -> None:
        """Gives a parameter input (and `inputs[index]`) these dims, in which those known before have been kept."""
        ...

    def reshape(self, index: int, dims: Dims) -> None:
        """Replaces known dims of a parameter input (and `inputs[index]`) by others of the same number of elements."""
        ...

    def constant(self, index: int) -> float | None:
        """The value of an input that is a constant with one element; None if it is not."""
        ...

    def axis(self, name: str) -> DynamicAxis:
        """The default axis of the network for '', else that of the DynamicAxis node called `name`.

        Raises ShapeError if there is no such node.
        """
        ...

    def new_axis(self, name: str = "") -> DynamicAxis:
        """The dynamic axis that this node makes, the same one in every pass.

        It is called after the node if `name` is empty; a name in use gets a number.
        """
        ...

    def operand(self, index: int) -> str:
        """The name of the input's node, for messages."""
        ...

    def operation(self, index: int) -> str:
        """The operation of the input's node."""
        ...


ShapeRule = Callable[[ShapeContext], Shape]

Upgrade = Callable[[dict[str, object], int], None]
"""Turns the attributes read from a file of an older version (the number) into those of today, in place."""

Stored = Callable[[Mapping[str, object], Sequence[Shape], Shape], Mapping[str, object]]
"""From attributes, input shapes and the node's shape: the attributes that a file holds in another form."""


@dataclass(frozen=True, slots=True)
class Op:
    """One primitive operation.

    `inputs` names the operands; one that ends in `?` may be missing, `...` stands for any number of them.
    `reference_limits` says in a sentence what CNTK 2.7 cannot do with it on the CPU. Where `in_scripts` is false only models
    of the v2 library have it; no script can make it, and no v1 file holds it.
    """

    name: str
    inputs: tuple[str, ...]
    shape: ShapeRule
    doc: str
    attributes: tuple[Attribute, ...] = ()
    fields: tuple[Field, ...] = ()
    old_names: tuple[str, ...] = ()
    reference_limits: str = ""
    upgrade: Upgrade | None = None
    stored: Stored | None = None
    in_scripts: bool = True

    @property
    def arity(self) -> tuple[int, int | None]:
        """Least and greatest number of inputs (None: no limit)."""
        if "..." in self.inputs:
            return len(self.inputs) - 1, None
        return sum(not i.endswith("?") for i in self.inputs), len(self.inputs)
