"""Deep recursion works; one without end is a finding, soon."""

from __future__ import annotations

import sys
import time
from threading import Event

import pytest
from networks import evaluate

from bsls.evaluate.brainscript import evaluate_network
from bsls.evaluate.environment import Environment, Limits
from bsls.finding import BsError
from bsls.source import ExpandedText, Source


@pytest.mark.parametrize("text", [
    "f (n) = if n == 0 then 0 else f (n - 1)\nz = f (2000)",
    "f (n) = if n == 0 then 0 else 1 + f (n - 1)\nz = f (2000)",
    "f (n, v) = if n == 0 then v else f (n - 1, v + 1)\nz = f (2000, 0)",
    "h[i:0..2000] = if i == 0 then 0 else h[i-1] + 1\nz = h[2000]",
    "r (n) = {next = if n == 0 then 0 else r (n - 1).next}\nz = r (2000).next",
    "z = " + "(" * 2000 + "1" + ")" * 2000,
    "z = " + " + ".join(["1"] * 5000),
    "z = " + "-" * 2000 + "1",
    "z = Length (Repeat (2000, 1))",
    "z = " + "if false then 0 else " * 2000 + "1",
])  # fmt: skip
def test_deep(text: str) -> None:
    limit = sys.getrecursionlimit()
    assert evaluate(text).names == {}
    assert sys.getrecursionlimit() == limit


def test_deep_networks() -> None:
    names = evaluate("x = Input (3)\nf (n, v) = if n == 0 then v else Sigmoid (f (n - 1, v))\nz = f (2000, x)").names
    assert len(names) == 2001
    assert "z" + "._" * 1999 in names


@pytest.mark.parametrize("text", [
    "f (n) = f (n + 1)\nz = f (0)",
    "f (n) = 1 + f (n)\nz = f (0)",
    "f (n) = f (n) .* 2\nz = f (0)",
    "f (n) = {a = f (n).a}\nz = f (0).a",
    "f (n) = f (f (n))\nz = f (0)",
    "f (x) = new ComputationNode [ operation = 'Sigmoid' ; inputs = f (x) ]\nz = f (1)",
    "z = Fac (1 / 0)",
    "z = Input (Repeat (1e9, 1))",
    "h[i:0..1000000000] = i",
    "h[i:0..1e300] = i",
    "h[i:0..1000] = array [0..1000] (j => j)\nz = array [0..1000] (i => Length (h[i]))\nw = Print (z)",
    "f (s, n) = if n == 0 then s else f (s + s, n - 1)\nz = f ('aaaa', 60)",
    "f (s, n) = if n == 0 then s else f (Replace (s, 'a', 'aaaa'), n - 1)\nz = f ('aaaa', 60)",
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_without_end(text: str, strict: bool) -> None:
    start = time.monotonic()
    limits = Limits(depth=4000, paths=10_000_000, elements=100_000)
    outcome = evaluate(text, strict=strict, limits=limits)
    assert [f.rule for f in outcome.findings] == ["nesting-limit"]
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(("text", "limits", "message"), [
    ("f (n) = if n == 0 then 1 else f (n - 1) + f (n - 1)\nz = f (40)", Limits(steps=100_000), "steps"),
    ("x = Input (1)\nf (n) = if n == 0 then x else f (n - 1) + f (n - 1)\nz = f (40)", Limits(nodes=1000), "nodes"),
])  # fmt: skip
def test_other_limits(text: str, limits: Limits, message: str) -> None:
    (finding,) = evaluate(text, limits=limits).findings
    assert message in finding.message
    assert finding.span is not None
    assert finding.span.text == "f (n - 1)"  # the call that comes again and again
    assert [r.span.text for r in finding.related] == ["f (40)"]  # the one that began it


def test_the_limits_themselves_end_quickly() -> None:
    start = time.monotonic()
    assert [f.rule for f in evaluate("f (n) = f (n + 1)\nz = f (0)").findings] == ["nesting-limit"]
    assert time.monotonic() - start < 20


def test_cancelled() -> None:
    event = Event()
    event.set()
    environment = Environment(strict=False, cancel=event)
    text = "{f (n) = if n == 0 then 1 else f (n - 1) + f (n - 1)\nz = f (40)}"
    evaluation = evaluate_network(ExpandedText.of(Source("net", text)), environment)
    assert [f.rule for f in evaluation.findings] == ["cancelled"]
    assert evaluation.network is None


def test_an_error_deep_down_comes_out() -> None:
    with pytest.raises(BsError, match="unknown identifier 'foo'"):
        evaluate_network(
            ExpandedText.of(Source("net", "{f (n) = if n == 0 then foo else f (n - 1)\nz = f (2000)}")), Environment()
        )
