"""How long reading and writing of model files takes, beside the same bytes without any structure.

Run `python benchmarks/modelfile.py [MEGABYTES]`. The goals: reading with every value touched at most 1.5 times as long as
`numpy.fromfile` in pieces of the size of its matrices, writing at most 1.5 times as long as `tofile` with fsync, `bsls model show` of a model of 500 MB in 0.5 s,
with the file not in memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pairs import in_turns, show

from bsls.modelfile import v1
from bsls.network.network import Network
from bsls.network.node import ArrayWeights, Node

ROUNDS = 7
SIDE = 1024


def model(megabytes: int) -> Network:
    """Layers with square matrices of 4 MiB each."""
    network = Network()
    below = Node("InputValue", "x", attributes={"dims": (SIDE,), "dynamicAxis": ""})
    network.add(below)
    random = np.random.default_rng(1)
    for i in range(megabytes // 4):
        weights = Node("LearnableParameter", f"W{i}", attributes={"dims": (SIDE, SIDE), "learningRateMultiplier": 1.0})
        weights.value = ArrayWeights(random.standard_normal((SIDE, SIDE), np.float32))
        below = Node("Times", f"z{i}", [weights, below], attributes={"outputRank": 1, "inferInputRankToMap": -1})
        network.add(weights)
        network.add(below)
    network.tag(below, "output")
    return network


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        path, plain = Path(folder, "m.dnn"), Path(folder, "plain")
        network = model(megabytes)
        v1.write(network, path)
        whole = np.fromfile(path, np.uint8)

        def write_model() -> float:
            start = time.perf_counter()
            v1.write(network, path)
            return time.perf_counter() - start

        def write_plain() -> float:
            start = time.perf_counter()
            with open(plain, "wb") as file:
                whole.tofile(file)
                file.flush()
                os.fsync(file.fileno())
            return time.perf_counter() - start

        def read_model() -> float:
            start = time.perf_counter()
            for node in v1.read(path).parameters:
                assert node.value is not None
                node.value.array().max()
            return time.perf_counter() - start

        def read_plain() -> float:
            start = time.perf_counter()
            with open(path, "rb") as file:
                while (values := np.fromfile(file, np.float32, SIDE * SIDE)).size:
                    values.max()
            return time.perf_counter() - start

        def show_model() -> float:
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
            return command("model", "show", str(path))

        def show_help() -> float:
            return command("model", "show", "--help")

        size = path.stat().st_size / 1e6
        mine, other = in_turns(write_model, write_plain, ROUNDS)
        show(f"writing a model of {size:.0f} MB, with fsync", "model", mine, "tofile", other)
        mine, other = in_turns(read_model, read_plain, ROUNDS)
        show("reading it, every value touched", "model", mine, "numpy.fromfile", other)
        mine, other = in_turns(show_model, show_help, ROUNDS)
        show("bsls model show, file not in memory", "model show", mine, "model show --help", other)


def command(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bsls", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
