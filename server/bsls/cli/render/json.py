"""Findings for programs; lines and characters count from 0, characters in code points."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bsls.finding import Finding, Severity
from bsls.source import Span


def place(span: Span) -> dict[str, object]:
    """A place in a file: `path` and `range`."""
    return {"path": span.source.path, "range": _range(span)}


def _range(span: Span | None) -> dict[str, dict[str, int]]:
    if span is None:
        return {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    start, end = span.start_position, span.end_position
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }


def as_json(findings: Sequence[Finding], files: int) -> str:
    """The agreed form, version 1."""
    from bsls.check.registry import find

    diagnostics: list[dict[str, object]] = []
    for f in findings:
        rule = find(f.rule)
        diagnostics.append({
            "path": f.span.source.path if f.span else "",
            "range": _range(f.span),
            "severity": f.severity.word,
            "code": rule.code if rule else "",
            "rule": f.rule,
            "message": f.message + (f" ({f.help})" if f.help else ""),
            "related": [{**place(r.span), "message": r.message} for r in f.related],
            "fixes": [
                {"title": x.title, "safe": x.safe,
                 "edits": [{**place(e.span), "newText": e.text} for e in x.edits]}
                for x in f.fixes
            ],
        })  # fmt: skip
    summary = {
        "files": files,
        "errors": sum(f.severity == Severity.ERROR for f in findings),
        "warnings": sum(f.severity == Severity.WARNING for f in findings),
    }
    return json.dumps({"version": 1, "diagnostics": diagnostics, "summary": summary}, indent=1)
