"""Networks in logs of CNTK, from the lines `Validating --> z = Plus (a, b) : [3 x *], [3] -> [3 x *]`.

A log tells names, operations, inputs and shapes; it has no attributes and no weights.
"""

from __future__ import annotations

import os
import re

from bsls.finding import BsError
from bsls.modelfile.binary import cannot_read
from bsls.network.network import Network
from bsls.network.node import Node
from bsls.shape import DynamicAxis, Shape

_LINE = re.compile(r"Validating --> (\S+) = (\w+) ?\((.*)\) : (.*) -> (\[[^\[\]]*\])\s*$")
_SHAPE = re.compile(r"\[[^\[\]]*\]")
_BEGIN = "Validating network. "
"""Begins the first pass over a network; the last pass says `Validating network, final pass.`."""


def is_log(path: str | os.PathLike[str]) -> bool:
    """Whether a file is, by its first bytes, a text."""
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
    except OSError:
        return False
    return bool(start) and b"\0" not in start and b"\n" in start and not start.startswith(b"\x08")


def read(path: str | os.PathLike[str]) -> Network:
    """The first network in a log; its nodes have shapes.

    Raises BsError (rule `model-file`) where the log has none, or lines of it are missing.
    """
    path = os.fspath(path)
    network = Network()
    inputs: dict[str, list[tuple[str, Shape]]] = {}
    begun = False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if _BEGIN in line and "pass 1." in line:
                    if begun and len(network):
                        break
                    begun = True
                found = _LINE.search(line)
                if found:
                    _take(found, network, inputs)
    except OSError as error:
        raise cannot_read(path, error) from error
    if not len(network):
        raise BsError(
            "model-file", f"'{path}' is neither a model nor a log of CNTK with lines 'Validating -->'",
            help="check the name; traceLevel = 1 makes CNTK log its networks",
        )  # fmt: skip
    for node in network:
        for name, shape in inputs[node.name]:
            operand = network.find(name)
            if operand is None:
                raise BsError(
                    "model-file", f"'{path}' has no line about '{name}', an input of '{node.name}'",
                    help="give a log that is whole",
                )  # fmt: skip
            node.inputs.append(operand)
            if operand.is_parameter and shape.known:  # inferred by the operation, after the line about the parameter
                operand.shape = shape
    for node in network:
        if (node.is_parameter or node.is_input) and node.shape is not None:
            node.attributes["dims"] = node.shape.dims
    return network


def _take(match: re.Match[str], network: Network, inputs: dict[str, list[tuple[str, Shape]]]) -> None:
    """A line about a node; the line of a later pass counts."""
    name, op, operands, shapes, shape = match.groups()
    node = network.find(name)
    if node is None:
        node = Node(op, name)
        network.add(node)
    node.shape = _shape(shape)
    names = operands.split(", ") if operands else []
    repeats = names[-1].removeprefix("numRepeats=") if op == "RowRepeat" else ""
    if repeats.isdigit():
        node.attributes["numRepeats"] = int(repeats)
        del names[-1]
    inputs[node.name] = list(zip(names, map(_shape, _SHAPE.findall(shapes)), strict=False))


def _shape(text: str) -> Shape:
    *dims, last = re.sub(r" *\{[^}]*\}", "", text[1:-1]).split(" x ")  # strides, in old logs
    axis = None if last.isdigit() or not last else DynamicAxis(last)
    numbers = [*dims, last] if last.isdigit() else dims
    return Shape(tuple(int(d) for d in numbers if d.isdigit()), axis)
