"""Operations that the engine cannot execute: a table, so that a check knows it without the engine."""

from __future__ import annotations

from collections.abc import Sequence

NOT_EXECUTABLE = frozenset(
    {
        "ConvolutionSequenceShape",
        "CustomProxyOpNode",
        "LatticeSequenceWithSoftmax",
        "SequenceWithSoftmax",
        "UserDefinedV2Function",
    }
)
SECOND_OUTPUTS = frozenset({"TopK"})
"""Operations whose second output can be had through an OutputMultiplexer."""


def obstacle(op: str, operands: Sequence[str]) -> str:
    """Why an operation over the operations `operands` cannot be executed, in words that follow a node's name; '' if it can."""
    if op in NOT_EXECUTABLE:
        return f"is a {op}, which cannot be executed yet"
    if op == "OutputMultiplexer" and operands[0] not in SECOND_OUTPUTS:
        return f"is the second output of {operands[0]}, which cannot be computed yet"
    return ""
