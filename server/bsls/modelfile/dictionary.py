"""Dictionaries of the CNTK v2 library: what its models and checkpoints are, messages of Protocol Buffers.

The messages are described here as they stand in files. Values of arrays are taken as bytes: packed numbers are just
that. A file that would exceed 2 GiB has the arrays without values in its message, and the values behind it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from bsls.modelfile.atomic import atomic_file
from bsls.modelfile.binary import BinaryReader, reading
from bsls.modelfile.weights import StoredWeights
from bsls.shape import Dims

if TYPE_CHECKING:
    import numpy as np

    from bsls.network.node import Weights

SPLIT = b"ktnc"
"""The first bytes of a file in two parts; the length of the message follows as u32."""

INFERRED, FREE = 2**64 - 1, 2**64 - 3
"""Dimensions that are to be inferred, or differ from use to use."""

MAX_MESSAGE = 2**31 - 1
"""A file that would have as many bytes is split."""

HELP = "check the name; if it is the right file, copy it again from where it came"


class Axis(NamedTuple):
    """A static axis from 0, or one of the special numbers below; dynamic axes are known by their names."""

    number: int
    name: str
    ordered: bool  # a sequence axis, not the batch


class Size(int):
    """A number that is written as SizeT, which is another type than Int."""


class Single(float):
    """A number that is written as Float, which is another type than Double."""


class Array(NamedTuple):
    """Values that are written as an array of the element type of that number."""

    weights: Weights
    data_type: int


DYNAMIC, ALL_STATIC, ALL = 2**31 - 1, 2**31 - 2, 2**31 - 5
"""Values of `Axis.number` that are no static axis."""


class ElementType(NamedTuple):
    """How the elements of an array are held: precision of a node, field of the message, numpy type."""

    precision: str
    field: str
    numpy: str
    size: int


ELEMENT_TYPES = {
    1: ElementType("float", "float", "<f4", 4),
    2: ElementType("double", "double", "<f8", 8),
    4: ElementType("half", "float", "<f4", 4),
    5: ElementType("float", "int8", "i1", 1),
}
"""Types of elements by their numbers; half precision is stored as float."""


@dataclass(frozen=True, slots=True)
class HeldWeights:
    """Weights whose bytes are in memory: an implementation of `network.node.Weights`."""

    dims: Dims
    data: bytes
    type: ElementType

    def array(self) -> np.ndarray:
        """float32 or float64, shape = `dims` reversed."""
        import numpy as np

        values = np.frombuffer(self.data, self.type.numpy).reshape(self.dims[::-1])
        return values if self.type.size in (4, 8) else values.astype(np.float32)


def is_dictionary(start: bytes) -> bool:
    """Whether a file that begins so is a dictionary, as far as the first bytes tell."""
    return start.startswith((SPLIT, b"\x08\x01\x12", b"\x08\x02\x12")) or b"CompositeFunction" in start


def read_dictionary(path: str, kind: str) -> dict[str, Any]:
    """The dictionary in a file of `kind` (for messages), as Python values.

    Shapes are tuples, vectors lists, arrays `HeldWeights` or `StoredWeights`. Raises BsError (rule `model-file`) for
    what is no such file, or a damaged one.
    """
    with reading(path, kind, HELP) as reader:
        split = reader.peek(4) == SPLIT
        if split:
            reader.skip(4)
        length = reader.u32() if split else reader.left
        reader.part = "its message"
        message = _parsed(reader, reader.take(length))
        found = _Decoder(reader, split).dictionary(message)
        if reader.left:
            raise reader.error(f"has {reader.left} bytes more than its arrays need")
        return found


def _parsed(reader: BinaryReader, data: bytes) -> Any:
    from google.protobuf.message import DecodeError

    message = message_class()()
    try:
        message.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise reader.error("cannot be decoded") from error
    return message


class _Decoder:
    """From messages to Python values; where a file is split, values of arrays stand behind the message, in order."""

    def __init__(self, reader: BinaryReader, split: bool) -> None:
        self.reader = reader
        self.split = split

    def dictionary(self, message: Any) -> dict[str, Any]:
        return {entry.key: self.value(entry.value) for entry in message.data}

    def value(self, message: Any) -> Any:
        if not 0 < message.type <= len(_VALUES):
            return None
        field = _VALUES[message.type - 1]
        value = getattr(message, field)
        if field == "shape":
            return tuple(value.dims)
        if field == "axis":
            return Axis(value.index, value.name, value.ordered)
        if field == "vector":
            return [self.value(item) for item in value.items]
        if field == "dictionary":
            return self.dictionary(value)
        return self.array(value) if field == "array" else value

    def array(self, message: Any) -> HeldWeights | StoredWeights:
        dims = tuple(message.shape.dims)
        type = ELEMENT_TYPES.get(message.data_type)
        if type is None or message.storage != 0:
            raise self.reader.error(f"has an array of an unknown kind ({message.data_type}, {message.storage})")
        data: bytes = getattr(message, type.field).data
        if len(data) == prod(dims) * type.size:
            return HeldWeights(dims, data, type)
        reader = self.reader
        if self.split and not data and type.size > 1:
            offset = reader.at
            reader.skip(prod(dims) * type.size)
            return StoredWeights(reader.path, offset, dims, type.size, reader.stamp)
        raise reader.error(f"has {len(data)} bytes of values for an array of {prod(dims)} elements")


def write_dictionary(path: str | os.PathLike[str], values: Mapping[str, Any], limit: int = MAX_MESSAGE) -> None:
    """Writes a dictionary file, whole or not at all: the inverse of `read_dictionary`, with arrays as `Array`.

    Where it would have `limit` bytes or more, the values of arrays stand behind the message. Raises BsError (rule
    `file-write`) where the system refuses; a file that was there is then unchanged.
    """
    message = message_class()()
    arrays: list[tuple[Any, Array]] = []
    _fill(message, values, arrays)
    size = message.ByteSize() + sum(prod(a.weights.dims) * ELEMENT_TYPES[a.data_type].size for _, a in arrays)
    with atomic_file(path) as file:
        if size >= limit:
            data = message.SerializeToString()
            file.write(SPLIT + struct.pack("<I", len(data)) + data)
            for _, array in arrays:
                file.write(_elements(array))
        else:
            for target, array in arrays:
                getattr(target, ELEMENT_TYPES[array.data_type].field).data = bytes(_elements(array))
            file.write(message.SerializeToString())


def _elements(array: Array) -> memoryview:
    import numpy as np

    values = np.ascontiguousarray(array.weights.array(), ELEMENT_TYPES[array.data_type].numpy)
    return values.reshape(-1).view(np.uint8).data


def _fill(message: Any, values: Mapping[str, Any], arrays: list[tuple[Any, Array]]) -> None:
    message.version = _VERSION
    for key, value in values.items():
        _set(message.data.add(key=key).value, value, arrays)


def _set(message: Any, value: Any, arrays: list[tuple[Any, Array]]) -> None:
    """Fills in a value and its type; `arrays` takes down the arrays, whose elements are still missing."""
    message.version = _VERSION
    field = next(field for type, field in _FIELDS.items() if isinstance(value, type))
    message.type = _VALUES.index(field) + 1
    if isinstance(value, Axis):
        message.axis.index, message.axis.name, message.axis.ordered = value
    elif isinstance(value, Array):
        message.array.data_type = value.data_type
        message.array.shape.dims.extend(value.weights.dims)
        arrays.append((message.array, value))
    elif isinstance(value, tuple):
        message.shape.SetInParent()
        message.shape.dims.extend(value)
    elif isinstance(value, list):
        message.vector.SetInParent()
        for item in value:
            _set(message.vector.items.add(), item, arrays)
    elif isinstance(value, dict):
        _fill(message.dictionary, value, arrays)
    else:
        setattr(message, field, value)


_VERSION = 2
"""Of dictionaries and values: what CNTK 2.7 writes."""

_VALUES = (
    "bool", "int", "size_t", "float", "double", "string", "shape", "axis", "vector", "dictionary", "array"
)  # fmt: skip
"""Fields of a value by its type, from 1."""

_FIELDS: dict[type, str] = {
    bool: "bool", Size: "size_t", int: "int", Single: "float", float: "double", str: "string", Axis: "axis",
    Array: "array", tuple: "shape", list: "vector", dict: "dictionary",
}  # fmt: skip
"""Fields of a value by what holds it here; the first that fits counts."""


@cache
def message_class() -> Any:
    """The message of a whole file."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "bool": kinds.TYPE_BOOL, "i32": kinds.TYPE_INT32, "u64": kinds.TYPE_UINT64, "f32": kinds.TYPE_FLOAT,
        "f64": kinds.TYPE_DOUBLE, "text": kinds.TYPE_STRING, "bytes": kinds.TYPE_BYTES,
    }  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="dictionary.proto", package="cntk", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for words in fields.split(", "):
            field_name, number, kind = words.split()
            repeated = kind.endswith("*")
            kind = kind.rstrip("*")
            field = message.field.add(name=field_name, number=int(number))
            field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            field.type = scalars.get(kind, kinds.TYPE_MESSAGE)
            if kind not in scalars:
                field.type_name = f".cntk.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("cntk.Dictionary"))


_MESSAGES = {
    "Shape": "dims 1 u64*",
    "Axis": "index 1 i32, name 2 text, ordered 3 bool",
    "Values": "data 1 bytes",
    "Array": "data_type 1 i32, storage 2 i32, shape 3 Shape, float 4 Values, double 5 Values, int8 6 Values",
    "Vector": "items 1 Value*",
    "Value": "version 1 u64, type 2 i32, bool 3 bool, int 4 i32, size_t 5 u64, float 6 f32, double 7 f64, string 8 text, "
    "shape 9 Shape, axis 10 Axis, vector 11 Vector, dictionary 12 Dictionary, array 13 Array",
    "Entry": "key 1 text, value 2 Value",
    "Dictionary": "version 1 u64, data 2 Entry*",
}
"""Names, numbers and types of the fields of each message; `*` where there may be several."""
