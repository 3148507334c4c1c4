"""The networks whose speed is measured train."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bsls.project.project import Project
from bstorch.main import Runtime

WORKLOADS = Path(__file__).parents[2] / "benchmarks" / "workloads"
NAMES = sorted(path.stem for path in WORKLOADS.glob("*.cntk"))


def test_there_are_six() -> None:
    assert len(NAMES) == 6


@pytest.mark.parametrize("name", NAMES)
def test_trains(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, WORKLOADS / "data.py", ".", name, "--lines", "3"], check=True)
    log = io.StringIO()
    Runtime(log).run(Project([f"configFile={WORKLOADS / name}.cntk", "epochs=1"], foresee=False))
    assert re.search(r"Finished Epoch\[ 1 of 1\]: \[Training\] ce = [\d.]+ \* \d+", log.getvalue())
    assert Path("model", f"{name}.dnn").exists()
