"""Files that are changed by edits, in one step. Everything else stays: line ends, encoding, permissions, a link."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bsls.finding import Edit

WRITABLE = 0o222


def rewrite(path: str, edits: Sequence[Edit]) -> None:
    """Makes the edits in a file; raises BsError where that cannot be written."""
    from bsls.finding import BsError
    from bsls.modelfile.atomic import atomic_file

    path = os.path.realpath(path)
    mode = os.stat(path).st_mode
    if not mode & WRITABLE:
        raise BsError("file-write", f"'{path}' is read-only", help="make it writable, or look at --diff")
    with open(path, "rb") as old:
        data = with_edits(old.read(), edits)
    with atomic_file(path) as file:
        os.chmod(file.fileno(), mode)
        file.write(data)


def with_edits(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes of a text after edits, which count its line ends as one character each."""
    from bsls.check.fix import edited

    mark, text, encoding = decoded(data)
    return mark + edited(text, edits, windows="\r\n" in text).encode(encoding)


def decoded(data: bytes) -> tuple[bytes, str, str]:
    """The byte-order mark, the text, and its encoding."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        return mark, data[len(mark) :].decode(), "utf-8"
    except UnicodeDecodeError:
        return b"", data.decode("latin-1"), "latin-1"
