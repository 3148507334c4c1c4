"""How long `bsls check` takes from the shell, cold, beside an interpreter that does nothing.

Goal: within 0.35 s of `python -c pass`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from pairs import in_turns, show

ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # compiled once, as for a user
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def process(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], capture_output=True, check=True, env=ENVIRONMENT)
    return time.perf_counter() - began


def main() -> None:
    for config in ("digits/autoencoder.cntk", "digits/adapt.cntk"):
        check, nothing = in_turns(
            lambda path=EXAMPLES / config: process("-m", "bsls", "check", str(path)), lambda: process("-c", "pass"), 11
        )
        show(f"bsls check examples/{config}", "bsls check", check, "python -c pass", nothing)


if __name__ == "__main__":
    main()
