"""What a command loads: nothing heavy before something needs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
command = Train:Test
modelPath = "m.dnn"
reader = {
    readerType = "CNTKTextFormatReader" ; file = "data.txt"
    input = { x = { dim = 3 ; format = "dense" } ; y = { dim = 2 ; format = "dense" } }
}
Train = {
    action = "train"
    BrainScriptNetworkBuilder = {
        x = Input {3} ; y = Input {2}
        z = LinearLayer {2} (x)
        ce = CrossEntropyWithSoftmax (y, z)
        featureNodes = (x) ; labelNodes = (y) ; criterionNodes = (ce) ; outputNodes = (z)
    }
    SGD = { epochSize = 0 ; minibatchSize = 10 ; maxEpochs = 1 ; learningRatesPerSample = 0.1 }
}
Test = { action = "test" }
"""

RUN = """
import json, sys
sys.argv = ["bsls", *json.loads(sys.argv[1])]
status = 0
try:
    from bsls.cli.main import main
    status = main()
except SystemExit as stop:
    status = stop.code
print(json.dumps({"status": status or 0, "modules": sorted(sys.modules)}), file=sys.stderr)
"""

TRAINING = {"torch", "bstorch", "matplotlib"}
ARRAYS = {"numpy"}
TERMINAL = {"rich", "typer"}
PROTOCOLS = {"pygls", "lsprotocol", "google.protobuf", "onnx", "safetensors"}


def loaded(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that are there after a command, which must end well."""
    (tmp_path / "config.cntk").write_text(CONFIG)
    command = [sys.executable, "-c", RUN, json.dumps(arguments)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    last = result.stderr.splitlines()[-1]
    assert last.startswith("{"), result.stdout + result.stderr
    report = json.loads(last)
    assert report["status"] == 0, result.stdout + result.stderr
    return set(report["modules"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("check", "config.cntk"),
        ("check", "--format", "json", "config.cntk"),
        ("graph", "config.cntk"),
        ("graph", "config.cntk", "--format", "json"),
        ("graph", "config.cntk", "--format", "table"),
        ("graph", "config.cntk", "--format", "svg"),
        ("rules",),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert not loaded(tmp_path, *arguments) & (TRAINING | ARRAYS | TERMINAL | PROTOCOLS)
