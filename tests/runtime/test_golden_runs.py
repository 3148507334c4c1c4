"""The engine does what CNTK 2.7 did: the same figures, text files, models and networks, digit by digit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bsls.finding import BsError
from bsls.project.project import Project
from golden_cases import CASES, Case, all_cases, difference, figures, model_difference, networks


@pytest.mark.parametrize("name", all_cases())
def test_golden_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bstorch.main import Runtime

    case = Case(CASES / name)
    case.stage(tmp_path, models=False)
    monkeypatch.chdir(tmp_path)
    log = io.StringIO()
    failure: BsError | None = None
    for step, code in zip(case.steps, case.spec["exit_codes"], strict=True):
        try:
            Runtime(stderr=log).run(Project(step, foresee=False))
        except BsError as error:
            failure = error
        assert bool(code) == (failure is not None), failure
    if case.spec["expect"] == "error":
        assert failure is not None
        span = failure.finding.span
        assert span is not None
        assert span.start_position.line + 1 in [case.spec["config_line"], *case.spec.get("alt_lines", [])]
        return
    assert networks(log.getvalue()) == networks(case.log)
    ours, theirs = figures(log.getvalue()), figures(case.log)
    assert len(ours) == len(theirs)
    problems = [d for a, b in zip(ours, theirs, strict=True) if (d := difference(a, b, case.tolerance))]
    outputs = case.folder / "expected" / "outputs"
    for file in sorted(p for p in outputs.rglob("*") if p.is_file()):
        mine = tmp_path / file.relative_to(outputs)
        problems += [
            f"{file.name}: {d}"
            for d in [difference(mine.read_text().split(), file.read_text().split(), case.tolerance)]
            if d
        ]
    models = case.folder / "expected" / "models"
    for file in sorted(p for p in models.rglob("*") if p.is_file()):
        problems += [
            f"{file.name}: {d}"
            for d in [model_difference(tmp_path / file.relative_to(models), file, case.tolerance)]
            if d
        ]
    assert problems == []
