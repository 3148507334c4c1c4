"""The extension in a real VS Code; `make test-vscode` does the work and shows more."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test_the_extension_in_a_real_editor() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("needs Linux on x86-64")
    if not (os.environ.get("CHROMIUM") or any(map(shutil.which, BROWSERS))):
        pytest.skip("needs Chromium")
    if missing := [name for name in ("node", "npm", "make", "g++") if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)}")
    # The flags are those of a `make` that has started this.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    done = subprocess.run(
        ["make", "test-vscode"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
