"""`dumpNodes`: the nodes of a model as text, with the values of its parameters."""

from __future__ import annotations

import math
import os
import re

import numpy as np
from numpy.typing import NDArray

from bsls.config.commands import Command
from bsls.finding import BsError
from bsls.modelfile.atomic import make_folder
from bsls.network.network import Network
from bsls.network.node import Node
from bstorch.actions.common import loaded_network, model_path, writing
from bstorch.context import RunContext
from bstorch.initialisation import initial_values
from bstorch.kernels.base import shape_of

ALL_NODES = "__AllNodes__"
_END = "#" * 68


def run(command: Command, context: RunContext) -> None:
    """Writes the nodes that `nodeNameRegex` or `nodeName` picks, else all of them."""
    section = command.section
    path = model_path(command).string()
    name = section.get_string("nodeName", ALL_NODES)
    pattern = section.get_string("nodeNameRegex", "")
    output = section.get_string("outputFile", f"{path}.{name}.txt")
    values, metadata = section.get_boolean("printValues", True), section.get_boolean("printMetadata", True)
    if not values and not metadata:
        value = section.get("printMetadata")
        raise BsError(
            "config-value",
            "printValues and printMetadata are both false: there is nothing to dump",
            value.span if value is not None else section.span,
            help="set one of them to true",
        )
    _check_exists(command, path)
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


def _check_exists(command: Command, path: str) -> None:
    if not os.path.exists(path):
        raise BsError(
            "missing-model",
            f"the model file '{path}' does not exist",
            model_path(command).span,
            help="train it first, or correct the path",
        )


def _picked(command: Command, network: Network, name: str, pattern: str, context: RunContext) -> list[Node]:
    if pattern:
        try:
            matches = re.compile(pattern).fullmatch
        except re.error as error:
            value = command.section.require("nodeNameRegex")
            raise value.error(
                f"not a regular expression: {error}", "escape brackets and dots with a backslash"
            ) from error
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
    """One node: its name, operation and inputs, and a parameter's matrix with `%.9g` (`%.17g` in double precision)."""
    parts: list[str] = []
    if metadata:
        parts.append(f" \n{node.name}={node.op}")
        if node.inputs:
            parts.append(f" ( {' , '.join(i.name for i in node.inputs)} )")
    if node.is_parameter:
        array = _matrix(node)
        if metadata:
            multiplier = float(node.attributes.get("learningRateMultiplier", 1.0))  # type: ignore[arg-type]
            needs = "true" if multiplier > 0 else "false"
            rows, columns = array.shape
            parts.append(f" [{rows},{columns}]   learningRateMultiplier={multiplier:f}  NeedsGradient={needs}")
        if values:
            form = "%.17g" if array.dtype == np.float64 else "%.9g"
            parts.append(" \n" if metadata else "")
            parts += (" " + " ".join(form % v for v in row) + " \n" for row in array.tolist())
            parts.append(f" {_END}" if metadata else "")
    elif node.is_input and metadata:
        parts.append(f" [ {' x '.join(map(str, shape_of(node).dims))} ]")
    return "".join(parts)


def _matrix(node: Node) -> NDArray:
    """The parameter as rows by columns: rows are its first dimension."""
    dims = shape_of(node).dims
    array = initial_values(node) if node.value is None else node.value.array()
    rows = dims[0] if dims else 1
    return array.reshape(math.prod(dims[1:]), rows).T
