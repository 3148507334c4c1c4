"""How the fields that `schema.ops` lists for an operation are stored in a v1 model file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bsls.modelfile.binary import BinaryReader, BinaryWriter
from bsls.schema.ops.base import Field

_SLICE_LIMIT = 16  # bytes of the shortest slice


def read_field(reader: BinaryReader, field: Field, version: int, element_size: int) -> dict[str, object]:
    """Reads one field from a file of `version`; returns the attributes that it holds.

    `element_size` is that of the node's precision. A field of type `matrix` is no attribute and not read here.
    """
    if field.type == "slices":
        return _read_slices(reader, version)
    start = reader.at
    value = _CODECS[field.type].read(reader, element_size)
    if field.names:
        if not 0 <= value < len(field.names):
            raise reader.error(f"has the unknown {field.attribute} {value} at byte {start}, in {reader.part}")
        value = field.names[value][0]
    return {field.attribute: value}


def write_field(writer: BinaryWriter, field: Field, attributes: Mapping[str, object], element_size: int) -> None:
    """Writes one field; a value that it cannot hold raises ValueError, TypeError, OverflowError or struct.error."""
    if field.type == "slices":
        _write_slices(writer, attributes)
        return
    value: Any = attributes.get(field.attribute)
    if value is None:
        value = field.default
    if field.names and isinstance(value, str):
        value = _number_of(value, field.names)
    _CODECS[field.type].write(writer, value, element_size)


def _number_of(value: str, names: Sequence[Sequence[str]]) -> int:
    for number, synonyms in enumerate(names):
        if value.lower() in (s.lower() for s in synonyms):
            return number
    raise ValueError(f"'{value}' is none of {', '.join(s[0] for s in names)}")


def _read_slices(reader: BinaryReader, version: int) -> dict[str, object]:
    count = reader.i32() if version >= 22 else 1
    if not 1 <= count <= reader.left // _SLICE_LIMIT:
        raise reader.error(f"has a count of {count} slices, in {reader.part}")
    slices: list[tuple[int, int, int, int]] = []
    for _ in range(count):
        begin, length = reader.i64(), reader.i64()
        axis = reader.i32() if version >= 3 else 1
        stride = reader.i32() if version >= 27 else 1
        slices.append((begin, begin + length, axis, stride))
    columns = [_single(values) for values in zip(*slices, strict=True)]
    return dict(zip(("beginIndex", "endIndex", "axis", "stride"), columns, strict=True))


def _write_slices(writer: BinaryWriter, attributes: Mapping[str, object]) -> None:
    begins = _sequence(attributes["beginIndex"])
    ends = _sequence(attributes["endIndex"])
    axes = _sequence(attributes.get("axis", 1))
    strides = _sequence(attributes.get("stride", (1,) * len(begins)))
    writer.i32(len(begins))
    for begin, end, axis, stride in zip(begins, ends, axes, strides, strict=True):
        writer.i64(begin)
        writer.i64(end - begin)
        writer.i32(axis)
        writer.i32(stride)


def _read_axis_names(reader: BinaryReader, _: int) -> str:
    count = reader.u32()
    if count > 1:
        raise reader.error(f"has {count} dynamic axes, in {reader.part}")
    return reader.text() if count else ""


def _write_axis_names(writer: BinaryWriter, name: str, _: int) -> None:
    writer.u32(1)
    writer.text(name)


def _read_i32_list(reader: BinaryReader, _: int) -> int | tuple[int, ...]:
    count = reader.i32()
    if not 0 <= count <= reader.left // 4:
        raise reader.error(f"has a count of {count}, in {reader.part}")
    return _single(tuple(reader.i32() for _ in range(count)))


def _write_i32_list(writer: BinaryWriter, values: Any, _: int) -> None:
    items = _sequence(values)
    writer.i32(len(items))
    for item in items:
        writer.i32(item)


def _write_booleans(writer: BinaryWriter, values: Any, _: int) -> None:
    items = _sequence(values)
    writer.u64(len(items))
    for item in items:
        writer.flag(item)


def _write_u64_list(writer: BinaryWriter, values: Any, _: int) -> None:
    items = _sequence(values)
    writer.u64(len(items))
    for item in items:
        writer.u64(item)


def _single(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(values) == 1 else values


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


class _Codec(NamedTuple):
    read: Callable[[BinaryReader, int], Any]
    write: Callable[[BinaryWriter, Any, int], None]


_CODECS: dict[str, _Codec] = {
    "bool": _Codec(lambda r, _: r.flag(), lambda w, v, _: w.flag(v)),
    "i32": _Codec(lambda r, _: r.i32(), lambda w, v, _: w.i32(int(v))),
    "u32": _Codec(lambda r, _: r.u32(), lambda w, v, _: w.u32(int(v))),
    "u64": _Codec(lambda r, _: r.u64(), lambda w, v, _: w.u64(int(v))),
    "i64": _Codec(lambda r, _: r.i64(), lambda w, v, _: w.i64(int(v))),
    "f32": _Codec(lambda r, _: r.f32(), lambda w, v, _: w.f32(v)),
    "f64": _Codec(lambda r, _: r.f64(), lambda w, v, _: w.f64(v)),
    "elem": _Codec(lambda r, size: r.element(size), lambda w, v, size: w.element(v, size)),
    "wstr": _Codec(lambda r, _: r.text(), lambda w, v, _: w.text(v)),
    "str8": _Codec(lambda r, _: r.text8(), lambda w, v, _: w.text8(v)),
    "shape": _Codec(lambda r, _: r.shape(), lambda w, v, _: w.shape(tuple(_sequence(v)))),
    "legacy_shape": _Codec(lambda r, _: r.shape(legacy=True), lambda w, v, _: w.shape(tuple(_sequence(v)))),
    "vec_bool": _Codec(lambda r, _: tuple(r.items(r.flag, 1)), _write_booleans),
    "vec_u64": _Codec(lambda r, _: tuple(r.items(r.u64, 8)), _write_u64_list),
    "u64_list": _Codec(lambda r, _: tuple(r.items(r.u64, 8)), _write_u64_list),
    "i32_list": _Codec(_read_i32_list, _write_i32_list),
    "axis_names": _Codec(_read_axis_names, _write_axis_names),
}
