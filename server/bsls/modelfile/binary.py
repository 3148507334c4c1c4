"""The primitive items of model files and checkpoints: numbers, texts, markers, shapes; little endian, not aligned.

Nothing in such a file says how long it is, so the reader trusts no length: each is checked against the file first.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, TypeVar

from bsls.finding import BsError
from bsls.shape import Dims

T = TypeVar("T")

_WINDOW = 1 << 16


class FileStamp(NamedTuple):
    """Tells whether a file is still the one that was read."""

    size: int
    modified: int  # nanoseconds
    inode: int

    @classmethod
    def of(cls, descriptor: int) -> FileStamp:
        status = os.fstat(descriptor)
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


class BinaryReader:
    """Reads items one after another. `at` is the offset of the next one, `part` what is being read, for messages.

    Everything that is wrong with the file is raised as one BsError of rule `model-file`.
    """

    def __init__(self, file: BinaryIO, path: str, kind: str, help: str) -> None:
        self.path = path
        self.kind = kind  # "CNTK model"
        self.stamp = FileStamp.of(file.fileno())
        self.at = 0
        self.part = "the header"
        self._file = file
        self._help = help
        self._window = b""
        self._window_at = 0

    @property
    def size(self) -> int:
        return self.stamp.size

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file."""
        return self.size - self.at

    def error(self, problem: str) -> BsError:
        """The error to raise for `problem`, part of a sentence that begins with "it"."""
        return BsError(
            "model-file", f"'{self.path}' is not a {self.kind}, or a damaged one: it {problem}", help=self._help
        )

    def ends(self) -> BsError:
        """The error for a file that goes no further."""
        if not self.size:
            return self.error("is empty")
        return self.error(f"ends in the middle of {self.part} at byte {self.size}")

    def peek(self, count: int) -> bytes:
        """The next bytes, up to `count` of them, without going on."""
        count = min(count, max(self.left, 0))
        start = self.at - self._window_at
        if start < 0 or start + count > len(self._window):
            self._file.seek(self.at)
            self._window = self._file.read(min(max(count, _WINDOW), self.left))
            self._window_at = self.at
            start = 0
        return self._window[start : start + count]

    def skip(self, count: int) -> None:
        """Goes over `count` bytes, which must be there."""
        if count > self.left:
            raise self.ends()
        self.at += count

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise self.ends()
        data = self.peek(count)
        if len(data) < count:  # cut off while we read it
            raise self.ends()
        self.at += count
        return data

    def _number(self, format: struct.Struct) -> int | float:
        return format.unpack(self.take(format.size))[0]

    def flag(self) -> bool:
        value = self.take(1)[0]
        if value > 1:
            raise self.error(f"has {value} where yes or no (1 or 0) is expected, in {self.part} at byte {self.at - 1}")
        return value == 1

    def i32(self) -> int:
        return int(self._number(_I32))

    def u32(self) -> int:
        return int(self._number(_U32))

    def i64(self) -> int:
        return int(self._number(_I64))

    def u64(self) -> int:
        return int(self._number(_U64))

    def f32(self) -> float:
        return self._number(_F32)

    def f64(self) -> float:
        return self._number(_F64)

    def element(self, size: int) -> float:
        """A number of the element type that has `size` bytes."""
        return self._number(_ELEMENTS[size])

    def count(self, bytes_each: int) -> int:
        """A u64 count of items of at least `bytes_each` bytes, which the rest of the file must be able to hold."""
        count = self.u64()
        if count * bytes_each > self.left:
            raise self.error(f"announces {count} items in {self.part}, but ends at byte {self.size}")
        return count

    def items(self, item: Callable[[], T], bytes_each: int) -> list[T]:
        """A u64 count and that many items."""
        return [item() for _ in range(self.count(bytes_each))]

    def text(self) -> str:
        """UTF-16 text up to a 0 unit."""
        return self._terminated(2, "utf-16-le")

    def text8(self) -> str:
        """Text of bytes up to a 0 byte."""
        return self._terminated(1, "latin-1")

    def _terminated(self, unit: int, encoding: str) -> str:
        size = 128
        while True:
            data = self.peek(size)
            end = data.find(bytes(unit))
            while end % unit:  # the 0 bytes belong to two characters
                end = data.find(bytes(unit), end + 1)
                if end < 0:
                    break
            if end >= 0:
                break
            if len(data) < size:
                raise self.ends()
            size *= 4
        try:
            text = data[:end].decode(encoding)
        except UnicodeDecodeError:
            raise self.error(f"has a name that is no text at byte {self.at}, in {self.part}") from None
        self.at += end + unit
        return text

    def next_is(self, marker: str) -> bool:
        """Goes over `marker` if it comes next. A file that ends within it is an error: none ends before the last mark."""
        expected = _marker(marker)
        found = self.peek(len(expected))
        if found != expected:
            if len(found) < len(expected) and expected.startswith(found):
                raise self.ends()
            return False
        self.at += len(expected)
        return True

    def marker(self, marker: str) -> None:
        """Goes over `marker`, which must come next."""
        if not self.next_is(marker):
            raise self.error(f"has something else than the mark '{marker}' at byte {self.at}, in {self.part}")

    def shape(self, legacy: bool = False) -> Dims:
        """Tensor dimensions, first one fastest.

        `legacy`: the form of old files is taken, too: three u64 (width, height, channels), which mean [C x W x H].
        It is recognised by a 0 where the first dimension would be.
        """
        rank = self.u32()
        if legacy and rank > 0 and self.peek(4) == bytes(4):
            self.skip(4)
            height, channels = self.u64(), self.u64()
            return channels, rank, height
        if rank * 4 > self.left:
            raise self.error(f"announces a shape of {rank} dimensions in {self.part}, but ends at byte {self.size}")
        return struct.unpack(f"<{rank}I", self.take(4 * rank))


