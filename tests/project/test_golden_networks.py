"""Networks of golden cases, known without running anything and without models, equal those that CNTK 2.7 printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bsls.network.printing import evaluation_log
from bsls.project.project import Project
from golden_cases import CASES, Case, all_cases, networks

UNKNOWN = ("actions/svd",)
"""Cases with networks that depend on the values of a trained model."""
RIGHT = [name for name in all_cases() if Case(CASES / name).spec["expect"] == "ok" and name not in UNKNOWN]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("models", [False, True], ids=["nothing-trained", "models-there"])
def test_networks(name: str, models: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(CASES / name)
    case.stage(tmp_path, models)
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    for step in case.steps:
        project = Project(step)
        for command in project.commands():
            lines.append(f"# {command.name} command ({command.action} action)")
            if command.runs_script:
                assert project.network(command).complete
            elif command.kind.network in ("build", "either", "edit"):
                evaluation = project.network(command)
                assert evaluation.network is not None and evaluation.validation is not None
                loaded = [(m.network, m.validation) for m in evaluation.loaded]
                lines += evaluation_log([*loaded, (evaluation.network, evaluation.validation)])
    ours, theirs = networks("\n".join(lines)), networks(case.log)
    assert {c: ours[c] for c in theirs} == theirs
