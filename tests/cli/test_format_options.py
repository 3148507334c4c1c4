"""`bsls format`: what it writes, what it shows, and its exit code."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

UGLY, TIDY = b"\xef\xbb\xbfa=1\r\nB = [\r\nc=2\r\n]", b"\xef\xbb\xbfa = 1\r\nB = [\r\n    c = 2\r\n]\r\n"


def bsls(folder: Path, *arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bsls", "format", *arguments], cwd=folder, input=given, capture_output=True
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "ugly.cntk").write_bytes(UGLY)
    (tmp_path / "sub" / "net.bs").write_bytes(b"x=1+y\n")
    (tmp_path / "tidy.ndl").write_bytes(b"x = Plus(a, b)\n")
    (tmp_path / "other.txt").write_bytes(b"x=1\n")
    return tmp_path


def test_files_and_folders(folder: Path) -> None:
    os.chmod(folder / "ugly.cntk", 0o640)
    code, out, err = bsls(folder, ".")
    assert (code, out.splitlines(), err) == (0, ["sub/net.bs: formatted", "ugly.cntk: formatted"], "")
    assert (folder / "ugly.cntk").read_bytes() == TIDY
    assert stat.S_IMODE(os.stat(folder / "ugly.cntk").st_mode) == 0o640
    assert (folder / "sub" / "net.bs").read_bytes() == b"x = 1 + y\n"
    assert (folder / "other.txt").read_bytes() == b"x=1\n"
    assert bsls(folder, ".") == (0, "", "")
    assert sorted(p.name for p in folder.iterdir()) == ["other.txt", "sub", "tidy.ndl", "ugly.cntk"]


def test_check_and_diff_change_nothing(folder: Path) -> None:
    assert bsls(folder, "--check", ".")[:2] == (1, "sub/net.bs: would be formatted\nugly.cntk: would be formatted\n")
    code, out, _ = bsls(folder, "--diff", "sub/net.bs")
    assert (code, out) == (1, "--- sub/net.bs\n+++ sub/net.bs\n@@ -1 +1 @@\n-x=1+y\n+x = 1 + y\n")
    assert (folder / "ugly.cntk").read_bytes() == UGLY
    assert bsls(folder, "--check", "tidy.ndl") == (0, "", "")


def test_standard_input(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bsls", "format", "--stdin-filename", "new.cntk"], input=UGLY, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, TIDY, b"")
    assert bsls(folder, "--stdin-filename", "a.cntk", "--check", given=b"a = 1\n") == (0, "", "")
    code, out, err = bsls(folder, "--stdin-filename", "a.cntk", given=b"A = [\n")
    assert (code, out) == (1, "") and "error: a.cntk:1:5: no closing ] found" in err


def test_what_cannot_be_formatted_keeps_nothing_else_from_it(folder: Path) -> None:
    (folder / "broken.cntk").write_text("A = [\nb=1\n")
    code, out, err = bsls(folder, "absent.cntk", "broken.cntk", "ugly.cntk")
    assert (code, out) == (1, "ugly.cntk: formatted\n")
    assert "error: absent.cntk:1:1: cannot read" in err and "error: broken.cntk:1:5: no closing ]" in err
    assert (folder / "broken.cntk").read_text() == "A = [\nb=1\n"


@pytest.mark.parametrize("arguments", [(), ("a.cntk", "--stdin-filename", "b.cntk"), ("sub/empty",)])
def test_wrong_usage(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "sub" / "empty").mkdir()
    assert bsls(folder, *arguments)[0] == 2
