"""Every function of the library that makes a node, called: `calls.txt` says which operation and shape come out."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluate.networks import Outcome

HERE = Path(__file__).parent
CALLS = [line.split("  =>  ") for line in (HERE / "calls.txt").read_text().splitlines()]

INPUTS = """
outputNodes = (y)
x = Input {3} ; w = Input {3} ; s = Input {1} ; four = Input {4} ; w5 = Input {5} ; w6 = Input {6}
im = Input {(6:6:2)} ; rois = Input {(4:7)}
"""

NO_NODES = frozenset(
    [
        "None",
        "Inferred",
        "Print",
        "Fail",
        "Format",
        "Replace",
        "Substr",
        "Chr",
        "Length",
        "Repeat",
        "_ForceResizeArray",
        "_AsArray",
        "_ConcatArrays",
        "Sign",
        "Min",
        "Max",
        "Fac",
        "IsSameObject",
        "IsArray",
        "IsDouble",
        "IsBool",
        "Mod",
        "IntDiv",
        "_AreElementsTheSame",
        "deviceId",
        "traceLevel",
        "precision",
        "network",
        "BS",
        "CNTK2",
        "BS.Constants",
        "BS.Boolean",
        "BS.Sequences",
        "BS.Loop",
        "BS.Parameters",
        "BS.RNNs",
        "BS.Seq2Seq",
        "BS.Network",
        "BS.Network.Editing",
        "BS.Constants.True",
        "BS.Constants.False",
        "BS.Constants.None",
        "BS.Constants.IsNone",
        "BS.Constants.One",
        "BS.Boolean.True",
        "BS.Boolean.False",
        "BS.RNNs.NoAuxInputHook",
        "BS.Network.Load",
        "BS.Network.CloneFunction",
        "BS.Network.Edit",
        "BS.Network.Editing.ReplaceLinksToNode",
        "BS.Network.Editing.ReplaceLinksToNamedNode",
        "BS.Seq2Seq.GreedySequenceDecoderFrom",
        "BS.Seq2Seq.BeamSearchSequenceDecoderFrom",
    ]
)
"""What gives other values, or needs a model; tested where values and edits are."""


@pytest.mark.parametrize(("call", "expected"), CALLS, ids=[call for call, _ in CALLS])
def test_call(call: str, expected: str) -> None:
    node = Outcome(f"y = {call}{INPUTS}").network["y"]
    assert f"{node.op} {node.shape}" == expected


def test_every_function_is_called() -> None:
    names = {line.split(" ")[0] for line in (HERE / "functions.txt").read_text().splitlines()}
    calls = "\n".join(f" {call}" for call, _ in CALLS)
    assert [n for n in sorted(names - NO_NODES) if not any(f"{b}{n}{e}" in calls for b in " (" for e in " \n")] == []
