"""Every operation, a line each in `operations.cases`: what it makes of operands, and what it refuses."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from op_cases import Context, context, run

from bsls.schema.ops import OPS, ShapeError

FOLDER = Path(__file__).parent
LINES = [
    line
    for line in (FOLDER / "operations.cases").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
NAMES = (FOLDER / "operations.txt").read_text(encoding="utf-8").split()
"""All primitive operations of CNTK 2.7."""

NEVER_REFUSE = {"LearnableParameter", "DynamicAxis"}
NEVER_KNOWN = {"CustomProxyOpNode", "UserDefinedV2Function"}
"""Operations whose shapes only other programs know."""

_LINE = re.compile(r"(?P<op>\w+)(?: \{(?P<attributes>.*?)\})?: (?P<operands>.*?) ?(?P<kind>->|!) (?P<result>.*)")
_CONSTANT = re.compile(r"W=(\d+)(?=\[)")
_MADE = re.compile(r"(\w{2,})(?=\[)")


def parsed(line: str) -> tuple[str, Context, str, str]:
    m = _LINE.fullmatch(line)
    assert m, line
    call = ast.parse(f"f({m['attributes'] or ''})", mode="eval").body
    assert isinstance(call, ast.Call)
    attributes = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    operands = m["operands"].split(", ") if m["operands"] else []
    constants = {f"c{i}": float(c[1]) for i, word in enumerate(operands) if (c := _CONSTANT.match(word))}
    made = {i: o[1] for i, word in enumerate(operands) if (o := _MADE.match(word))}
    shapes = ", ".join(_MADE.sub("", _CONSTANT.sub("W", word)) for word in operands)
    ctx = context(m["op"], shapes, attributes, **constants)
    ctx.operations = made
    return m["op"], ctx, m["kind"], m["result"]


@pytest.mark.parametrize("line", LINES)
def test_operation(line: str) -> None:
    op, ctx, kind, result = parsed(line)
    given = list(ctx.inputs)
    if kind == "!":
        with pytest.raises(ShapeError) as caught:
            run(ctx, op)
        assert result in f"{caught.value}; {caught.value.help}"
        return
    found = run(ctx, op)
    assert (found if ctx.inputs == given else f"{found} | {', '.join(map(str, ctx.inputs))}") == result


def test_none_is_missing() -> None:
    assert sorted(OPS) == NAMES
    made = {op for op, _, kind, _ in map(parsed, LINES) if kind == "->"}
    refused = {op for op, _, kind, _ in map(parsed, LINES) if kind == "!"}
    assert made == set(NAMES) - NEVER_KNOWN
    assert refused == set(NAMES) - NEVER_REFUSE
