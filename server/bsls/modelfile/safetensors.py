"""Values of parameters as safetensors files, which most tools of today read; done by the library `safetensors`.

A parameter of the shape [r x c] is a tensor of the shape (c, r): the first dimension is the fastest in CNTK, the last
one there. The bytes are the same.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bsls.finding import BsError
from bsls.modelfile.atomic import atomic_file
from bsls.modelfile.binary import cannot_read
from bsls.network.network import Network
from bsls.shape import Dims

if TYPE_CHECKING:
    import numpy as np

_TYPES = {"F16": "half", "F32": "float", "F64": "double"}
"""Precisions of tensors that parameters can have."""


@dataclass(frozen=True, slots=True)
class TensorWeights:
    """A tensor that is in a file: an implementation of `network.node.Weights`."""

    path: str
    name: str
    dims: Dims
    precision: str

    def array(self) -> np.ndarray:
        """float32 or float64 (half precision is widened), shape = `dims` reversed; raises BsError as `read` does."""
        import numpy as np

        with _opened(self.path) as file:
            values = file.get_tensor(self.name)
        return values.astype(np.float32) if self.precision == "half" else values


def write(network: Network, path: str | os.PathLike[str]) -> int:
    """Writes the values of all nodes that have some, by their names, whole or not at all; returns how many.

    Raises BsError (rule `file-write`) where the system refuses.
    """
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    numpy_types: dict[str, Any] = {"half": np.float16, "float": np.float32, "double": np.float64}
    tensors: dict[str, np.ndarray] = {}
    for node in network.by_name():
        if node.value is not None:
            type = numpy_types[node.precision.partition(",")[0]]
            tensors[node.name] = np.asarray(node.value.array(), dtype=type, order="C")
    with atomic_file(path) as file:
        try:
            save_file(tensors, file.name, metadata={"format": "np"})
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            raise OSError(int(number.group(1)) if number else 0, str(error)) from error
        os.chmod(file.name, os.fstat(file.fileno()).st_mode)  # that was another file, which only its owner may read
        with open(file.name, "rb+") as written:
            os.fsync(written.fileno())
    return len(tensors)


def read(path: str | os.PathLike[str]) -> dict[str, TensorWeights]:
    """The tensors of a file, by name, whose values are left in it.

    Raises BsError (rule `model-file`) for what is no such file, damaged, or has tensors of a type that no parameter has.
    """
    path = os.fspath(path)
    found: dict[str, TensorWeights] = {}
    with _opened(path) as file:
        for name in file.keys():  # noqa: SIM118 (no mapping)
            tensor = file.get_slice(name)
            type = tensor.get_dtype()
            if type not in _TYPES:
                raise BsError(
                    "model-file", f"'{path}' has the tensor '{name}' of the type {type}, which no parameter has",
                    help="save it as F32",
                )  # fmt: skip
            found[name] = TensorWeights(path, name, tuple(reversed(tensor.get_shape())), _TYPES[type])
    return found


def _opened(path: str) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(path, framework="numpy")
    except SafetensorError as error:
        raise BsError(
            "model-file", f"'{path}' is not a safetensors file, or a damaged one: {error}",
            help="check the name; if it is the right file, copy it again from where it came",
        ) from error  # fmt: skip
    except OSError as error:
        raise cannot_read(path, error) from error
