"""Files of the v2 library, made of Python values."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bsls.modelfile.dictionary import DYNAMIC, SPLIT, Axis, message_class

SEQUENCE, BATCH = Axis(DYNAMIC, "defaultDynamicAxis", True), Axis(DYNAMIC, "defaultBatchAxis", False)


class Size(int):
    """A number of the type SizeT, which is another one than Int."""


@dataclass
class Array:
    """Values of a variable; shape: dims reversed."""

    values: np.ndarray
    split: bool = False  # they stand behind the message


def write(path: Path, values: Mapping[str, Any]) -> Path:
    """Writes a dictionary, in two parts if one of its arrays is to be split off."""
    message = message_class()()
    behind: list[bytes] = []
    _fill(message, values, behind)
    data = message.SerializeToString()
    header = SPLIT + struct.pack("<I", len(data)) if behind else b""
    path.write_bytes(header + data + b"".join(behind))
    return path


def _fill(message: Any, values: Mapping[str, Any], behind: list[bytes]) -> None:
    message.version = 2
    for key, value in values.items():
        entry = message.data.add(key=key)
        _set(entry.value, value, behind)


def _set(message: Any, value: Any, behind: list[bytes]) -> None:
    message.version = 2
    if isinstance(value, bool):
        message.type, message.bool = 1, value
    elif isinstance(value, Size):
        message.type, message.size_t = 3, value
    elif isinstance(value, int):
        message.type, message.int = 2, value
    elif isinstance(value, float):
        message.type, message.double = 5, value
    elif isinstance(value, str):
        message.type, message.string = 6, value
    elif isinstance(value, Axis):
        message.type = 8
        message.axis.index, message.axis.name, message.axis.ordered = value
    elif isinstance(value, tuple):
        message.type = 7
        message.shape.dims.extend(value)
    elif isinstance(value, list):
        message.type = 9
        for item in value:
            _set(message.vector.items.add(), item, behind)
    elif isinstance(value, Array):
        message.type = 11
        array = message.array
        double = value.values.dtype == np.float64
        array.data_type = 2 if double else 1
        array.shape.dims.extend(reversed(value.values.shape))
        data = value.values.tobytes()
        if value.split:
            behind.append(data)
        else:
            (array.double if double else array.float).data = data
    else:
        message.type = 10
        _fill(message.dictionary, value, behind)


def variable(kind: int, uid: str, dims: Sequence[int] = (), **more: Any) -> dict[str, Any]:
    """A variable as an element of `inputs`; parameters and constants get values 0, 1, 2 ..."""
    found: dict[str, Any] = {
        "type": "Variable", "uid": uid, "kind": Size(kind), "data_type": Size(1), "is_sparse": False,
        "dynamic_axis": [SEQUENCE, BATCH] if kind == 0 else [], "shape": tuple(dims),
    }  # fmt: skip
    if kind in (2, 3):
        count = int(np.prod(dims, dtype=int))
        found["value"] = Array(np.arange(count, dtype=np.float32).reshape(tuple(reversed(dims))))
    return found | more


def function(op: int, uid: str, *inputs: str, name: str = "", **attributes: Any) -> dict[str, Any]:
    return {
        "type": "PrimitiveFunction", "uid": uid, "op": Size(op), "inputs": list(inputs), "name": name,
        "attributes": attributes,
    }  # fmt: skip


def composite(inputs: list[dict[str, Any]], functions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "CompositeFunction", "uid": "", "version": Size(3), "root": functions[-1]["uid"], "inputs": inputs,
        "primitive_functions": functions,
    }  # fmt: skip
