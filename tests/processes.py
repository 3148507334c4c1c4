"""The command line in processes that start at once, as torch is loaded before they are forked, and that may be killed."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

_processes = multiprocessing.get_context("forkserver")
_CHANGES = ("os.rename", "os.remove", "os.mkdir")


@dataclass(frozen=True)
class Result:
    """What a process left: its exit code (negative: the signal that killed it) and what it printed."""

    code: int
    out: str
    err: str
    changes: int = 0
    """How often it changed something in the folder of the models, if that was counted."""

    @property
    def last(self) -> str:
        return self.err.rstrip("\n").rpartition("\n")[2]


def bsls(folder: Path, *arguments: str, **options: object) -> Result:
    """Runs `bsls` with these arguments in `folder`, to its end; see `started`."""
    return started(folder, *arguments, **options)()  # type: ignore[arg-type]


def started(
    folder: Path,
    *arguments: str,
    kill_at: int = 0,
    kill_after: float = 0.0,
    kill_when: str = "",
    kill_with: int = signal.SIGKILL,
    largest_file: int = 0,
) -> Callable[[], Result]:
    """Starts `bsls` in `folder`; call what is returned to wait for its end.

    The process kills itself before change number `kill_at` (from 1) of a file in `models`, or is killed by us after
    `kill_after` seconds, or when the file `kill_when` is there. `largest_file`: no file can become larger than so many bytes, as on a full disk.
    """
    _warm()
    spool = tempfile.mkdtemp(prefix="bsls-test-")
    process = _processes.Process(target=_work, args=(str(folder), arguments, spool, kill_at, largest_file))
    process.start()

    def end() -> Result:
        if kill_when:
            while process.is_alive() and not (folder / kill_when).exists():
                process.join(0.01)
        else:
            process.join(kill_after or None)
        if process.is_alive():
            assert process.pid is not None
            os.kill(process.pid, kill_with)
            process.join()
        out, err, count = (
            path.read_text(errors="replace") if (path := Path(spool, name)).exists() else ""
            for name in ("out", "err", "count")
        )
        shutil.rmtree(spool)
        assert process.exitcode is not None
        return Result(process.exitcode, out, err, int(count or 0))

    return end


@cache
def _warm() -> None:
    """Starts the process that all others are forked from."""
    _processes.set_forkserver_preload(["warm_up"])
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    with mock.patch.dict(os.environ, PYTHONPATH=path):
        forkserver.ensure_running()


def _work(folder: str, arguments: tuple[str, ...], spool: str, kill_at: int, largest_file: int) -> None:
    from bsls.cli.main import main

    if largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    os.chdir(folder)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(os.path.join(spool, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["bsls", *arguments]
    changes = 0

    def watch(event: str, details: tuple[object, ...]) -> None:
        nonlocal changes
        if event not in _CHANGES and not (event == "open" and isinstance(details[1], str) and "w" in details[1]):
            return
        if "models" not in str(details[0]):
            return
        changes += 1
        if changes == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    try:
        main()
    finally:
        sys.stdout.flush()
        Path(spool, "count").write_text(str(changes))
