"""Names and calls in text that is never evaluated."""

from __future__ import annotations

import pytest

from bsls.resolve.names import similar
from bsls.resolve.scopes import call_problems, member_problems, references
from bsls.source import ExpandedText, Source
from bsls.syntax import tree
from bsls.syntax.brainscript import Members


def members(text: str) -> Members:
    return Members(ExpandedText.of(Source("net", text)), 0, len(text))


def unknown(text: str) -> list[str]:
    problems = [r.problem.finding for r in references(members(text)) if r.problem]
    assert all(p.rule == "unknown-identifier" for p in problems)
    return [p.span.text for p in problems if p.span]


@pytest.mark.parametrize(("text", "names"), [
    ("f (a) = foo + a", "foo"),
    ("f (a, b = a) = b", "a"),  # a default does not see the parameters
    ("f (a, b = c) = b\nc = 1", ""),
    ("f (a) = g (a)\ng (a) = f (a)", ""),
    ("r = {a = b ; b = c}", "c"),
    ("r = {a = {b = x ; x = 1} ; c = x}", "x"),
    ("r = {a = 1}\nb = a", "a"),
    ("f (a) = {b = a ; c = d}.c", "d"),
    ("f = (x => y => x + y + z)", "z"),
    ("f (x) = x\ng = x", "x"),
    ("h[i:lo..3] = i + j", "lo j"),
    ("h[i:0..3] (x) = i + x\ng = i", "i"),
    ("f = array [0..n] (i => k)", "n k"),
    ("f (a) = if b then c else d", "b c d"),
    ("f (a) = g {o = b}", "g b"),
    ("f (a) = a.b.c + q.b", "q"),  # what stands after a dot depends on values
    ("f (a) = new ComputationNode [ operation = op ; inputs = a ]", "op"),
    ("f (a) = [| a ; b |] : -c", "b c"),
    ("f (a) = Sigmoid (a) + ReLU (a) + DenseLayer {3} (a) + BS.Constants.One", ""),
    ("f (a) = sigmoid (a)", "sigmoid"),
    ("f (a) = precision + deviceId + traceLevel", ""),
    ("f (a) = CloneFunction (a, a)", "CloneFunction"),
    ("a = (1 +\nf (x) = foo", "foo"),  # a broken member has no names
])  # fmt: skip
def test_unknown_names(text: str, names: str) -> None:
    assert unknown(text) == names.split()


@pytest.mark.parametrize(("text", "name", "target"), [
    ("a = 1\nf (x) = a", "a", "a = 1"),
    ("a = 1\nf (a) = a", "a", "a"),
    ("a = 1\nf (x, a = 2) = a", "a", "a = 2"),
    ("a = 1\nf (x) = {a = 2 ; b = a}", "a", "a = 2"),
    ("x = 1\nh[x:0..1] = x", "x", "x"),
    ("Sigmoid (x) = 1\nf (a) = Sigmoid (a)", "Sigmoid", "Sigmoid (x) = 1"),
    ("f (a) = precision", "precision", None),
])  # fmt: skip
def test_targets(text: str, name: str, target: str | None) -> None:
    (found,) = [r.target for r in references(members(text)) if r.name.id == name]
    assert (found.span.text if found else None) == target


def test_targets_in_the_library() -> None:
    (reference,) = [r for r in references(members("f (a) = Sigmoid (a)")) if r.name.id == "Sigmoid"]
    assert isinstance(reference.target, tree.Member)
    assert reference.target.span.source.path.endswith("CNTK2.bs")


@pytest.mark.parametrize(("text", "rule", "at"), [
    ("f (a) = Plus (a)", "missing-argument", "Plus (a)"),
    ("f (a) = Plus (a, a, b)", "too-many-arguments", "b"),
    ("f (a) = Plus (a, a, tga = '')", "unknown-parameter", "tga"),
    ("f (a) = g (a)\ng (x, y) = x", "missing-argument", "g (a)"),
    ("f (a) = {b = g {a, o = 1}}\ng {x} = x", "unknown-parameter", "o"),
    ("r = {g (x) = x ; f = g (1, 2)}", "too-many-arguments", "2"),
    ("f = (x => Sigmoid ())", "missing-argument", "Sigmoid ()"),
    ("f (a) = BS.Sequences.First (a, 1)", "too-many-arguments", "1"),
    ("r = {g (x) = x}\nf (a) = r.g (a, a)", "too-many-arguments", "a"),
])  # fmt: skip
def test_wrong_calls(text: str, rule: str, at: str) -> None:
    (problem,) = call_problems(members(text))
    assert problem.finding.span is not None
    assert (problem.finding.rule, problem.finding.span.text) == (rule, at)


@pytest.mark.parametrize("text", [
    "f (g) = g (1, 2, 3)",  # a parameter: what it is called with is not known
    "Plus (x) = x\nf (a) = Plus (a)",
    "Input = 3\nf (a) = Input (a, a, a)",
    "f (a, o = 1) = a\ng (a) = f (a) + f (o = 2, a) + f {a, o = 3}",
    "f (a) = DenseLayer {3} (a, a)",
    "g = Sigmoid\nf (a) = g (a, a)",
])  # fmt: skip
def test_calls_of_which_nothing_wrong_is_known(text: str) -> None:
    assert list(call_problems(members(text))) == []


@pytest.mark.parametrize(("text", "at"), [
    ("f (a) = BS.Sequences.Frist (a)", "Frist"),
    ("f (a) = BS.Network.ReplaceLinksToNode (a, a)", "ReplaceLinksToNode"),
    ("r = {a = 1}\nf (v) = r.b + v", "b"),
    ("r = {q = {a = 1}}\nf (v) = r.q.b + v", "b"),
])  # fmt: skip
def test_members_that_are_not_there(text: str, at: str) -> None:
    (problem,) = member_problems(members(text))
    assert problem.finding.span is not None
    assert (problem.finding.rule, problem.finding.span.text) == ("unknown-identifier", at)


@pytest.mark.parametrize("text", [
    "f (a) = BS.Sequences.First (a)",
    "r = {a = 1}\nf (v) = r.r",  # a member is looked for around its record, too
    "r = {a = 1}\nf (v) = r.Sigmoid (v)",
    "f (r) = r.b",
    "r = g (1)\ng (x) = {a = x}\nf (v) = r.b",  # known only to evaluation
])  # fmt: skip
def test_members_of_which_nothing_wrong_is_known(text: str) -> None:
    assert list(member_problems(members(text))) == []


@pytest.mark.parametrize(("name", "meant"), [
    ("sigmoid", "Sigmoid"), ("Sigmoyd", "Sigmoid"), ("tanh", "Tanh"), ("x", None), ("hiddenDims", "hiddenDim"), ("z", "Z"), ("Tanh", "Tanh"),
])  # fmt: skip
def test_similar(name: str, meant: str | None) -> None:
    assert similar(name, ["Sigmoid", "Tanh", "hiddenDim", "Z"]) == meant
