"""How long a user waits for a check: the whole process, from the shell's point of view."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("config", ["digits/autoencoder.cntk", "digits/adapt.cntk"])
def bench_check(benchmark: Callable[..., object], config: str) -> None:
    command = [sys.executable, "-m", "bsls", "check", str(EXAMPLES / config)]
    benchmark(lambda: subprocess.run(command, capture_output=True, check=True))
