"""`dumpNodes`: the nodes of a model as text, with the values of its parameters."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bsls.config.actions import dumped_parts
from bsls.config.commands import Command
from bsls.modelfile.atomic import make_folder
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.schema.ops.convolution import POOLS, as_slid, window_of
from bsls.schema.ops.geometry import Window
from bsls.schema.ops.normalization import STATISTICS
from bsls.schema.ops.rules import as_tuple
from bsls.shape import Dims
from bstorch.actions.common import existing_model, loaded_network, whole_name, writing
from bstorch.context import RunContext
from bstorch.initialisation import initial_values
from bstorch.kernels.base import shape_of

ALL_NODES = "__AllNodes__"
_END = "#" * 68


def run(command: Command, context: RunContext) -> None:
    """Writes the nodes that `nodeNameRegex` or `nodeName` picks, else all of them."""
    section = command.section
    path = existing_model(command).text
    name = section.get_string("nodeName", ALL_NODES)
    pattern = section.get_string("nodeNameRegex", "")
    output = section.get_string("outputFile", f"{path}.{name}.txt")
    values, metadata = dumped_parts(section)
    network = loaded_network(path)
    nodes = _picked(command, network, name, pattern, context)
    if pattern:
        how = "with" if values else "without"
        context.say(f"DumpNodeInfo: dumping node info ({how} printing values) to {output}")
    text = "".join(node_text(n, values, metadata) for n in nodes)
    named = section.get("outputFile")
    with writing(output, named.span if named is not None else None):
        make_folder(os.path.dirname(output))
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)


def _picked(command: Command, network: Network, name: str, pattern: str, context: RunContext) -> list[Node]:
    if pattern:
        matches = whole_name(pattern, command.section.require("nodeNameRegex")).fullmatch
        nodes = [n for n in network.by_name() if matches(n.name)]
        context.say(f"DumpNodeInfo: {len(nodes)} nodes matching RegEx({pattern}):")
        context.say_all(f"\t{n.name}" for n in nodes)
        return nodes
    node = network.find(name)
    if node is not None:
        return [node]
    context.say(f"Warning: node name '{name}' does not exist in the network. dumping all nodes instead.")
    return network.by_name()


def node_text(node: Node, values: bool, metadata: bool) -> str:
    """One node: its name, operation and inputs, what is special to the operation, and the matrix of a parameter or of a
    statistic with `%.9g` (`%.17g` in double precision). Every piece has a blank before it."""
    parts: list[str] = []
    if metadata:
        parts.append(f"\n{node.name}={node.op}")
        if node.inputs:
            parts.append(f"( {' , '.join(i.name for i in node.inputs)} )")
    if node.is_parameter or node.op in STATISTICS:
        matrix = _matrix(node)
        if metadata:
            parts += _about_parameter(node, matrix) if node.is_parameter else _about_statistic(node)
        if values:
            parts += ["\n"] if metadata else []
            parts += _rows(matrix)
            parts += [_END] if metadata else []
    elif node.is_input and metadata:
        parts.append(f"[ {_dims(shape_of(node).dims)} ]")
    elif node.op in ("MaxPooling", "AveragePooling") and metadata:
        parts += _about_old_pooling(node)
    elif node.op in (*_WINDOWED, "ConvolutionSequenceShape"):
        parts += _about_window(node)  # the reference asks nobody whether this is wanted
    return "".join(f" {part}" for part in parts)


def _about_parameter(node: Node, matrix: NDArray) -> Iterator[str]:
    multiplier = float(node.attributes.get("learningRateMultiplier", 1.0))  # type: ignore[arg-type]
    rows, columns = matrix.shape
    yield f"[{rows},{columns}]  "
    yield f"learningRateMultiplier={multiplier:f}  NeedsGradient={'true' if multiplier > 0 else 'false'}"


def _about_statistic(node: Node) -> Iterator[str]:
    yield f"[{_dims(shape_of(node).dims)}]  "
    yield f"HasComputed={'true' if node.attributes.get('hasComputed', False) else 'false'}"


def _rows(matrix: NDArray) -> Iterator[str]:
    form = "%.17g" if matrix.dtype == np.float64 else "%.9g"
    for row in matrix.tolist():
        yield from (form % v for v in row)
        yield "\n"


def _about_window(node: Node) -> Iterator[str]:
    """How the window of a convolution or pooling slides: over the larger image where it is a transposed one."""
    if node.op in _WINDOWED:
        image, window = _WINDOWED[node.op](node)
        maps = as_tuple(node.attributes.get("mapCount", 1)) if node.op == "Convolution" else (1,)
        yield "Geometry: "
        yield (
            f"Input: {_dims(image)}, Output: {_dims(window.output(image))}, Kernel: {_dims(window.kernel)}, "
            f"Map: {_dims(maps)}, Stride: {_dims(window.stride)}, Sharing: {_flags(window.sharing)}, "
            f"AutoPad: {_flags(window.auto_pad)}, LowerPad: {_dims(window.lower)}, UpperPad: {_dims(window.upper)}"
        )
        yield "\n"
    pool = "none" if node.op.startswith("Convolution") else str(node.attributes.get("pool", "max")).lower()
    yield "PoolKind: "
    yield str(POOLS.index(pool))
    yield "\n"


def _convolution(node: Node) -> tuple[Dims, Window]:
    operand, result = as_slid(node.attributes, shape_of(node.inputs[1]).dims, shape_of(node).dims)
    image = result if node.attributes.get("transpose", False) else operand
    return image, window_of(node.attributes, image)


def _pooling(node: Node) -> tuple[Dims, Window]:
    image = shape_of(node.inputs[0]).dims
    return image, Window.of(node.attributes, image, pooling=True)


def _unpooling(node: Node) -> tuple[Dims, Window]:
    image = shape_of(node).dims
    return image, Window.of(node.attributes, image, pooling=True)


_WINDOWED = {"Convolution": _convolution, "Pooling": _pooling, "MaxUnpooling": _unpooling}


def _about_old_pooling(node: Node) -> Iterator[str]:
    """Pooling of images of the layout HWC: channels are said to be the first axis, whatever they are."""
    image, result = shape_of(node.inputs[0]).dims, shape_of(node).dims
    width, height, across, down = (
        as_tuple(node.attributes[key])[0]
        for key in ("windowWidth", "windowHeight", "horizontalSubsample", "verticalSubsample")
    )
    yield f"Input[Width:{image[1]}, Height:{image[2]}, Channels:{image[0]}]  \n"
    yield f"PoolingWindow[Width:{width}, Height:{height}]  SubSampling[Horizontal:{across}, Vertical:{down}]\n"
    yield f"Output[Width:{result[1]}, Height:{result[2]}, Channels:{result[0]}]  \n"
    yield f"TotalSizePerSample[Input:{math.prod(image)}, Output:{math.prod(result)}]  \n"


def _dims(dims: Sequence[int]) -> str:
    return " x ".join(map(str, dims))


def _flags(flags: Sequence[bool]) -> str:
    return f"({', '.join(str(int(f)) for f in flags)})"


def _matrix(node: Node) -> NDArray:
    """The parameter or statistic as rows by columns: rows are its first dimension."""
    dims = shape_of(node).dims
    if node.value is not None:
        array = node.value.array()
    else:
        array = initial_values(node) if node.is_parameter else np.zeros(math.prod(dims), f"f{node.element_size}")
    rows = dims[0] if dims else 1
    return array.reshape(math.prod(dims[1:]), rows).T
