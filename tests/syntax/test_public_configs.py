"""The configs that CNTK came with, where the environment variable BSLS_CNTK names a checkout of its version 2.7."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from public_configs import mistakes, runs, texts, what_is_lost

FOLDER = Path(os.environ.get("BSLS_CNTK", ""))
IMAGE = "BatchNorm_NDL_config.cntk"
"""A picture, in spite of its name."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("BSLS_CNTK" not in os.environ, reason="BSLS_CNTK names no checkout of CNTK 2.7"),
]


def test_nothing_is_lost() -> None:
    files = [p for p in texts(FOLDER) if p.name != IMAGE]
    assert len(files) > 200
    assert [p for p in files if what_is_lost(p)] == []


def test_what_the_end_to_end_tests_run_has_no_mistake() -> None:
    done, _ = runs(FOLDER)
    assert len(done) > 100
    assert [str(f) for arguments in done for f in mistakes(list(arguments))] == []
