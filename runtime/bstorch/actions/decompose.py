"""`SVD`: makes a model smaller by putting the product of two thin matrices in the place of a parameter.

W = U diag(s) V with the largest singular values s becomes W_U = U sqrt(s) [rows x rank] and W_V = sqrt(s) V
[rank x columns].
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bsls.config.actions import aligned_size
from bsls.config.commands import Command
from bsls.config.section import Section, Value
from bsls.finding import BsError, Severity
from bsls.modelfile import v1
from bsls.modelfile.atomic import make_folder
from bsls.network.editing import users
from bsls.network.network import Network
from bsls.network.node import GROUPS, ArrayWeights, Node
from bsls.network.validation import validate
from bstorch.actions.common import existing_model, loaded_network, whole_name, writing
from bstorch.context import RunContext
from bstorch.kernels.base import shape_of

_RULE = "-" * 92


@dataclass(slots=True)
class _Group:
    """Parameters by their names, and how much of the sum of the singular values each of them keeps at least."""

    names: re.Pattern[str]
    ratio: np.float32


def run(command: Command, context: RunContext) -> None:
    """Decomposes the parameters that `NodeNameRegex` or the groups of the file `SVDConfig` name."""
    section = command.section
    path, output = existing_model(command), section.require("outputModelPath")
    aligned, groups = aligned_size(section), _groups(section)
    network = loaded_network(path.text)
    for number, (group, nodes) in enumerate([(g, _matrices(network, g.names)) for g in groups]):
        context.say(_RULE)
        context.say(f"ParameterSVD: start to process group {number} with KeepRatio={group.ratio:.2f}")
        context.say(_RULE)
        for node in nodes:
            if network.find(node.name) is node:  # an earlier group may have had it
                _decompose(network, node, group.ratio, aligned, context)
    for finding in validate(network).findings:
        if finding.severity >= Severity.ERROR:
            raise BsError.of(finding)
    with writing(output.text, output.span):
        make_folder(os.path.dirname(output.text))
        v1.write(network, output.text)


def _groups(section: Section) -> list[_Group]:
    value = section.get("NodeNameRegex")
    if value is not None and value.text:
        return [_Group(whole_name(value.text, value), np.float32(section.get_number("KeepRatio", 0.4)))]
    return _groups_of_file(section.require("SVDConfig"))


def _groups_of_file(value: Value) -> list[_Group]:
    """A regular expression and a ratio in each line; the groups are sorted, and the last ratio of each counts."""
    try:
        with open(value.text, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise value.error(f"cannot be read: {error.strerror}", "correct the path") from error
    ratios: dict[str, float] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        try:
            name, ratio = words
            ratios[name] = float(ratio)
        except ValueError as error:
            help = "each line holds a regular expression and the part to keep, as in `W.* 0.5`"
            raise value.error(f"'{line}' in line {number} of this file names no group", help) from error
    return [_Group(whole_name(name, value), np.float32(ratio)) for name, ratio in sorted(ratios.items())]


def _matrices(network: Network, names: re.Pattern[str]) -> list[Node]:
    return [n for n in network.parameters if names.fullmatch(n.name) and min(_matrix(n).shape) > 1]


def _matrix(node: Node) -> NDArray:
    """The parameter as rows by columns: rows are its first dimension. Half precision is computed in single."""
    dims = shape_of(node).dims
    assert node.value is not None
    array = node.value.array()
    return array.reshape(-1, dims[0] if dims else 1).T.astype(np.promote_types(array.dtype, np.float32))


def rank_to_keep(values: NDArray, ratio: np.float32, aligned: int) -> int:
    """How many singular values, in falling order, make more than `ratio` of their sum; a multiple of `aligned` or all."""
    sums = np.add.accumulate(values)  # one after the other, in the precision of the model
    rank = int(np.argmax(sums > sums[-1] * values.dtype.type(ratio))) + 1 if ratio < 1 else len(values)
    return min(-(-rank // aligned) * aligned, len(values))


def _decompose(network: Network, node: Node, ratio: np.float32, aligned: int, context: RunContext) -> None:
    matrix = _matrix(node)
    rows, columns = matrix.shape
    begun = time.perf_counter()
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    seconds = time.perf_counter() - begun
    rank = rank_to_keep(values, ratio, aligned)
    context.say(
        f"Performing SVD for a {rows:5d}-by-{columns:<5d} matrix (node name: {node.name:<20}) ---  "
        f"computation time {seconds:5.2f} secs ;  keep {float(ratio) * 100:4.1f}% energy ===> keep {rank:5d} svd values "
        f"(reduce to {rank * (rows + columns) / rows / columns * 100:4.1f}% parameters) "
    )
    root = np.sqrt(values[:rank])
    dims = shape_of(node).dims
    _replace(
        network,
        node,
        _parameter(network, node, "_U", (dims[0], rank), (left[:, :rank] * root).T),
        _parameter(network, node, "_V", (rank, *dims[1:]), (right[:rank] * root[:, None]).T),
    )


def _parameter(network: Network, node: Node, suffix: str, dims: Sequence[int], columns: NDArray) -> Node:
    """A new parameter beside `node`; `columns` are the columns of its matrix as rows."""
    weights = ArrayWeights(np.ascontiguousarray(columns).reshape(tuple(dims)[::-1]))
    parameter = Node(
        "LearnableParameter",
        node.name + suffix,
        attributes={"dims": tuple(dims)},
        precision=node.precision,
        value=weights,
    )
    _add(network, parameter)
    return parameter


def _add(network: Network, node: Node) -> None:
    if node.name in network:
        raise BsError(
            "duplicate-name", f"the model has a node '{node.name}' already, as the decomposition would call a new one",
            help="rename that node first, or leave its parameter out",
        )  # fmt: skip
    network.add(node)


def _replace(network: Network, node: Node, left: Node, right: Node) -> None:
    """W x becomes W_U (W_V x), where that is all that W is used for; anything else gets the product W_U W_V."""
    product = Node("Times", node.name + "_SVD", precision=node.precision)
    using = users(network, node)
    times = using[0] if len(using) == 1 and _multiplies(using[0], node) else None
    if times is None:
        product.inputs = [left, right]
        after = product
    else:
        for user in users(network, times):
            user.inputs = [product if i is times else i for i in user.inputs]
        product.inputs = [left, times]
        for group in GROUPS:
            if times in network.groups[group]:
                network.tag(product, group)
        after = right
    _add(network, product)
    for user in using:
        user.inputs = [after if i is node else i for i in user.inputs]
    network.remove(node)


def _multiplies(user: Node, node: Node) -> bool:
    """Whether `user` is the product of `node`, as the matrix that it is here, and something else."""
    plain = user.op == "Times" and user.attributes.get("outputRank", 1) == 1
    return plain and user.inputs[0] is node and user.inputs[1] is not node
