"""A config with data that trains in no time, for tests that break it in one way or another."""

from __future__ import annotations

import random
from pathlib import Path

CONFIG = """\
command = Train:Test
modelPath = "models/m.dnn"
deviceId = -1
reader = {
    readerType = "CNTKTextFormatReader" ; file = "data.txt"
    input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } }
}
Train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {3}
        y = Input {2}
        z = LinearLayer {2} (x)
        ce = CrossEntropyWithSoftmax (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { epochSize = 0 ; minibatchSize = 10 ; maxEpochs = 3 ; learningRatesPerSample = 0.1 }
}
Test = { action = "test" }
Write = { action = "write" ; outputPath = "out/z" }
Dump = { action = "dumpNodes" ; outputFile = "out/dump.txt" }
"""


def data_lines() -> list[str]:
    """40 lines for the reader."""
    numbers = random.Random(1)
    rows = [[numbers.uniform(-1, 1) for _ in range(3)] for _ in range(40)]
    return [f"|x {a:.3f} {b:.3f} {c:.3f} |y {int(a > b)} {int(a <= b)}" for a, b, c in rows]


def make_project(folder: Path, config: str | bytes = CONFIG, data: str | bytes | None = None) -> Path:
    """Writes `c.cntk` and `data.txt`."""
    (folder / "c.cntk").write_bytes(config if isinstance(config, bytes) else config.encode())
    data = "\n".join(data_lines()) + "\n" if data is None else data
    (folder / "data.txt").write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def changed(*replacements: tuple[str, str]) -> str:
    """The config with each first text replaced by the second."""
    config = CONFIG
    for old, new in replacements:
        assert old in config, old
        config = config.replace(old, new)
    return config


def all_files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
