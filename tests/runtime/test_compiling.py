"""`compile = true`: what is compiled, the same numbers, and what happens where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest
import torch
from small_networks import Ready
from test_training_runs import CONFIG, finished, folder, run

from bstorch.program.compiling import Compiling, Region

__all__ = ["folder"]

CHAIN = "z = LayerStack {3, _ => DenseLayer {4, activation = Sigmoid}} (x) ; ce = CrossEntropyWithSoftmax (label, z)"
MIXED = """
    h = RecurrentLSTMLayer {4} (Tanh (ParameterTensor {(4:3)} * x) .* 2)
    a = Clip (-0.5, 0.5, ParameterTensor {(4:4)} * h) + Sqrt (Abs (h)) ; z = Softmax (a) .* Log (Sigmoid (a))
    ce = CrossEntropyWithSoftmax (label, z)
"""


@pytest.fixture
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are made and differentiated as ever, but run by torch operation by operation."""
    torch.compiler.reset()
    monkeypatch.setattr("bstorch.program.program.Compiling", lambda say: Compiling(say, "aot_eager"))


def regions(ready: Ready) -> list[Region]:
    return [f for f, _, _ in ready.program._graded if isinstance(f, Region)]


@pytest.mark.parametrize(("text", "count"), [(CHAIN, 1), (MIXED, 2)])
def test_the_same_numbers(text: str, count: int, without_compiler: None) -> None:
    said: list[str] = []
    plain, made = Ready(text), Ready(text, compile=True, say=said.append)
    assert len(regions(made)) == made.program.regions == count
    for seed, lengths in enumerate([[4, 2, 5], [3], [1], [2, 2]]):
        minibatch = plain.minibatch(lengths, seed)
        for a, b in zip(plain.step(minibatch), made.step(minibatch), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    assert said == []


def test_what_is_left_out(without_compiler: None) -> None:
    text = "h = Dropout (Tanh (x)) ; z = Tanh (h) ; ce = ReduceSum (z)"
    assert Ready(text, compile=True).program.regions == 0
    assert Ready(CHAIN, compile=True, detect_anomaly=True).program.regions == 0
    assert Ready(CHAIN, compile=True, recompute=True).program.regions == 0


@pytest.mark.parametrize("where", ["forward", "gradient"])
def test_a_failure_is_said_once_and_it_goes_on(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def failing(*_: object) -> object:
        raise RuntimeError("out of order\nand more")

    plain, made = Ready(MIXED), Ready(MIXED, compile=True, say=said.append)
    for region in regions(made):
        if where == "forward":
            region._function = failing
        else:
            region._function = lambda *v, stretch=region._stretch: tuple(map(_Failing.apply, stretch(*v)))
    minibatch = plain.minibatch([4, 2, 5])
    for _ in range(2):
        for a, b in zip(plain.step(minibatch), made.step(minibatch), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert said == ["WARNING: compile = true has no effect: PyTorch cannot compile the network (out of order)."]


class _Failing(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: object, *gradients: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("out of order\nand more")


def test_what_is_no_fault_of_compiling_comes_again() -> None:
    made = Ready(CHAIN, compile=True)

    def failing(*_: object) -> object:
        raise RuntimeError("memory")

    (region,) = regions(made)
    region._function = failing
    region._stretch.steps[0] = (failing, *region._stretch.steps[0][1:])
    with pytest.raises(RuntimeError, match="memory"):
        made.step(made.minibatch([2]))


def test_no_compiler(folder: Path) -> None:
    plain = run("out=plain")
    (folder / "c.cntk").write_text(CONFIG.replace("SETTINGS", "compile = true"))
    environment = os.environ | {"CXX": "no-such-compiler", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
    command = [sys.executable, "-m", "bsls", "run", "configFile=c.cntk"]  # torch remembers that there is no compiler
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.count("WARNING: compile = true has no effect: PyTorch finds no C++ compiler.") == 1
    assert finished(done.stderr) == finished(plain)


def test_beside_other_settings(folder: Path) -> None:
    (folder / "c.cntk").write_text(CONFIG.replace("SETTINGS", "compile = true ; recomputeActivations = true"))
    assert "WARNING: compile = true has no effect together with recomputeActivations = true." in run()


@pytest.mark.slow
@pytest.mark.skipif(which("g++") is None, reason="there is no C++ compiler")
def test_a_run_that_compiles(folder: Path) -> None:
    plain = run("out=plain")
    (folder / "c.cntk").write_text(CONFIG.replace("SETTINGS", "compile = true"))
    torch.compiler.reset()
    log = run()
    assert "Parts of the network that are compiled in the first minibatch (compile = true): 1." in log
    assert "WARNING: compile" not in log
    assert finished(log) == finished(plain)
