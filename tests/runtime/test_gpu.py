"""What is computed on a GPU is what the CPU computes, up to rounding.

Each test runs on the CPU as well, so that it is known to be right, and on a pretended GPU, which notices tensors that are not
where they should be. On the real one it is left out where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from pretended_gpu import GPU, PretendedGPU, WrongDevice
from small_networks import NETWORKS, Ready
from test_training_runs import CONFIG, finished, folder, run

from bsls.modelfile.model import read
from bstorch.kernels.noise import Dropout
from bstorch.program.checkpointing import Segment
from bstorch.program.lstm_layer import FusedLSTM
from bstorch.program.stretch import Stretch

__all__ = ["folder"]

RELATIVE = 1e-4
"""Single precision, a few layers deep, in another order of additions."""
LENGTHS = [4, 2, 5, 1]
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no GPU here")
DEVICES = ["cpu", "pretended", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of the device; single precision is single precision there."""
    if request.param == "pretended":
        made = torch.Generator
        monkeypatch.setattr(torch, "Generator", lambda device="cpu": made("cpu"))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
        monkeypatch.setattr(Stretch, "run", PretendedGPU.on_the_way_back()(Stretch.run))
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    yield request.param
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def on(device: str) -> AbstractContextManager[object]:
    return PretendedGPU() if device == "pretended" else nullcontext()


def place(device: str) -> torch.device:
    return torch.device("cpu") if device == "cpu" else GPU


def steps(name: str, device: str, precision: str = "float", **settings: object) -> list[torch.Tensor]:
    """Values, gradients and statistics of two minibatches, one after the other."""
    lengths = [1] * 6 if name == "convolution" else LENGTHS
    with on(device):
        ready = Ready(name, precision, place(device), **settings)
        return [t for seed in (1, 2) for t in ready.step(ready.minibatch(lengths, seed))]


