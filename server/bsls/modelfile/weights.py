"""Matrices in model files and checkpoints, and the weights of a parameter that stay in the file until asked for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from bsls.finding import BsError
from bsls.modelfile.binary import BinaryReader, BinaryWriter, FileStamp, cannot_read
from bsls.shape import Dims

if TYPE_CHECKING:
    import numpy as np

    from bsls.network.node import Weights

_DENSE, _SPARSE = b"d", b"s"
_MAX_DIM = 2**48  # more is damage, also where there are no elements
_COLUMN_MAJOR = 0  # the only format of a dense matrix that exists


class StoredMatrix(NamedTuple):
    """Where the elements of a dense matrix are in the file; column by column."""

    offset: int
    rows: int
    cols: int
    element_size: int


def read_matrix(reader: BinaryReader) -> StoredMatrix:
    """Goes over a matrix without reading its elements."""
    start = reader.at
    kind = reader.take(1)
    if kind == _SPARSE:
        raise BsError(
            "model-file",
            f"'{reader.path}' holds a sparse matrix, which cannot be read ({reader.part}, byte {start})",
            help="save the model with the CPU version of CNTK",
        )
    if kind != _DENSE:
        raise reader.error(f"has no matrix where one is expected, in {reader.part} at byte {start}")
    reader.marker("BMAT")
    size = reader.u64()
    reader.text()  # its name: always "unnamed"
    format = reader.i32()
    if size not in _TYPES or format != _COLUMN_MAJOR:
        raise reader.error(
            f"has a matrix of an unknown kind (elements of {size} bytes, format {format}) at byte {start}, in {reader.part}"
        )
    rows, cols = reader.u64(), reader.u64()
    if max(rows, cols) > _MAX_DIM:
        raise reader.error(f"has a matrix of {rows} x {cols} at byte {start}, in {reader.part}")
    offset = reader.at
    reader.skip(rows * cols * size)
    reader.marker("EMAT")
    return StoredMatrix(offset, rows, cols, size)


def write_matrix(writer: BinaryWriter, values: np.ndarray, rows: int, cols: int, element_size: int) -> None:
    """Writes `values` (column-major `rows` x `cols`: reversed shapes in numpy) with elements of `element_size` bytes."""
    import numpy as np

    writer.raw(_DENSE)
    writer.marker("BMAT")
    writer.u64(element_size)
    writer.text("unnamed")
    writer.i32(_COLUMN_MAJOR)
    writer.u64(rows)
    writer.u64(cols)
    if values.size:
        elements = np.ascontiguousarray(values, dtype=_TYPES[element_size])
        writer.raw(elements.reshape(-1).view(np.uint8).data)
    writer.marker("EMAT")


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """Weights that are in a file: an implementation of `network.node.Weights`.

    `dims` is the shape of the parameter, first dimension fastest, `offset` where its first element is. They are read when
    they are asked for, each time, and not mapped: a file that is cut off under a mapping ends the process.
    """

    path: str
    offset: int
    dims: Dims
    element_size: int
    stamp: FileStamp

    def array(self) -> np.ndarray:
        """Reads the values: float32 or float64 (half precision is widened), shape = `dims` reversed.

        Raises BsError if the file is gone or was changed since the network was read from it.
        """
        import numpy as np

        try:
            with open(self.path, "rb") as file:
                if FileStamp.of(file.fileno()) != self.stamp:
                    raise BsError(
                        "model-file", f"'{self.path}' was changed while it was in use", help="load the model again"
                    )
                file.seek(self.offset)
                values = np.fromfile(file, _TYPES[self.element_size], prod(self.dims))
        except OSError as error:
            raise cannot_read(self.path, error) from error
        wanted = np.float64 if self.element_size == 8 else np.float32
        return values.astype(wanted, copy=False).reshape(self.dims[::-1])


@dataclass(frozen=True, slots=True)
class ConstantWeights:
    """Weights that are all the same number; `element_size` as in the file."""

    dims: Dims
    value: float
    element_size: int = 4

    def array(self) -> np.ndarray:
        import numpy as np

        return np.full(self.dims[::-1], self.value, np.float64 if self.element_size == 8 else np.float32)


@dataclass(frozen=True, slots=True)
class ReshapedWeights:
    """The same values, in the same order, as those of another parameter, whose `dims` are others."""

    weights: Weights
    dims: Dims

    def array(self) -> np.ndarray:
        return self.weights.array().reshape(self.dims[::-1])


_TYPES = {2: "<f2", 4: "<f4", 8: "<f8"}
