"""Writing a file so that its name always holds a whole file: the old one or the new one."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from bsls.finding import BsError


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file to write to; it becomes `path` when the block ends, and nothing happens to `path` when it fails.

    The bytes go to `<path>.tmp`, are flushed to the disk, and the file is renamed; the folder is flushed last, so that
    the name survives a power cut as well. Folders above it are made. Raises BsError where the system refuses (no space,
    no permission).
    """
    target = Path(path)
    temporary = target.with_name(target.name + ".tmp")
    try:
        if target.exists() and not target.is_file():
            # a rename would replace /dev/null itself
            raise BsError(
                "file-write", f"cannot write '{target}': that is no ordinary file", help="give the name of a file"
            )
        new_folders = make_folder(target.parent)
        file = open(temporary, "wb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise _refused(target, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _refused(target, error) from error
        raise
    for folder in (target.parent, *new_folders):
        _flush_folder(folder)


def make_folder(folder: str | os.PathLike[str]) -> list[Path]:
    """Makes `folder` and those above it; returns the folders whose entries changed by that.

    Raises OSError, which says so where a file is in the place of a folder.
    """
    folder = missing = Path(folder)
    changed: list[Path] = []
    while not missing.exists():
        missing = missing.parent
        changed.append(missing)
    if not missing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"'{missing}' is not a folder")
    folder.mkdir(parents=True, exist_ok=True)
    return changed


def _flush_folder(folder: Path) -> None:
    # Some systems and file systems cannot do it. The file is whole and in place by now, so that is no failure.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _refused(target: Path, error: OSError) -> BsError:
    reason = error.strerror or str(error)
    help = (
        "make room on the disk"
        if error.errno in (errno.ENOSPC, errno.EDQUOT)
        else "check the folder and its permissions"
    )
    return BsError("file-write", f"cannot write '{target}': {reason}", help=f"{help}; nothing was changed")