class BinaryWriter:
    """Writes the items that `BinaryReader` reads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def raw(self, data: bytes | memoryview) -> None:
        self._file.write(data)

    def flag(self, value: bool) -> None:
        self.raw(b"\1" if value else b"\0")

    def i32(self, value: int) -> None:
        self.raw(_I32.pack(value))

    def u32(self, value: int) -> None:
        self.raw(_U32.pack(value))

    def i64(self, value: int) -> None:
        self.raw(_I64.pack(value))

    def u64(self, value: int) -> None:
        self.raw(_U64.pack(value))

    def f32(self, value: float) -> None:
        self.raw(_F32.pack(value))

    def f64(self, value: float) -> None:
        self.raw(_F64.pack(value))

    def element(self, value: float, size: int) -> None:
        self.raw(_ELEMENTS[size].pack(value))

    def text(self, value: str) -> None:
        self.raw(_marker(value))

    marker = text

    def text8(self, value: str) -> None:
        self.raw(value.encode("latin-1") + b"\0")

    def shape(self, dims: Dims) -> None:
        self.raw(struct.pack(f"<{len(dims) + 1}I", len(dims), *dims))


@contextlib.contextmanager
def reading(path: str, kind: str, help: str) -> Iterator[BinaryReader]:
    """Opens `path` as a file of `kind`; what the system refuses becomes a BsError of rule `model-file`."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise BsError("model-file", f"'{path}' is not a file", help=f"give the name of a {kind}")
        file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed below)
    except (OSError, ValueError) as error:  # ValueError: a name with a 0 character
        raise cannot_read(path, error) from error
    with file:
        try:
            yield BinaryReader(file, path, kind, help)  # type: ignore[arg-type]
        except OSError as error:
            raise cannot_read(path, error) from error


def cannot_read(path: str, error: Exception) -> BsError:
    reason = getattr(error, "strerror", None) or str(error)
    return BsError(
        "model-file", f"cannot read '{path}': {reason}", help="check the name and the permissions of the file"
    )


def _marker(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


_I32, _U32, _I64, _U64 = (struct.Struct("<" + c) for c in "iIqQ")
_F32, _F64 = struct.Struct("<f"), struct.Struct("<d")
_ELEMENTS = {2: struct.Struct("<e"), 4: _F32, 8: _F64}