def close(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        scale = float(b.abs().max()) if b.numel() else 0.0
        torch.testing.assert_close(a.to(b.dtype), b, rtol=RELATIVE, atol=RELATIVE * scale + 1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_gradients(name: str, device: str) -> None:
    close(steps(name, device), steps(name, "cpu", "double"))


@pytest.mark.parametrize("name", ["mlp", "convolution", "gated", "dropout"])
def test_double_precision(name: str, device: str) -> None:
    for a, b in zip(steps(name, device, "double"), steps(name, "cpu", "double"), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", ["forwards", "backwards"])
def test_ragged_sequences_go_packed_through_the_fused_lstm(
    name: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    packed = FusedLSTM._packed
    monkeypatch.setattr(FusedLSTM, "_packed", lambda *values: calls.append(values) or packed(*values))
    steps(name, device)
    assert len(calls) == (0 if device == "cpu" else 2)


@pytest.mark.parametrize("name", ["convolution", "dropout", "attention"])
@pytest.mark.parametrize("fast_random", [False, True])
def test_activations_computed_again(name: str, device: str, fast_random: bool) -> None:
    with on(device):
        ready = Ready(name, "float", place(device), recompute=True)
        assert any(isinstance(f, Segment) for f, _, _ in ready.program._graded) or name == "dropout"
    close(
        steps(name, device, fast_random=fast_random, recompute=True),
        steps(name, device, fast_random=fast_random),
    )


def test_fast_random_numbers_repeat_themselves(device: str) -> None:
    first, again = (steps("dropout", device, fast_random=True) for _ in range(2))
    close(first, again)
    with on(device):
        ready = Ready("z = Dropout (x) ; ce = ReduceSum (z)", "float", place(device), fast_random=True)
        (dropout,) = (f for f in ready.program.compiled.values() if isinstance(f, Dropout))
        ones = torch.ones(100, 100, device=place(device))
        dropped = dropout(ones)
        assert dropped.device == ones.device
        assert set(dropped.cpu().unique().tolist()) == {0.0, float(np.float32(1 / 0.6))}
        assert 0.35 < float((dropped == 0).float().mean()) < 0.45


@pytest.mark.gpu
@NO_GPU
def test_compiled_steps() -> None:
    """The same on the CPU: `test_compiling.py`."""
    said: list[str] = []
    found = steps("mlp", "cuda", compile=True, say=said.append)
    if said and "Triton" in said[0]:
        pytest.skip("PyTorch finds no Triton here")
    assert said == []
    close(found, steps("mlp", "cpu", "double"))


def test_batch_normalization_blends_running_statistics_in(device: str) -> None:
    """The reference does so on a GPU alone."""
    found: list[torch.Tensor] = []
    for blend in (0.0, 50.0):
        with on(device):
            ready = Ready("convolution", "double", place(device))
            for node in ready.program.order:
                if node.op == "BatchNormalization":
                    node.attributes["blendTimeConstant"] = blend
            ready.step(ready.minibatch([1] * 6, 1))
            found.append(ready.step(ready.minibatch([1] * 6, 2))[1])
    same = torch.allclose(found[0], found[1])
    assert same == (device == "cpu")


@pytest.mark.parametrize("name", NETWORKS)
def test_deterministic_steps_are_equal_to_the_last_bit(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    try:
        first, again = steps(name, device), steps(name, device)
    finally:
        torch.use_deterministic_algorithms(False)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


# --- whole runs ------------------------------------------------------------------------------------------------------


def config(folder: Path, settings: str = "") -> None:
    """The small config, with the reference's random numbers on a GPU as well, and a validation."""
    text = CONFIG.replace("SETTINGS", f"randomNumbers = reference ; {settings}")
    begin, end = text.index("    reader ="), text.rindex("}")
    (folder / "c.cntk").write_text(text[:end] + text[begin:end].replace("reader", "cvReader", 1) + text[end:])


def trained(device: str, out: str, *arguments: str) -> str:
    with on(device):
        return run(f"deviceId={-1 if device == 'cpu' else 0}", f"out={out}", *arguments)


def weights(path: Path) -> dict[str, np.ndarray]:
    return {n.name: n.value.array() for n in read(str(path)) if n.value is not None}


def test_a_training(folder: Path, device: str) -> None:
    config(folder)
    expected, log = trained("cpu", "cpu"), trained(device, "there")
    assert f"Using {'CPU' if device == 'cpu' else 'GPU 0'}." in log
    assert len(finished(log)) == len(finished(expected)) > 0
    for ours, theirs in zip(finished(log), finished(expected), strict=True):
        numbers = [[float(w.rstrip("%;")) for w in line.split() if w[0].isdigit()] for line in (ours, theirs)]
        np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-3)
    before, after = weights(folder / "cpu/m"), weights(folder / "there/m")
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=1e-5)


def test_a_training_that_repeats_itself(folder: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    config(folder)
    for out in ("a", "b"):
        trained(device, out, "forceDeterministicAlgorithms=true")
    trained("cpu", "c", "epochs=0")  # takes it back
    assert (folder / "a/m").read_bytes() == (folder / "b/m").read_bytes()


# --- the pretended one -----------------------------------------------------------------------------------------------


def test_what_a_gpu_refuses() -> None:
    with PretendedGPU():
        here, there = torch.ones(3), torch.ones(3, device="cuda")
        assert (here.device.type, there.device, (there * 2).device) == ("cpu", GPU, GPU)
        assert (there.is_cuda, here.to("cuda").is_cuda, there.cpu().is_cuda) == (True, True, False)
        assert there[torch.tensor([0, 2])].device == GPU
        assert (there * torch.tensor(2.0)).device == GPU
        with pytest.raises(WrongDevice, match="operands on cpu, cuda"):
            here + there
        with pytest.raises(WrongDevice, match="index_select"):
            there.index_select(0, torch.tensor([1]))
        with pytest.raises(WrongDevice, match="numpy"):
            there.numpy()
        leaf = there.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((leaf * leaf).sum(), leaf)
        assert gradient.device == GPU
