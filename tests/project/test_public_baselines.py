"""The networks of CNTK's own end-to-end tests, where the environment variable BSLS_CNTK names a checkout of version 2.7."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from public_baselines import OLDER, comparisons


@pytest.mark.slow
@pytest.mark.skipif("BSLS_CNTK" not in os.environ, reason="BSLS_CNTK names no checkout of CNTK 2.7")
def test_nodes_are_those_of_the_logs() -> None:
    total = 0
    reasons: Counter[str] = Counter()
    for comparison in comparisons(Path(os.environ["BSLS_CNTK"])):
        total += comparison.total
        reasons.update(reason for _, reason in comparison.differences())
    for older in OLDER:
        del reasons[older]
    assert total > 10_000
    assert reasons.total() <= 0.02 * total, reasons
