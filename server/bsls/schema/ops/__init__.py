"""The table of primitive operations, one family a file; everything that knows operations reads it from here."""

from __future__ import annotations

from bsls.schema.ops import (
    convolution,
    criteria,
    cropping,
    delays,
    elementwise,
    indexing,
    inputs,
    noise,
    normalization,
    parameters,
    recurrent,
    reductions,
    reshaping,
    sequences,
    similarity,
    softmax,
    special,
    times,
)
from bsls.schema.ops.base import Attribute, Field, Op, ShapeContext, ShapeError, ShapeRule

__all__ = ["OLD_NAMES", "OPS", "Attribute", "Field", "Op", "ShapeContext", "ShapeError", "ShapeRule", "get"]

_FAMILIES = (
    parameters, inputs, elementwise, softmax, times, reductions, reshaping, normalization, criteria, noise, delays,
    convolution, sequences, similarity, special, recurrent, cropping, indexing,
)  # fmt: skip

OPS: dict[str, Op] = {op.name: op for family in _FAMILIES for op in family.OPS}
"""All operations by name."""

OLD_NAMES: dict[str, Op] = {old: op for op in OPS.values() for old in op.old_names}
"""Operations by names that scripts and older files use."""


def get(name: str) -> Op | None:
    """The operation called `name`, which may be an old name; case matters."""
    return OPS.get(name) or OLD_NAMES.get(name)
