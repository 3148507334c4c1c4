"""`forceDeterministicAlgorithms`: real runs, and what torch is told."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from test_training_runs import folder, run

from bsls.project.project import Project
from bstorch import threads
from bstorch.determinism import LINE
from bstorch.main import Runtime

__all__ = ["folder"]


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small config, in a process that is left as it was."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    monkeypatch.setattr(threads, "_chosen", False)
    count = torch.get_num_threads()
    yield folder
    torch.set_num_threads(count)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False
    torch.utils.deterministic.fill_uninitialized_memory = True


def state() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def test_the_key_makes_torch_deterministic_and_uses_one_thread(small):
    log = run("forceDeterministicAlgorithms=true", "numCPUThreads=2")
    assert state() == (True, True, False)
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert torch.get_num_threads() == 1
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
    lines = log.splitlines()
    assert lines[lines.index('precision = "float"') + 1] == LINE
    run("numCPUThreads=2", "out=other")
    assert state() == (False, False, False)
    assert torch.get_num_threads() == 2


def test_what_the_environment_says_of_cublas_counts(small, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    run("forceDeterministicAlgorithms=true", "epochs=0")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_two_runs_are_equal_to_the_last_bit(small):
    for out in ("a", "b"):
        run("forceDeterministicAlgorithms=true", f"out={out}")
    assert (small / "a/m").read_bytes() == (small / "b/m").read_bytes()


def test_it_is_read_at_the_top_only(small):
    assert LINE not in run("train=[forceDeterministicAlgorithms=true]")
    assert not torch.are_deterministic_algorithms_enabled()
    assert LINE not in run("forceDeterministicAlgorithms=false", "out=other")


def test_resume_follows_it_too(small):
    run("epochs=1")
    Runtime(io.StringIO()).resume(
        Project(["configFile=c.cntk", "forceDeterministicAlgorithms=true"], foresee=False), max_epochs=2
    )
    assert torch.are_deterministic_algorithms_enabled()
