"""Tolerant evaluation: one mistake is one finding, and what does not depend on it comes out."""

from __future__ import annotations

import pytest
from networks import evaluate

HEAD = "x = Input (3)\ny = Input (3)\n"
MODEL = {"m.dnn": evaluate("features = Input (3)\nz = LinearLayer {2} (features)\noutputNodes = (z)").network}


def check(text: str, *said: str, known: str = "x y") -> None:
    outcome = evaluate(HEAD + text, strict=False, models=MODEL)
    assert outcome.said == list(said)
    assert " ".join(sorted(outcome.known)) == known
    assert not outcome.complete


@pytest.mark.parametrize("text", [
    "z = Sigmoid (foo)",
    "z = foo + x\nw = z * 2\nq = Sigmoid (w) + z\noutputNodes = (q : z)\ncriterionNodes = (w)",
    "m = foo\nz = m.a.b[3].c (x) {o = 1}",
    "m = foo\nz = if m then x else y",
    "m = foo\nz = -m + !m\nw = m : 1\nv = Sigmoid (w[0])",
    "r = {a = foo ; b = a ; c = b + 1}\nz = Sigmoid (r.b) + r.c",
    "n = foo\nz = Input (n)\nw = ParameterTensor {(n : 0)} * x\nv = DenseLayer {n} (x)",
    "n = foo\nh[i:0..n] = x\nz = h[0]",
    "n = foo\nh[i:n..3] = x\nz = h[n]",
    "n = foo\nz = (x : y)[n]",
    "f = foo\nh = array [0..2] (f)\nz = h[0] + h[1]",
    "n = foo\nz = (1:2) << n",
    "n = foo\nz = Fail (n)",
    "n = foo\nz = Fail (1 : (n : 2))",
    "n = foo\nz = Print (n)",
    "n = foo\nz = Length (n) + Mod (n, 2) + Fac (n)",
    "n = foo\nz = Format (n, '.2') + Replace ('a', n, 'b') + Substr ('a', n, 1) + Chr (n)",
    "n = foo\nz = new ComputationNode n",
    "n = foo\nz = new ComputationNode { operation = n }",
    "n = foo\nz = Plus (x, y, tag = n)",
    "n = foo\nz = ParameterTensor {3, init = n, initValue = n, randomSeed = n}",
    "n = foo\nz = Dropout (n)\nw = ReduceSum (x, axis = n)\nv = Splice (x : n)\nu = Softmax (x, axis = n)",
    "f = foo >> Sigmoid\nz = f (x)",
    "f = foo\nz = Sequential (Sigmoid : f : Tanh) (x)",
    "net = BS.Network.Load (foo)\nz = Sigmoid (net.z)",
    "net = BS.Network.Load ('m.dnn')\nf = BS.Network.CloneFunction (net.features, foo)\nz = f (x)",
    "net = BS.Network.Load ('m.dnn')\nf = BS.Network.CloneFunction (foo, net.z)\nz = f (x)",
    "net = BS.Network.Load ('m.dnn')\nf = BS.Network.CloneFunction (net.features, [a = net.z ; b = foo])\nz = f (x).a",
    "net = BS.Network.Load ('m.dnn')\nf = BS.Network.CloneFunction (net.features, net.z, parameters = foo)\nz = f (x)",
    "net = BS.Network.Load ('m.dnn')\nf = BS.Network.CloneFunction (net.features, net.z)\nz = f (foo)",
    "outputNodes = (foo : foo)".replace("foo : foo", "x : foo"),
    "f (a) = foo + a\nz = f (x)\nw = f (y)",
])  # fmt: skip
def test_one_unknown_name_is_one_finding(text: str) -> None:
    outcome = evaluate(HEAD + text, strict=False, models=MODEL)
    assert outcome.said == ["unknown-identifier: foo"]
    assert {"x", "y"} <= outcome.known
    assert not outcome.complete


@pytest.mark.parametrize(("text", "said", "known"), [
    ("z = Sigmoid (x)\nw = Tanh (foo)", ["unknown-identifier: foo"], "x y z"),
    ("z = Plus (x)\nw = Tanh (x)\nv = z + w", ["missing-argument: Plus (x)"], "w x y"),
    ("z = foo\nw = bar", ["unknown-identifier: bar", "unknown-identifier: foo"], "x y"),
    ("z = Plus (foo, bar)", ["unknown-identifier: foo", "unknown-identifier: bar"], "x y"),
    ("z = {a = Sigmoid (x\n}\nw = Tanh (x)", ["syntax: }"], "w x y"),
    ("z = 1 +\nw = Tanh (x)\nv = z * 3", ["syntax: +"], "w x y"),
    ("f (a) = {b = 1 ; b = 2}\nw = Tanh (x)", ["syntax: b"], "w x y"),
    ("a = 1;; w = Tanh (x)", ["syntax: ;"], "w x y"),
    ("z = z + 1\nw = Tanh (x)", ["cyclic-definition: z"], "w x y"),
    ("a = b\nb = c\nc = a\nz = Sigmoid (a) + c", ["cyclic-definition: a"], "x y"),
    ("r = {a = b ; b = a}\nz = r.a\nw = r.b", ["cyclic-definition: b"], "x y"),
    ("h[i:0..1] = h[1-i]\nz = h[0]", ["cyclic-definition: h[i:0..1] = h[1-i]"], "x y"),
])  # fmt: skip
def test_the_rest_comes_out(text: str, said: list[str], known: str) -> None:
    check(text, *said, known=known)


def test_a_model_of_which_nothing_is_known_is_no_finding() -> None:
    check(
        "net = BS.Network.Load ('other.dnn')\nf = BS.Network.CloneFunction (net.a, net.b)\nz = f (x) + net.c.d\nw = Tanh (x)",
        known="w x y",
    )


@pytest.mark.parametrize("text", ["", "z = Sigmoid (x)", "f (a) = foo", "r = {a = foo}", "a = (foo : 1)"])
def test_complete(text: str) -> None:
    """Nothing is missing where a mistake is never reached."""
    outcome = evaluate(HEAD + text, strict=False)
    assert (outcome.said, outcome.complete) == ([], True)


@pytest.mark.parametrize(("text", "said"), [
    ("a = 1", "syntax: a = 1"),
    ("(1)", "wrong-type: (1)"),
    ("(foo)", "unknown-identifier: foo"),
    ("(x +)", "syntax: )"),
    ("(", "syntax: ("),
    ("()", "syntax: )"),
    ("{a = 1", "syntax: {"),
    ("[a = 1] [b = 2]", "syntax: ["),
])  # fmt: skip
@pytest.mark.parametrize("strict", [True, False])
def test_descriptions_that_are_none(text: str, said: str, strict: bool) -> None:
    from bsls.evaluate.brainscript import evaluate_network
    from bsls.evaluate.environment import Environment
    from bsls.finding import BsError
    from bsls.source import ExpandedText, Source

    environment = Environment(strict=strict)
    try:
        findings = evaluate_network(ExpandedText.of(Source("net", text)), environment).findings
    except BsError as error:
        findings = [error.finding]
    assert [f"{f.rule}: {f.span.text if f.span else None}" for f in findings] == [said]


def test_findings_in_the_library_are_shown_at_the_call() -> None:
    (finding,) = evaluate(HEAD + "z = Input (3, sparse = 1)", strict=False).findings
    assert finding.span is not None and finding.span.source.path == "net"
    assert [r.span.source.path.endswith("inputs.bs") for r in finding.related] == [True]
