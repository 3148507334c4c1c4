"""What a run prints about recurrent networks, line by line as CNTK 2.7 did: roots, loops, passes of the validation.

`tests/golden/logs` holds configs and what it printed, but for the lines about initial values.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.network.printing import validation_log
from bsls.project.project import Project

LOGS = Path(__file__).parents[1] / "golden" / "logs"


@pytest.mark.parametrize("name", sorted(path.stem for path in LOGS.glob("*.log")))
def test_log_of_a_new_network(name: str) -> None:
    project = Project([f"configFile={LOGS / name}.cntk"])
    evaluation = project.network(project.commands()[0])
    assert evaluation.network is not None and evaluation.validation is not None
    lines = list(validation_log(evaluation.network, evaluation.validation))
    assert lines == ["", *(LOGS / f"{name}.log").read_text().splitlines()]
