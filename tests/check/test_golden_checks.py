"""The checker on golden cases: nothing wrong with what CNTK 2.7 runs, and the right line and fix for what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bsls.check.run import check_config
from bsls.finding import Finding, Severity
from golden_cases import CASES, Case, all_cases


def errors(arguments: list[str]) -> list[Finding]:
    return [f for f in check_config(arguments)[0] if f.severity == Severity.ERROR]


def line(finding: Finding) -> int:
    assert finding.span is not None
    return finding.span.start_position.line + 1


@pytest.mark.parametrize("name", all_cases())
def test_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(CASES / name)
    case.stage(tmp_path, models=True)
    monkeypatch.chdir(tmp_path)
    *before, last = case.steps
    assert [str(f) for step in before for f in errors(step)] == []
    found = errors(last)
    if case.spec["expect"] == "ok":
        assert [str(f) for f in found] == []
        return
    assert [line(f) for f in found] == [case.spec["config_line"]]
    if fix := case.spec.get("fix"):
        assert fix in [e.text for f in found for x in f.fixes for e in x.edits]


def variants() -> list[tuple[Path, dict]]:
    return [
        (p.parent, v)
        for p in sorted(CASES.glob("reject/*/variants.json"))
        for v in json.loads(p.read_text())["variants"]
    ]


@pytest.mark.parametrize(("base", "variant"), variants(), ids=lambda x: x["file"] if isinstance(x, dict) else x.name)
def test_variant(base: Path, variant: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(base, tmp_path, ignore=shutil.ignore_patterns("variants*"), dirs_exist_ok=True)
    name = Path(variant["file"]).name
    shutil.copy(base / variant["file"], tmp_path / name)
    monkeypatch.chdir(tmp_path)
    found = errors([f"configFile={name}"])
    if variant["expect"] == "clean":
        assert [str(f) for f in found] == []
        return
    assert [line(f) for f in found] == [variant["line"]]
    if variant.get("fix"):
        assert variant["fix"] in [e.text for f in found for x in f.fixes for e in x.edits]
