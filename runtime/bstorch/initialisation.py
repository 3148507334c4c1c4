"""Values of the parameters of a fresh network, equal to those of the reference to the last digit."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bsls.finding import BsError
from bsls.network.node import Node
from bsls.schema.ops.parameters import is_number
from bsls.shape import Dims, Shape
from bstorch.random import Generator

_DTYPES: dict[str, DTypeLike] = {"float": np.float32, "double": np.float64, "float16": np.float16, "half": np.float16}
_UNIFORM_RANGE = float(np.float32(0.05))  # a float constant in the reference, in double networks as well

# Range (uniform) or standard deviation (normal) from fan-in and fan-out.
_UNIFORM: dict[str, Callable[[int, int], float]] = {
    "uniform": lambda fan_in, fan_out: _UNIFORM_RANGE,
    "uniform1": lambda fan_in, fan_out: 1.0,
    "xavier": lambda fan_in, fan_out: math.sqrt(3.0 / fan_in),
    "glorotUniform": lambda fan_in, fan_out: math.sqrt(6.0 / (fan_in + fan_out)),
    "heUniform": lambda fan_in, fan_out: math.sqrt(6.0 / fan_in),
}
_NORMAL: dict[str, Callable[[int, int], float]] = {
    "gaussian": lambda fan_in, fan_out: 0.2 / math.sqrt(fan_in),
    "normal": lambda fan_in, fan_out: 1.0,
    "glorotNormal": lambda fan_in, fan_out: math.sqrt(2.0 / (fan_in + fan_out)),
    "heNormal": lambda fan_in, fan_out: math.sqrt(2.0 / fan_in),
    "TruncNormal": lambda fan_in, fan_out: 1.0,
}
RANDOM_KINDS = frozenset(_UNIFORM) | frozenset(_NORMAL)
"""Values of `init` that draw random numbers."""

_OTHER_KINDS = ("bilinear", "zero", "fixedValue", "fromFile", "fromLiteral")


def initial_values(node: Node) -> NDArray:
    """The values of the LearnableParameter `node` before training.

    The array has the parameter's dims reversed (column-major [a x b] is row-major (b, a)) and the type of the node's
    precision. Loaded weights (`node.value`) win; otherwise the attributes decide. `node.shape` must be known. Paths are
    relative to the current directory.

    Raises BsError at the node's origin for settings, files or literals that make no such values.
    """
    dims = _dims(node)
    dtype = dtype_of(node)
    if node.value is not None:
        return node.value.array().astype(dtype, copy=False)
    kind = str(node.attributes.get("init") or "uniform")
    if kind in RANDOM_KINDS:
        flat = _random(node, kind, dims, dtype)
    elif kind == "bilinear":
        flat = _bilinear(node, dims).astype(dtype)
    elif kind == "zero":
        flat = np.zeros(prod(dims), dtype)
    elif kind == "fixedValue":
        # Through float: the reference keeps the value of a parameter as a float in double networks, too.
        flat = np.full(prod(dims), np.float32(_number(node, "value", 0.0)), dtype)
    elif kind in ("fromFile", "fromLiteral"):
        flat = _from_text(node, kind, dims).astype(dtype)
    else:
        raise _unknown_kind(node, kind)
    return flat.reshape(tuple(reversed(dims)))


def fans(dims: Dims, filter_rank: int = 0, output_rank: int = 1) -> tuple[int, int]:
    """Fan-in and fan-out of a parameter.

    The first `filter_rank` dims are a filter. The output dims are the next `output_rank`, or, where that is negative,
    the last ones; the rest are input dims.

    Raises ValueError if there are not that many dims.
    """
    if filter_rank + abs(output_rank) > len(dims):
        raise ValueError(
            f"{filter_rank} filter and {abs(output_rank)} output dimensions are more than the {len(dims)} of {Shape(dims)}"
        )
    filter_rank = max(filter_rank, 0)
    inputs = dims[filter_rank + output_rank :] if output_rank >= 0 else dims[filter_rank : len(dims) + output_rank]
    filter_size = prod(dims[:filter_rank])
    fan_in = filter_size * prod(inputs)
    return fan_in, prod(dims) * filter_size // fan_in


def initialisation_line(node: Node) -> str:
    """The reference's log line for a random parameter whose shape was inferred (it leaves the bracket open)."""
    kind = str(node.attributes.get("init") or "uniform")
    dims = _dims(node)
    fan_in, fan_out = _fans(node, dims)
    plain, scale = _size(node, kind, fan_in, fan_out, dtype_of(node))
    call = f"{kind}(seed={node.attributes.get('randomSeed', 1)}, init dims=[{fan_out} x {fan_in}], range={float(plain * scale):.6f}({float(plain):.6f}*{float(scale):.6f}), onCPU=true."
    return f"Node '{node.name}' (LearnableParameter operation): Initializing Parameter{Shape(dims)} <- {call}"


def dtype_of(node: Node) -> np.dtype:
    """The numpy type of the node's values."""
    return np.dtype(_DTYPES[node.precision])


