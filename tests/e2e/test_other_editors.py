"""Neovim and Emacs with the server, as docs/editors.md sets them up: diagnostics, and completion in unsaved text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "editors"
COMMANDS = {
    "neovim": ("nvim", "--headless", "-u", "NONE", "-n", "-i", "NONE", "-S", str(SCRIPTS / "neovim.lua")),
    "emacs": ("emacs", "--batch", "-l", str(SCRIPTS / "emacs.el")),
}


@pytest.mark.parametrize("editor", COMMANDS)
def test_diagnostics_and_completion(tmp_path: Path, editor: str) -> None:
    command = COMMANDS[editor]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{editor} is not installed")
    if (
        editor == "emacs"
        and subprocess.run(["emacs", "--batch", "--eval", "(require 'eglot)"], capture_output=True).returncode
    ):
        pytest.skip("Emacs has no eglot")
    for name in ("adapt.cntk", "autoencoder.cntk", "train.txt", "test.txt"):
        shutil.copy(ROOT / "examples" / "digits" / name, tmp_path)
    config = tmp_path / "adapt.cntk"
    config.write_text(config.read_text().replace("featNet.L3_y", "featNet.L3.y", 1))
    result = tmp_path / "result.json"
    environment = os.environ | {
        "BSLS_CONFIG": str(config),
        "BSLS_RESULT": str(result),
        "BSLS_COMMAND": json.dumps([sys.executable, "-m", "bsls", "lsp", "--stdio"]),
        "HOME": str(tmp_path),
    }
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert result.exists(), ran.stdout + ran.stderr
    found = json.loads(result.read_text())
    assert found["marked"] == "L3.y"
    assert "write L3_y" in found["message"]
    assert {"L3_y", "L1_W", "pixels"} <= set(found["labels"])
