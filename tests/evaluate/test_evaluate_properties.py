"""Any text that parses is evaluated without an exception, strictly to its first problem, tolerantly to its end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Outcome, evaluate

from bsls.evaluate.environment import Limits

LEAVES = st.sampled_from(
    ["0", "1", "2", "-1", "0.5", "1e30", "1/0", "0/0", "true", "'a'", "''", "x", "y", "W", "a", "b", "f", "r", "foo", "None", "{}", "[||]",
     "Sigmoid", "Plus", "net", "net.z", "net.foo", "BS", "BS.Constants.One", "r.m", "r.n"]
)  # fmt: skip
FUNCTIONS = st.sampled_from(
    ["f", "Sigmoid", "Plus", "Times", "Input", "ParameterTensor", "Constant", "DenseLayer", "Sequential", "Splice", "Softmax", "Length", "Mod",
     "Repeat", "Format", "Substr", "Chr", "Print", "Fail", "ReduceSum", "ClassificationError", "BS.Network.CloneFunction", "BS.Network.Load",
     "BatchNormalizationLayer", "Dropout", "Max", "Fac", "IsArray", "Replace"]
)  # fmt: skip
OPTIONS = st.sampled_from(
    [
        "axis",
        "init",
        "initValue",
        "tag",
        "randomSeed",
        "activation",
        "parameters",
        "topN",
        "bias",
        "precision",
        "sparse",
    ]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", ".*", "**", "%", "<", "==", ">=", "&&", "||", ">>", "<<", ":", "with"])


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, parts, OPERATORS, parts),
        st.builds("{}({})".format, st.sampled_from("-!+"), parts),
        st.builds("{} ({})".format, FUNCTIONS, parts),
        st.builds("{} ({}, {})".format, FUNCTIONS, parts, parts),
        st.builds("{} {{{}, {} = {}}}".format, FUNCTIONS, parts, OPTIONS, parts),
        st.builds("({}) ({})".format, parts, parts),
        st.builds("({})[{}]".format, parts, parts),
        st.builds("({}).{}".format, parts, st.sampled_from(["m", "n", "name", "inputs", "dim", "z", "x", "foo"])),
        st.builds("(if {} then {} else {})".format, parts, parts, parts),
        st.builds("{{m = {} ; n = {}}}".format, parts, parts),
        st.builds("(q => {})".format, parts),
        st.builds("array [{} .. 2] (q => {})".format, st.sampled_from(["0", "1", "a"]), parts),
        st.builds("new {} {{operation = '{}' ; inputs = {} ; shape = {}}}".format, st.sampled_from(["ComputationNode", "NodeArray", "Foo"]),
                  st.sampled_from(["Sigmoid", "Plus", "PastValue", "InputValue", "Foo"]), parts, parts),
    )  # fmt: skip


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=6)
PROGRAMS = st.builds(
    "x = Input (3)\ny = Input (1)\nW = ParameterTensor {{(3:0)}}\nnet = BS.Network.Load ('m')\nr = {{m = {} ; n = {}}}\nf (p, o = {}) = {}\na = {}\nb = {}\noutputNodes = {}".format,
    *[EXPRESSIONS] * 7,
)
MODEL = {"m": evaluate("x = Input (3)\nz = LinearLayer {2} (x)").network}


def outcome(text: str, strict: bool) -> Outcome:
    return evaluate(
        text,
        strict=strict,
        models=MODEL,
        limits=Limits(steps=20_000, depth=1000, paths=1_000_000, elements=1000, string=1000),
    )


@settings(max_examples=150, deadline=None)
@given(PROGRAMS)
def test_any_program(text: str) -> None:
    tolerant = outcome(text, strict=False)
    for finding in tolerant.findings:
        assert finding.span is not None
        assert "unknown" not in finding.rule or finding.rule in (
            "unknown-identifier",
            "unknown-parameter",
            "unknown-operation",
            "unknown-type",
        )
        assert "something unknown" not in finding.message
    strict = outcome(text, strict=True)
    errors = [f for f in tolerant.findings if f.severity == 3]
    assert bool(strict.findings) == bool(errors)