def read_matrix(text: str, name: str) -> list[list[float]]:
    """The rows of numbers in a text: a row a line, blank lines do not count.

    Raises ValueError, with `name` and line, for what is no number and for rows of different lengths.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        for word in words:
            if not is_number(word):
                raise ValueError(f"{name}:{number}: '{word[:15]}' is not a number")
        if rows and len(words) != len(rows[0]):
            raise ValueError(
                f"{name}:{number}: {_count(len(words), 'value')} in this row, {len(rows[0])} in the first one"
            )
        rows.append([float.fromhex(w) if "x" in w.lower() else float(w) for w in words])
    return rows


def _dims(node: Node) -> Dims:
    shape = node.shape
    if shape is None or not shape.known:
        raise BsError(
            "unknown-dimension",
            f"the dimensions of parameter '{node.name}' are not known: {shape or '[]'}",
            node.origin,
            help="give all its dimensions",
        )
    return shape.dims


def _fans(node: Node, dims: Dims) -> tuple[int, int]:
    filter_rank = int(_number(node, "initFilterRank", 0))
    output_rank = int(_number(node, "initOutputRank", 1))
    try:
        return fans(dims, filter_rank, output_rank)
    except ValueError as e:
        raise BsError(
            "init-rank", f"parameter '{node.name}': {e}", node.origin, help="lower initFilterRank or initOutputRank"
        ) from None


def _size(node: Node, kind: str, fan_in: int, fan_out: int, dtype: np.dtype) -> tuple[np.floating, np.floating]:
    """Range or deviation, and what it is scaled by; both rounded to the element type, like their product."""
    element = np.float32 if dtype == np.float16 else dtype.type
    plain = element((_UNIFORM.get(kind) or _NORMAL[kind])(fan_in, fan_out))
    return plain, element(np.float32(_number(node, "initValueScale", 1.0)))


def _random(node: Node, kind: str, dims: Dims, dtype: np.dtype) -> NDArray:
    fan_in, fan_out = _fans(node, dims)
    plain, scale = _size(node, kind, fan_in, fan_out, dtype)
    size = float(plain * scale)
    generator = Generator(int(_number(node, "randomSeed", 1)))
    n = prod(dims)
    if kind in _UNIFORM:
        if size < 0:
            raise BsError(
                "init-scale",
                f"parameter '{node.name}': initValueScale = {float(scale):g} turns the range of '{kind}' around, so no number lies in it",
                node.origin,
                help="use a positive initValueScale",
            )
        return generator.uniform(n, -size, size, dtype)
    if kind == "TruncNormal":
        if size < 0:
            raise BsError(
                "init-scale",
                f"parameter '{node.name}': initValueScale = {float(scale):g} makes the deviation of 'TruncNormal' negative, so no number lies within it",
                node.origin,
                help="use a positive initValueScale",
            )
        return generator.truncated_normal(n, 0.0, size, dtype)
    return generator.normal(n, 0.0, size, dtype)


def _bilinear(node: Node, dims: Dims) -> NDArray[np.float32]:
    """Kernel [w x w x C x C] that interpolates between neighbours, each channel for itself."""
    if len(dims) < 4 or dims[0] != dims[1] or dims[2] != dims[3] or prod(dims[4:]) != 1:
        raise BsError(
            "init-bilinear",
            f"parameter '{node.name}': init='bilinear' wants a kernel [w x w x C x C], but its shape is {Shape(dims)}",
            node.origin,
            help="use a square kernel with as many input as output channels",
        )
    width, channels = dims[0], dims[2]
    factor = (width + 1) // 2
    line = 1 - np.abs(np.arange(width) - (width - 1) / 2.0) / factor
    kernel = np.outer(line, line).astype(np.float32)
    values = np.zeros((channels, channels, width, width), np.float32)
    values[np.arange(channels), np.arange(channels)] = kernel
    return values.reshape(-1)


def _from_text(node: Node, kind: str, dims: Dims) -> NDArray[np.float64]:
    if kind == "fromFile":
        name = str(node.attributes.get("initFromFilePath") or "")
        if not name:
            raise BsError(
                "init-file",
                f"parameter '{node.name}': init='fromFile' needs initFromFilePath",
                node.origin,
                help="add initFromFilePath = 'FILE'",
            )
        try:
            text = Path(name).read_text(encoding="utf-8-sig", errors="replace")
        except OSError as e:
            raise BsError(
                "missing-file",
                f"parameter '{node.name}': cannot read '{name}': {e.strerror}",
                node.origin,
                help="mend initFromFilePath; it is relative to the folder the run is started in",
            ) from None
    else:
        name = "initFromLiteral"
        text = str(node.attributes.get("initFromLiteral") or "")
        if not text.strip():
            raise BsError(
                "init-literal",
                f"parameter '{node.name}': init='fromLiteral' needs initFromLiteral",
                node.origin,
                help="add initFromLiteral = 'NUMBERS', a row a line",
            )
    try:
        rows = read_matrix(text, name)
    except ValueError as e:
        raise BsError(
            "init-values",
            f"parameter '{node.name}': {e}",
            node.origin,
            help="write numbers, a row of the matrix a line",
        ) from None
    expected = (dims[0] if dims else 1, prod(dims[1:]))
    found = (len(rows), len(rows[0]) if rows else 0)
    if found != expected:
        raise BsError(
            "init-values",
            f"parameter '{node.name}' {Shape(dims)} needs {_count(expected[0], 'row')} of {_count(expected[1], 'number')}, but {name} has {_count(found[0], 'row')} of {_count(found[1], 'number')}",
            node.origin,
            help="a line holds a row: as many lines as the first dimension, as many numbers a line as the others together",
        )
    return np.array(rows).T.reshape(-1)  # the memory order of a column-major matrix


def _number(node: Node, attribute: str, default: float) -> float:
    value = node.attributes.get(attribute)
    return default if value is None else float(value)  # type: ignore[arg-type]


def _unknown_kind(node: Node, kind: str) -> BsError:
    kinds = [*sorted(RANDOM_KINDS), *_OTHER_KINDS]
    same = [k for k in kinds if k.lower() == kind.lower()]
    help = f"write '{same[0]}': capitals count" if same else f"use one of {', '.join(kinds)}"
    return BsError("init-kind", f"parameter '{node.name}': there is no init='{kind}'", node.origin, help=help)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
