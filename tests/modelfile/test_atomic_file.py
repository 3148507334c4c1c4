"""A name holds the old file or the new one, never a part."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.modelfile.atomic import atomic_file


def test_folders_are_made_and_nothing_is_left(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a" / "b" / "f") as file:
        file.write(b"new")
        assert not (tmp_path / "a" / "b" / "f").exists()
    assert (tmp_path / "a" / "b" / "f").read_bytes() == b"new"
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["f"]


@pytest.mark.parametrize("problem", [ValueError("no"), KeyboardInterrupt()])
def test_failure_inside_keeps_the_old_file(problem: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(type(problem)), atomic_file(path) as file:
        file.write(b"half")
        raise problem
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_full_disk_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(BsError, match=r"No space left on device.*make room") as caught, atomic_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.finding.rule == "file-write"
    assert path.read_bytes() == b"old"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "file" / "f", Path("/dev/null"), tmp_path / ("x" * 300)):
        with pytest.raises(BsError, match="cannot write"), atomic_file(path):
            pass
