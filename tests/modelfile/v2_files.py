"""Files of the v2 library, made of Python values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bsls.modelfile.dictionary import MAX_MESSAGE, Array, Size, write_dictionary
from bsls.modelfile.v2_attributes import BATCH_AXIS, DEFAULT_AXIS
from bsls.network.node import ArrayWeights


def write(path: Path, values: dict[str, Any], limit: int = MAX_MESSAGE) -> Path:
    """Writes a dictionary, in two parts if it has `limit` bytes."""
    write_dictionary(path, values, limit)
    return path


def array(values: np.ndarray) -> Array:
    """Values of a variable; shape: dims reversed."""
    return Array(ArrayWeights(values), 2 if values.dtype == np.float64 else 1)


def variable(kind: int, uid: str, dims: Sequence[int] = (), **more: Any) -> dict[str, Any]:
    """A variable as an element of `inputs`; parameters and constants get values 0, 1, 2 ..."""
    found: dict[str, Any] = {
        "type": "Variable", "uid": uid, "kind": Size(kind), "data_type": Size(1), "is_sparse": False,
        "dynamic_axis": [DEFAULT_AXIS, BATCH_AXIS] if kind == 0 else [], "shape": tuple(dims),
    }  # fmt: skip
    if kind in (2, 3):
        count = int(np.prod(dims, dtype=int))
        found["value"] = array(np.arange(count, dtype=np.float32).reshape(tuple(reversed(dims))))
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
